"""ECS API reference 6.7: interfaces of a server."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import ApiError, Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, nova
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import interfaces, visibility
from ecs_simulator.world.interfaces import InterfaceWish
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Absent, Refusal, invalid
from ecs_simulator.world.resources import Port, Server

_PATH = "/v2.1/{project_id}/servers/{server_id}/os-interface"
_PORT = f"{_PATH}/{{port_id}}"


def list_interfaces(call: Call) -> Reply:
    """6.7.1."""
    server = _shown(call)
    return Reply(200, {"interfaceAttachments": [_row(call.project, server, port) for port in interfaces.of_server(call.project, server)]})


def show_interface(call: Call) -> Reply:
    """6.7.2."""
    server, port_id = _shown(call), call.path["port_id"]
    port = next((each for each in interfaces.of_server(call.project, server) if each.id == port_id), None)
    if port is None:
        raise Absent("port", port_id, code="Ecs.0085")
    return Reply(200, {"interfaceAttachment": _row(call.project, server, port)})


def attach_interface(call: Call) -> Reply:
    """6.7.3, at once. The port is not up yet when the call is answered, as in the example."""
    wanted = Fields.of(call.body, "interfaceAttachment")
    network_id, port_id, address = wanted.text("net_id"), wanted.text("port_id"), _address(wanted)
    if network_id is not None and port_id is not None:
        raise wanted.bad("net_id", "and port_id exclude each other")
    if wanted.has("fixed_ips") and network_id is None:
        raise wanted.bad("fixed_ips", "goes together with net_id only")
    _shown(call)
    server, cause = call.project.server(call.path["server_id"]), cause_of(call)
    try:
        if port_id is not None:
            port = interfaces.attach_port(call.world, call.project, server, port_id, cause=cause)
        else:
            wish = InterfaceWish(network_id=network_id or _only_network(call.project, server), address=address)
            _require_network(call.project, wish.network_id)
            port = interfaces.attach(call.world, call.project, server, wish, cause=cause)
    except Refusal as refusal:
        if refusal.code == "Ecs.0010":
            raise ApiError(409, refusal.code, refusal.message, nova=True) from None
        raise
    return Reply(200, {"interfaceAttachment": {**_row(call.project, server, port), "port_state": "DOWN"}})


def detach_interface(call: Call) -> Reply:
    """6.7.4, at once."""
    _shown(call)
    interfaces.detach(call.world, call.project, call.project.server(call.path["server_id"]), call.path["port_id"], cause=cause_of(call))
    return Reply(202)


def _shown(call: Call) -> Server:
    return visibility.shown(call.world, call.project, call.path["server_id"])


def _address(wanted: Fields) -> str | None:
    addresses = wanted.parts("fixed_ips")
    if wanted.has("fixed_ips") and len(addresses) != 1:
        raise wanted.bad("fixed_ips", "takes one address, no more and no less")
    return addresses[0].text("ip_address") if addresses else None


def _only_network(project: Project, server: Server) -> str:
    """Return the network that is meant when none is named."""
    possible = [network.id for network in project.networks.values() if network.vpc_id == server.vpc_id]
    if len(possible) != 1:
        raise invalid("Multiple possible networks found, use a Network ID to be more specific.")
    return possible[0]


def _require_network(project: Project, network_id: str) -> None:
    if network_id not in project.networks:
        raise Absent("network", network_id, code="Ecs.0038")


def _row(project: Project, server: Server, port: Port) -> dict[str, Any]:
    network = project.networks[port.network_id]
    return {
        "port_state": "ACTIVE" if server.vm_state == "active" and not port.attaching else "DOWN",
        "fixed_ips": [{"subnet_id": network.subnet_id, "ip_address": port.address}],
        "net_id": network.id,
        "port_id": port.id,
        "mac_addr": port.mac,
    }


OPERATIONS = (
    Operation("6.7.1", "listInterfaces", "GET", _PATH, nova(list_interfaces)),
    Operation("6.7.2", "showInterface", "GET", _PORT, nova(show_interface)),
    Operation("6.7.3", "attachInterface", "POST", _PATH, nova(attach_interface)),
    Operation("6.7.4", "detachInterface", "DELETE", _PORT, nova(detach_interface)),
)
