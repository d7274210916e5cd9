"""What existing programs call and the reference does not have: other paths of its operations, and lists of servers in the words of 8.2.

The vendor's SDK knows some operations only by paths under /v1 and /v1.1; programs for Nova ask for zones and for single networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import wraps
from itertools import chain
from types import MappingProxyType
from typing import Any

from ecs_simulator.call import ApiError, Call, Handler, Operation, Reply
from ecs_simulator.routes import ecs, history, nova, queries, server_filters, server_rows
from ecs_simulator.routes.answering import nova as answer_as_nova
from ecs_simulator.routes.answering import until
from ecs_simulator.routes.nova import networks
from ecs_simulator.world import visibility
from ecs_simulator.world.refusal import Absent
from ecs_simulator.world.resources import Port, Server, Volume

_V1, _V11 = "/v1/{project_id}/cloudservers", "/v1.1/{project_id}/cloudservers"
_SERVER = f"{_V1}/{{server_id}}"
_ZONES = "/v2.1/{project_id}/os-availability-zone"
# As far as the operations under /v1 go: descriptions and tags, and flavors by their ids.
_MICROVERSION = (2, 26)
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "createServers": _V11,
        "resizeServer": f"{_V11}/{{server_id}}/resize",
        "createServerTags": f"{_SERVER}/tags/action",
        "deleteServerTags": f"{_SERVER}/tags/action",
        "showServerTags": f"{_SERVER}/tags",
        "listProjectTags": f"{_V1}/tags",
        "filterServersByTag": f"{_V1}/resource_instances/action",
        "countServersByTag": f"{_V1}/resource_instances/action",
        "listBlockDevices": f"{_SERVER}/block_device",
        "showBlockDevice": f"{_SERVER}/block_device/{{volume_id}}",
    }
)
NATIVE_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "updateServer": _SERVER,
        "updateServerMetadata": f"{_SERVER}/metadata",
        "deleteServerMetadataItem": f"{_SERVER}/metadata/{{key}}",
        "listInterfaces": f"{_SERVER}/os-interface",
        "listVolumeAttachments": f"{_SERVER}/os-volume_attachments",
        "showServerPassword": f"{_SERVER}/os-server-password",
        "clearServerPassword": f"{_SERVER}/os-server-password",
    }
)


def list_servers(call: Call) -> Reply:
    """Servers by the filters of 6.2.5, in numbered pages; ``count`` is how many there are on all of them."""
    servers = server_filters.select(call)
    limit = min(queries.whole(call, "limit", queries.DEFAULT_LIMIT), queries.MAX_LIMIT)
    start = (max(1, queries.whole(call, "offset", 1)) - 1) * limit
    rows = [_row(call, server) for server in servers[start : start + limit]]
    return Reply(200, {"count": len(servers), "servers": rows})


def show_server(call: Call) -> Reply:
    """One server."""
    server = visibility.shown(call.world, call.project, call.path["server_id"])
    return Reply(200, {"server": _row(call, server)})


def list_zones(call: Call) -> Reply:
    """The zones, as Nova lists them."""
    rows = [{"zoneName": zone, "zoneState": {"available": True}, "hosts": None} for zone in call.world.zones]
    return Reply(200, {"availabilityZoneInfo": rows})


def refuse_details_of_zones(_: Call) -> Reply:
    """Hosts are nothing for users, as in Nova."""
    raise ApiError(403, "Ecs.0110", "Policy doesn't allow os_compute_api:os-availability-zone:detail to be performed.", nova=True)


def show_network(call: Call) -> Reply:
    """One network, as 6.4.1 lists it; the command line of OpenStack looks networks up by this."""
    wanted = call.path["network_id"]
    listed: dict[str, Any] = networks.list_networks(call).body or {}
    row = next((row for row in listed["networks"] if row["id"] == wanted), None)
    if row is None:
        raise Absent("network", wanted, code="Ecs.0038")
    return Reply(200, {"network": row})


def _row(call: Call, server: Server) -> dict[str, Any]:
    """Return a server as tables 8-13 to 8-19 have it: numbers are texts, and more is told about addresses and disks."""
    project, flavor = call.project, call.world.flavors[server.flavor_id]
    row = server_rows.detailed(call, server)
    ports = {port.mac: port for port_id in server.port_ids if (port := project.ports.get(port_id)) is not None}
    volumes = [volume for volume_id in server.volume_ids if (volume := project.volumes.get(volume_id)) is not None]
    groups = [project.security_groups[group_id] for group_id in server.security_group_ids if group_id in project.security_groups]
    return {
        **row,
        "addresses": {name: [_address(address, ports) for address in addresses] for name, addresses in row["addresses"].items()},
        "flavor": {"id": flavor.id, "name": flavor.id, "disk": "0", "vcpus": str(flavor.vcpus), "ram": str(flavor.ram)},
        "image": {"id": server.image_id} if server.image_id else "",
        "security_groups": [{"id": group.id, "name": group.name} for group in groups],
        "os-extended-volumes:volumes_attached": [_volume(volume) for volume in volumes],
        "os:scheduler_hints": {**server.hints, **({"group": [server.group_id]} if server.group_id is not None else {})},
        "host_status": "UP" if server.host else "",
        "sys_tags": [],
    }


def _address(address: Mapping[str, Any], ports: Mapping[str, Port]) -> dict[str, Any]:
    port = ports.get(address["OS-EXT-IPS-MAC:mac_addr"])
    return {**address, "version": str(address["version"]), "OS-EXT-IPS:port_id": port.id if port is not None else None}


def _volume(volume: Volume) -> dict[str, Any]:
    place = volume.attachment
    if place is None:
        return {"id": volume.id}
    return {
        "id": volume.id,
        "delete_on_termination": str(place.delete_on_termination).lower(),
        "bootIndex": str(place.boot_index),
        "device": place.device,
    }


def _in_words_of_ecs(handler: Handler) -> Handler:
    """Wrap a native handler for a path of /v1: the native microversion that fits, and refusals in the shape of chapter 5."""

    @wraps(handler)
    def answer(call: Call) -> Reply:
        try:
            return handler(replace(call, microversion=_MICROVERSION))
        except ApiError as error:
            raise ApiError(error.status, error.code, error.message, error.details) from None

    return answer


def _aliases() -> tuple[Operation, ...]:
    known = {operation.name: operation for operation in chain(ecs.OPERATIONS, nova.OPERATIONS, history.OPERATIONS)}
    same = [replace(known[name], path=path, also=()) for name, path in ALIASES.items()]
    native = [
        replace(known[name], path=path, also=(), handler=_in_words_of_ecs(known[name].handler)) for name, path in NATIVE_ALIASES.items()
    ]
    return (*same, *native)


OPERATIONS = (
    *_aliases(),
    Operation("8.2", "listServersInWords", "GET", f"{_V1}/detail", _in_words_of_ecs(answer_as_nova(list_servers))),
    Operation("8.2", "showServerInWords", "GET", _SERVER, _in_words_of_ecs(answer_as_nova(show_server))),
    Operation("8.2", "listZones", "GET", _ZONES, answer_as_nova(list_zones)),
    Operation("6.4", "showNetwork", "GET", "/v2.1/{project_id}/os-networks/{network_id}", until((2, 35), show_network)),
    Operation("8.2", "listZonesDetails", "GET", f"{_ZONES}/detail", answer_as_nova(refuse_details_of_zones)),
)
