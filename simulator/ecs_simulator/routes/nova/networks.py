"""ECS API reference 6.4: networks and addresses."""

from __future__ import annotations

from ecs_simulator.call import ApiError, Call, Operation, Reply
from ecs_simulator.routes import server_rows
from ecs_simulator.routes.answering import nova, until
from ecs_simulator.world import visibility

_ROOT = "/v2.1/{project_id}"
_IPS = f"{_ROOT}/servers/{{server_id}}/ips"
_NULL = ("broadcast", "cidr", "cidr_v6", "dns1", "dns2", "gateway", "gateway_v6", "netmask", "netmask_v6", "bridge")


def list_networks(call: Call) -> Reply:
    """6.4.1: only id and label, all else is null. The label is the network's name: that of its VPC."""
    networks = call.project.networks.values()
    return Reply(200, {"networks": [{"id": each.id, "label": each.vpc_id, **dict.fromkeys(_NULL)} for each in networks]})


def list_addresses(call: Call) -> Reply:
    """6.4.2."""
    return Reply(200, {"addresses": _addresses(call)})


def show_addresses(call: Call) -> Reply:
    """6.4.3."""
    name = call.path["networkName"]
    found = _addresses(call)
    if name not in found:
        raise ApiError(404, "Ecs.0005", f"Network name {name} not found.", nova=True)
    return Reply(200, {name: found[name]})


def _addresses(call: Call) -> dict[str, list[dict[str, object]]]:
    server = visibility.shown(call.world, call.project, call.path["server_id"])
    found = server_rows.addresses(call, server)
    return {name: [{"version": row["version"], "addr": row["addr"]} for row in rows] for name, rows in found.items()}


OPERATIONS = (
    Operation("6.4.1", "listNetworks", "GET", f"{_ROOT}/os-networks", until((2, 35), list_networks)),
    Operation("6.4.2", "listServerAddresses", "GET", _IPS, nova(list_addresses)),
    Operation("6.4.3", "showServerAddresses", "GET", f"{_IPS}/{{networkName}}", nova(show_addresses)),
)
