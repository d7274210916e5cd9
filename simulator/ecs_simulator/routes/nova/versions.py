"""ECS API reference 6.1: the versions of the API. Open to everybody; there is no project here."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import ApiError, Call, Operation, Reply
from ecs_simulator.routes import links
from ecs_simulator.routes.answering import nova


def list_versions(call: Call) -> Reply:
    """6.1.1."""
    return Reply(200, {"versions": [_version(call, "v2"), _version(call, "v2.1")]})


def show_version(call: Call) -> Reply:
    """6.1.2."""
    name = call.path["api_version"]
    if name not in {"v2", "v2.0", "v2.1"}:
        raise ApiError(404, "Ecs.0005", "The resource could not be found.", nova=True)
    row = _version(call, "v2.1" if name == "v2.1" else "v2")
    media = f"application/vnd.openstack.compute+json;version={row['id'].removeprefix('v')}"
    row["media-types"] = [{"base": "application/json", "type": media}]
    row["links"].append({"rel": "describedby", "href": "http://docs.openstack.org/", "type": "text/html"})
    return Reply(200, {"version": row})


def _version(call: Call, name: str) -> dict[str, Any]:
    current = name == "v2.1"
    return {
        "id": "v2.1" if current else "v2.0",
        "status": "CURRENT" if current else "SUPPORTED",
        "min_version": "2.1" if current else "",
        "version": call.world.behaviour.max_microversion if current else "",
        "updated": "2013-07-23T11:33:21Z" if current else "2011-01-21T11:33:21Z",
        "links": [{"rel": "self", "href": f"{links.root(call)}/{name}/"}],
    }


OPERATIONS = (
    Operation("6.1.1", "listVersions", "GET", "/", nova(list_versions)),
    Operation("6.1.2", "showVersion", "GET", "/{api_version}", nova(show_version)),
)
