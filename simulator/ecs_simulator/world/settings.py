"""What can be set about a world: how long its transitions take, and how it behaves where real endpoints differ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

_MICROVERSION = re.compile(r"2\.(0|[1-9][0-9]{0,3})")
TOKEN_SECONDS = 8 * 3600.0
"""As long as an X-Client-Token is good."""


@dataclass(slots=True)
class Durations:
    """Seconds a transition takes from its acceptance. ``jitter`` is the share by which each may come out shorter or longer, 0 to 1."""

    create_server: float = 2.0
    delete_server: float = 1.0
    start_server: float = 0.5
    stop_server: float = 0.5
    reboot_server: float = 0.5
    resize_server: float = 2.0
    attach_volume: float = 0.5
    detach_volume: float = 0.5
    reinstall_server: float = 2.0
    change_server_image: float = 2.0
    rebuild_server: float = 2.0
    migrate_server: float = 2.0
    add_interface: float = 0.5
    delete_interface: float = 0.5
    create_image: float = 2.0
    create_volume: float = 0.5
    delete_volume: float = 0.5
    create_snapshot: float = 0.5
    delete_snapshot: float = 0.5
    jitter: float = 0.0

    def change(self, changes: Mapping[str, float]) -> dict[str, Any]:
        """Change some and return all; ValueError for an unknown name or an impossible value, and then nothing is changed."""
        names = [field.name for field in fields(self)]
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"unknown duration {name!r}; known are {', '.join(names)}")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
                raise ValueError(f"{name} must be a number of seconds from 0 on")
            if name == "jitter" and value > 1:
                raise ValueError("jitter is a share of the duration, from 0 to 1")
        for name, value in changes.items():
            setattr(self, name, float(value))
        return {name: getattr(self, name) for name in names}


@dataclass(slots=True)
class Behaviour:
    """Where real endpoints differ, or the reference does not say.

    ``client_token`` ignore: X-Client-Token means nothing, as on an endpoint that does not know it.
    ``client_token_expiry`` refuse: after 8 hours Ecs.0124; forget: as if it had never been used.
    ``server_ids``: whether 5.1.1 answers serverIds beside job_id.
    ``list_lag``, ``read_lag``: seconds until a new server shows in lists, or by id, and until a deleted one goes.
    ``job_retention``: seconds after its end until a job is forgotten.
    ``access_key_lock``: whether an access key is locked for five minutes after more than five bad signatures in a row.
    """

    client_token: str = "honour"  # noqa: S105
    client_token_expiry: str = "refuse"  # noqa: S105
    server_ids: bool = True
    list_lag: float = 0.0
    read_lag: float = 0.0
    max_microversion: str = "2.60"
    job_retention: float = 86400.0
    access_key_lock: bool = False

    def change(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Change some, by their camel-case names, and return all; ValueError names what is wrong, and then nothing is changed."""
        names = {camel_case(field.name): field.name for field in fields(self)}
        for name, value in changes.items():
            if name not in names:
                raise ValueError(f"unknown switch {name!r}; known are {', '.join(names)}")
            problem = _problem(names[name], value)
            if problem:
                raise ValueError(f"{name} must be {problem}")
        for name, value in changes.items():
            setattr(self, names[name], float(value) if isinstance(getattr(self, names[name]), float) else value)
        return {name: getattr(self, attribute) for name, attribute in names.items()}


def camel_case(name: str) -> str:
    """Return ``list_lag`` as ``listLag``."""
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def _problem(name: str, value: object) -> str:
    """Say what a value should have been, nothing if it is right."""
    choices = {"client_token": ("honour", "ignore"), "client_token_expiry": ("refuse", "forget")}
    if name in choices:
        return "" if value in choices[name] else " or ".join(choices[name])
    if name in {"server_ids", "access_key_lock"}:
        return "" if isinstance(value, bool) else "true or false"
    if name == "max_microversion":
        return "" if isinstance(value, str) and _MICROVERSION.fullmatch(value) and value != "2.0" else 'a microversion such as "2.60"'
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
    return "" if number else "a number of seconds from 0 on"
