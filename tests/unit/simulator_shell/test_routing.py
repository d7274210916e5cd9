"""Paths to operations."""

from __future__ import annotations

import pytest

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routing import BadPathError, Router, choose, decode_segments


def answer(_: Call) -> Reply:
    return Reply(200)


def operation(name: str, method: str, path: str, action: str | None = None, selector: str | None = None) -> Operation:
    return Operation(section="0", name=name, method=method, path=path, handler=answer, action=action, selector=selector)


ROUTER = Router(
    (
        operation("versions", "GET", "/"),
        operation("version", "GET", "/{api_version}"),
        operation("create", "POST", "/v1/{project_id}/cloudservers"),
        operation("flavors", "GET", "/v1/{project_id}/cloudservers/flavors"),
        operation("show", "GET", "/v1/{project_id}/cloudservers/{server_id}"),
        operation("start", "POST", "/v1/{project_id}/cloudservers/action", "os-start"),
        operation("stop", "POST", "/v1/{project_id}/cloudservers/action", "os-stop"),
        operation("filter", "POST", "/v1/{project_id}/servers/resource_instances/action", "filter", "action"),
        operation("count", "POST", "/v1/{project_id}/servers/resource_instances/action", "count", "action"),
        operation("list", "GET", "/v2.1/{project_id}/servers"),
        operation("devices", "GET", "/v2.1/servers/{server_id}/block_device"),
        operation("reinstall", "POST", "/v2/{project_id}/cloudservers/{server_id}/reinstallos"),
        operation("quota", "GET", "/v2.1/{project_id}/os-quota-sets/{project_id}"),
    )
)


def find(method: str, path: str, body: object = None) -> tuple[str, dict[str, str]] | None:
    match = ROUTER.find(decode_segments(path))
    if match is None or method not in match.methods:
        return None
    route = choose(match.methods[method], body)
    return None if route is None else (route.operation.name, dict(zip(route.names, match.values, strict=True)))


@pytest.mark.parametrize(
    ("method", "path", "body", "name", "values"),
    [
        ("GET", "/", None, "versions", {}),
        ("GET", "/v2.1/", None, "version", {"api_version": "v2.1"}),
        ("POST", "/v1/p/cloudservers", {}, "create", {"project_id": "p"}),
        ("GET", "/v1/p/cloudservers/flavors", None, "flavors", {"project_id": "p"}),
        ("GET", "/v1/p/cloudservers/x", None, "show", {"project_id": "p", "server_id": "x"}),
        ("POST", "/v1/p/cloudservers/action", {"os-stop": {}}, "stop", {"project_id": "p"}),
        ("POST", "/v1/p/cloudservers/action", {"os-start": None}, "start", {"project_id": "p"}),
        ("POST", "/v1/p/servers/resource_instances/action", {"action": "count"}, "count", {"project_id": "p"}),
        ("POST", "/v1/p/servers/resource_instances/action", {"count": {}, "action": "filter"}, "filter", {"project_id": "p"}),
        ("GET", "/v2.1/p/servers", None, "list", {"project_id": "p"}),
        ("GET", "/v2/p/servers", None, "list", {"project_id": "p"}),
        ("GET", "/v2/servers/s/block_device", None, "devices", {"server_id": "s"}),
        ("POST", "/v2/p/cloudservers/s/reinstallos", {}, "reinstall", {"project_id": "p", "server_id": "s"}),
        ("GET", "/v2.1/p/os-quota-sets/q", None, "quota", {"project_id": "p", "project_id_2": "q"}),
        ("GET", "/v1/p/cloudservers/a%2Fb", None, "show", {"project_id": "p", "server_id": "a/b"}),
        ("GET", "/v1/p/cloudservers/%7B%7D", None, "show", {"project_id": "p", "server_id": "{}"}),
    ],
)
def test_found(method: str, path: str, body: object, name: str, values: dict[str, str]) -> None:
    assert find(method, path, body) == (name, values)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/", {}),
        ("GET", "/v1/p", None),
        ("GET", "/v1//cloudservers/x", None),
        ("DELETE", "/v1/p/cloudservers", None),
        ("POST", "/v1/p/cloudservers/action", {"os-fly": {}}),
        ("POST", "/v1/p/cloudservers/action", None),
        ("POST", "/v1/p/cloudservers/action", {"action": "os-start"}),
        ("POST", "/v1/p/servers/resource_instances/action", {"count": {}}),
        ("POST", "/v1/p/servers/resource_instances/action", {"action": "COUNT"}),
        ("POST", "/v1/p/servers/resource_instances/action", {"action": ["count"]}),
        ("POST", "/v1/p/cloudservers/s/reinstallos", {}),
    ],
)
def test_not_found(method: str, path: str, body: object) -> None:
    assert find(method, path, body) is None


def test_a_path_that_is_no_utf8() -> None:
    with pytest.raises(BadPathError):
        decode_segments("/v1/%ff")
