"""Microversions of /v2.1 (section 3): two header forms, negotiated as Nova does."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ecs_simulator.call import ApiError

Version = tuple[int, int]

MINIMUM: Version = (2, 1)

_NUMBER = re.compile(r"([1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,3})")


def requested(headers: Mapping[str, str], *, maximum: Version) -> Version:
    """Return the microversion a request asks for, 2.1 if none. ApiError 400 for another form, 406 out of range."""
    text = _asked(headers)
    if text is None:
        return MINIMUM
    if text == "latest":
        return maximum
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ApiError(400, "Ecs.0005", f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum.", nova=True)
    version = (int(found[1]), int(found[2]))
    if not MINIMUM <= version <= maximum:
        span = f"Minimum is {show(MINIMUM)} and maximum is {show(maximum)}."
        raise ApiError(406, "Ecs.0005", f"Version {text} is not supported by the API. {span}", nova=True)
    return version


def parse(text: str) -> Version:
    """Read "2.60"; ValueError if it is of another form."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no microversion of the form 2.60")
    return int(found[1]), int(found[2])


def show(version: Version) -> str:
    """Write (2, 60) as "2.60"."""
    return f"{version[0]}.{version[1]}"


def answer_headers(version: Version) -> dict[str, str]:
    """Return the headers that tell a client which microversion it was served."""
    text = show(version)
    return {
        "OpenStack-API-Version": f"compute {text}",
        "X-OpenStack-Nova-API-Version": text,
        "Vary": "OpenStack-API-Version, X-OpenStack-Nova-API-Version",
    }


def _asked(headers: Mapping[str, str]) -> str | None:
    modern = headers.get("openstack-api-version")
    if modern is not None:
        # The header may name several services, each with its version.
        for part in modern.split(","):
            service, _, version = part.strip().partition(" ")
            if service.lower() in {"compute", "nova"}:
                return version.strip()
    legacy = headers.get("x-openstack-nova-api-version")
    return legacy.strip() if legacy is not None else None
