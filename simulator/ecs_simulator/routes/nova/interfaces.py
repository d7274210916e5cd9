"""ECS API reference 6.7: interfaces of a server."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import nova
from ecs_simulator.world import visibility
from ecs_simulator.world.project import Project
from ecs_simulator.world.resources import Port, Server


def list_interfaces(call: Call) -> Reply:
    """6.7.1."""
    project = call.project
    server = visibility.shown(call.world, project, call.path["server_id"])
    ports = [project.ports[port_id] for port_id in server.port_ids if port_id in project.ports]
    return Reply(200, {"interfaceAttachments": [_row(project, server, port) for port in ports]})


def _row(project: Project, server: Server, port: Port) -> dict[str, Any]:
    network = project.networks[port.network_id]
    return {
        "port_state": "ACTIVE" if server.vm_state == "active" else "DOWN",
        "fixed_ips": [{"subnet_id": network.subnet_id, "ip_address": port.address}],
        "net_id": network.id,
        "port_id": port.id,
        "mac_addr": port.mac,
    }


OPERATIONS = (Operation("6.7.1", "listInterfaces", "GET", "/v2.1/{project_id}/servers/{server_id}/os-interface", nova(list_interfaces)),)
