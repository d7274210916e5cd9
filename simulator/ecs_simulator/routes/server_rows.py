"""A server as the native API shows it, field by field and by microversion (ECS API reference, tables 6-38 and 6-49)."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

from ecs_simulator.call import Call
from ecs_simulator.routes import links, stamps
from ecs_simulator.routes.answering import since
from ecs_simulator.world.resources import Server


def brief(call: Call, server: Server) -> dict[str, Any]:
    """Return a row of 6.2.4."""
    return {"id": server.id, "name": server.name, "links": links.pair(call, f"servers/{server.id}")}


def updated(call: Call, server: Server) -> dict[str, Any]:
    """Return the answer of 6.2.2, which has fewer fields than 6.2.6."""
    row = _common(call, server)
    addresses = {name: [{"addr": each["addr"], "version": each["version"]} for each in rows] for name, rows in row["addresses"].items()}
    return {**row, "addresses": addresses}


def detailed(call: Call, server: Server) -> dict[str, Any]:
    """Return the row of 6.2.5 and 6.2.6."""
    row = _common(call, server)
    project = call.project
    groups = [project.security_groups[group_id].name for group_id in server.security_group_ids if group_id in project.security_groups]
    row |= {
        "key_name": server.key_name,
        "config_drive": "",
        "security_groups": [{"name": name} for name in groups],
        "OS-EXT-AZ:availability_zone": server.zone,
        "OS-EXT-SRV-ATTR:host": server.host,
        "OS-EXT-SRV-ATTR:hypervisor_hostname": server.host,
        "OS-EXT-SRV-ATTR:instance_name": f"instance-{server.id[:8]}",
        "OS-EXT-STS:power_state": server.power_state,
        "OS-EXT-STS:task_state": server.task_state,
        "OS-EXT-STS:vm_state": server.vm_state,
        "OS-SRV-USG:launched_at": stamps.microseconds(server.launched) if server.launched is not None else None,
        "OS-SRV-USG:terminated_at": stamps.microseconds(server.terminated) if server.terminated is not None else None,
        "os-extended-volumes:volumes_attached": _volumes(call, server),
    }
    if server.hints:
        row["os:scheduler_hints"] = server.hints
    if server.fault is not None and server.status == "ERROR":
        row["fault"] = {"code": server.fault.code, "created": stamps.seconds(server.fault.created), "message": server.fault.message}
    if since(call, 3):
        row |= {
            "OS-EXT-SRV-ATTR:hostname": server.name.lower().replace("_", "-").replace(".", "-"),
            "OS-EXT-SRV-ATTR:reservation_id": server.reservation_id,
            "OS-EXT-SRV-ATTR:launch_index": server.launch_index,
            "OS-EXT-SRV-ATTR:kernel_id": "",
            "OS-EXT-SRV-ATTR:ramdisk_id": "",
            "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
            "OS-EXT-SRV-ATTR:user_data": server.user_data,
        }
    if since(call, 16):
        row["host_status"] = "UP" if server.host else ""
    return row


def addresses(call: Call, server: Server) -> dict[str, list[dict[str, Any]]]:
    """Return addresses by network name; networks of one VPC share its name."""
    project = call.project
    found: dict[str, list[dict[str, Any]]] = {}
    for port_id in server.port_ids:
        port = project.ports.get(port_id)
        if port is not None:
            rows = found.setdefault(project.networks[port.network_id].vpc_id, [])
            rows.append(_address(port.address, port.mac, "fixed"))
    for floating_ip_id in server.floating_ip_ids:
        floating = project.floating_ips.get(floating_ip_id)
        port = project.ports.get(floating.port_id or "") if floating is not None else None
        if floating is not None and port is not None:
            found[project.networks[port.network_id].vpc_id].append(_address(floating.address, port.mac, "floating"))
    return found


def _address(address: str, mac: str, kind: str) -> dict[str, Any]:
    return {"addr": address, "version": 4, "OS-EXT-IPS-MAC:mac_addr": mac, "OS-EXT-IPS:type": kind}


def _common(call: Call, server: Server) -> dict[str, Any]:
    row = {
        "id": server.id,
        "name": server.name,
        "status": server.status,
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "metadata": dict(server.metadata),
        "hostId": _host_id(server.project_id, server.host),
        "image": _image(call, server),
        "flavor": _flavor(call, server),
        "created": stamps.seconds(server.created),
        "updated": stamps.seconds(server.updated),
        "addresses": addresses(call, server),
        "accessIPv4": "",
        "accessIPv6": "",
        "links": links.pair(call, f"servers/{server.id}"),
        "OS-DCF:diskConfig": "MANUAL",
        "progress": 0,
    }
    if since(call, 9):
        row["locked"] = server.locked
    if since(call, 19):
        row["description"] = server.description
    if since(call, 26):
        row["tags"] = list(server.tags)
    return row


@lru_cache(maxsize=1024)
def _host_id(project_id: str, host: str) -> str:
    """Return the id of a host as a project sees it: the same for all its servers there, another for every other project."""
    return hashlib.sha224(f"{project_id}{host}".encode()).hexdigest() if host else ""


def _image(call: Call, server: Server) -> dict[str, Any] | str:
    """Return what runs on a server; nothing is known about a system disk that came of no image."""
    if not server.image_id:
        return ""
    return {"id": server.image_id, "links": [{"rel": "bookmark", "href": f"{links.bookmark(call)}/images/{server.image_id}"}]}


def _flavor(call: Call, server: Server) -> dict[str, Any]:
    if not since(call, 47):
        return {"id": server.flavor_id, "links": [{"rel": "bookmark", "href": f"{links.bookmark(call)}/flavors/{server.flavor_id}"}]}
    flavor = call.world.flavors[server.flavor_id]
    return {
        "original_name": flavor.id,
        "vcpus": flavor.vcpus,
        "ram": flavor.ram,
        "disk": 0,
        "ephemeral": 0,
        "swap": 0,
        "extra_specs": flavor.extra_specs(call.world.zones),
    }


def _volumes(call: Call, server: Server) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for volume_id in server.volume_ids:
        volume = call.project.volumes.get(volume_id)
        if volume is None:
            continue
        row: dict[str, Any] = {"id": volume.id}
        if since(call, 3):
            row["delete_on_termination"] = volume.attachment is not None and volume.attachment.delete_on_termination
        rows.append(row)
    return rows
