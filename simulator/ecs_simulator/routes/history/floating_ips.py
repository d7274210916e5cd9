"""ECS API reference 11.5: floating IPs. Nova took 11.5.1 and 11.5.2 away with microversion 2.44, the others after 2.35."""

from __future__ import annotations

import ipaddress
from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, until
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import floating_addresses, visibility
from ecs_simulator.world.project import Project
from ecs_simulator.world.resources import FloatingIp, Server

_ROOT = "/v2.1/{project_id}"
_ACTION = f"{_ROOT}/servers/{{server_id}}/action"
_ADDRESSES = f"{_ROOT}/os-floating-ips"
_ADDRESS = f"{_ADDRESSES}/{{floating_ip_id}}"
_LAST_ACTION = (2, 43)
_LAST = (2, 35)


def associate(call: Call) -> Reply:
    """11.5.1, at once."""
    server, wanted = _server(call), Fields.of(call.body, "addFloatingIp")
    address = _need_address(wanted)
    fixed = _address(wanted, "fixed_address")
    floating = floating_addresses.find_by_address(call.project, address)
    floating_addresses.associate(call.world, call.project, server, floating, fixed_address=fixed, cause=cause_of(call))
    return Reply(202)


def disassociate(call: Call) -> Reply:
    """11.5.2, at once."""
    server, wanted = _server(call), Fields.of(call.body, "removeFloatingIp")
    floating = floating_addresses.find_by_address(call.project, _need_address(wanted))
    floating_addresses.disassociate(call.world, call.project, server, floating, cause=cause_of(call))
    return Reply(202)


def create_address(call: Call) -> Reply:
    """11.5.3."""
    pool = Fields(call.body if isinstance(call.body, dict) else {}).text("pool")
    floating = floating_addresses.allocate(call.world, call.project, pool, cause=cause_of(call))
    return Reply(200, {"floating_ip": _row(call.project, floating)})


def list_addresses(call: Call) -> Reply:
    """11.5.4."""
    return Reply(200, {"floating_ips": [_row(call.project, floating) for floating in call.project.floating_ips.values()]})


def show_address(call: Call) -> Reply:
    """11.5.5."""
    return Reply(200, {"floating_ip": _row(call.project, _floating(call))})


def delete_address(call: Call) -> Reply:
    """11.5.6. As in Nova, an address that is bound is taken off first."""
    floating_addresses.delete(call.world, call.project, _floating(call), cause=cause_of(call))
    return Reply(202)


def list_pools(_: Call) -> Reply:
    """11.5.7."""
    return Reply(200, {"floating_ip_pools": [{"name": name} for name in floating_addresses.POOLS]})


def _server(call: Call) -> Server:
    visibility.shown(call.world, call.project, call.path["server_id"])
    return call.project.server(call.path["server_id"])


def _floating(call: Call) -> FloatingIp:
    return floating_addresses.find(call.project, call.path["floating_ip_id"])


def _need_address(wanted: Fields) -> str:
    address = _address(wanted, "address")
    if address is None:
        raise wanted.bad("address", "is missing")
    return address


def _address(wanted: Fields, name: str) -> str | None:
    text = wanted.text(name)
    if text is None:
        return None
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise wanted.bad(name, "is not an IPv4 address") from None


def _row(project: Project, floating: FloatingIp) -> dict[str, Any]:
    port = project.ports.get(floating.port_id or "")
    return {
        "id": floating.id,
        "pool": floating.pool,
        "ip": floating.address,
        "fixed_ip": port.address if port is not None else None,
        "instance_id": floating.server_id,
    }


OPERATIONS = (
    Operation("11.5.1", "addFloatingIp", "POST", _ACTION, until(_LAST_ACTION, associate), "addFloatingIp"),
    Operation("11.5.2", "removeFloatingIp", "POST", _ACTION, until(_LAST_ACTION, disassociate), "removeFloatingIp"),
    Operation("11.5.3", "createFloatingIp", "POST", _ADDRESSES, until(_LAST, create_address)),
    Operation("11.5.4", "listFloatingIps", "GET", _ADDRESSES, until(_LAST, list_addresses)),
    Operation("11.5.5", "showFloatingIp", "GET", _ADDRESS, until(_LAST, show_address)),
    Operation("11.5.6", "deleteFloatingIp", "DELETE", _ADDRESS, until(_LAST, delete_address)),
    Operation("11.5.7", "listFloatingIpPools", "GET", f"{_ROOT}/os-floating-ip-pools", until(_LAST, list_pools)),
)
