"""Links in answers. They name the host under which the client reached the server."""

from __future__ import annotations

from ecs_simulator.auth.identity import base_url
from ecs_simulator.call import Call


def root(call: Call) -> str:
    """Return the URL of the endpoint."""
    return base_url(call.headers)


def native(call: Call) -> str:
    """Return the URL of the native API for the call's project, in the version it was called with."""
    return f"{root(call)}/{_version(call)}/{call.project.id}"


def bookmark(call: Call) -> str:
    """Return the URL without a version, for permanent links."""
    return f"{root(call)}/{call.project.id}"


def pair(call: Call, path: str) -> list[dict[str, str]]:
    """Return the self and bookmark links of a resource."""
    base, rest = root(call), f"{call.project.id}/{path}"
    return [{"rel": "self", "href": f"{base}/{_version(call)}/{rest}"}, {"rel": "bookmark", "href": f"{base}/{rest}"}]


def _version(call: Call) -> str:
    return "v2.1" if call.microversion is not None else "v2"
