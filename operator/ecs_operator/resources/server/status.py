"""Folds what was observed of a server into the status. Pure: the same observation gives the same status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecs_operator.api.server import Address, Fault, ServerSpec, ServerStatus, Volume
from ecs_operator.cloud import Address as SeenAddress
from ecs_operator.cloud import Server

POWER_STATES: Mapping[int, str] = {0: "Pending", 1: "Running", 2: "Paused", 3: "Shutdown", 4: "Crashed"}
"""OS-EXT-STS:power_state (ECS API reference 6.2.6)."""


def fold(status: ServerStatus, server: Server, *, spec: ServerSpec, ports: Mapping[str, str] | None = None) -> ServerStatus:
    """The status with everything the server shows. ``ports``: port ids by MAC address, where they were read just now.

    What a row lacks (port ids, devices, sizes) is kept from before as long as the thing it belongs to is there.
    """
    addresses = _addresses(server.addresses, before=status.addresses, ports=ports or {})
    return glimpse(status, server).model_copy(
        update={
            "addresses": addresses,
            "private_ip": _first(server, "fixed", before=status.private_ip, wanted=_wanted_ip(spec)),
            "public_ip": _first(server, "floating", before=status.public_ip, wanted=None),
            "volumes": _volumes(server, before=status.volumes),
            "flavor": server.flavor_id or status.flavor,
            "image_id": server.image_id or status.image_id,
            "availability_zone": server.availability_zone or status.availability_zone,
            "locked": server.locked,
        }
    )


def glimpse(status: ServerStatus, server: Server) -> ServerStatus:
    """The states alone, of a server that is still being built or already being deleted."""
    return status.model_copy(
        update={
            "id": server.id,
            "server_status": server.status or None,
            "vm_state": server.vm_state or None,
            "task_state": server.task_state or None,
            "power_state": POWER_STATES.get(server.power_state),
            "fault": Fault(code=server.fault.code, message=server.fault.message) if server.fault else None,
        }
    )


def vanished(status: ServerStatus) -> ServerStatus:
    """The server is not there any more: what was seen of it no longer holds; the ids stay, people need them."""
    gone = ("server_status", "vm_state", "task_state", "power_state", "private_ip", "public_ip", "locked", "fault")
    return status.model_copy(update={**dict.fromkeys(gone), "addresses": (), "drift": ()})


def lacks_details(status: ServerStatus, server: Server) -> bool:
    """The server has disks or interfaces of which the status does not know everything: they are read once, not every time."""
    known_volumes = {volume.id for volume in status.volumes}
    known_macs = {address.mac for address in status.addresses}
    return any(each.id not in known_volumes for each in server.volumes) or any(
        each.mac and each.mac not in known_macs for each in server.addresses
    )


def _wanted_ip(spec: ServerSpec) -> str | None:
    return spec.network_interfaces[0].ip_address


def _first(server: Server, kind: str, *, before: str | None, wanted: str | None) -> str | None:
    """One address of a kind. It stays the same as long as the server has it, whatever the order of the row."""
    ips = [each.ip for each in server.addresses if (each.type or "fixed") == kind]
    for preferred in (wanted, before):
        if preferred in ips:
            return preferred
    return ips[0] if ips else None


def _addresses(seen: Sequence[SeenAddress], *, before: Sequence[Address], ports: Mapping[str, str]) -> tuple[Address, ...]:
    known = {each.mac: each.port_id for each in before if each.mac and each.port_id}
    folded = [
        Address(
            network=each.network,
            ip=each.ip,
            mac=each.mac or None,
            type="floating" if each.type == "floating" else "fixed" if each.type == "fixed" else None,
            version=each.version if each.version in {4, 6} else None,
            port_id=each.port_id or ports.get(each.mac) or known.get(each.mac),
        )
        for each in seen
    ]
    return tuple(sorted(folded, key=lambda each: (each.network, each.version or 0, each.type or "", each.ip)))


def _volumes(server: Server, *, before: Sequence[Volume]) -> tuple[Volume, ...]:
    known = {each.id: each for each in before}
    folded = []
    for each in server.volumes:
        old = known.get(each.id)
        folded.append(
            Volume(
                id=each.id,
                device=each.device or (old.device if old else None),
                boot_index=each.boot_index if each.boot_index is not None else old.boot_index if old else None,
                size_gib=each.size if each.size is not None else old.size_gib if old else None,
                delete_with_server=old.delete_with_server if old else None,
            )
        )
    return tuple(sorted(folded, key=_by_device))


def _by_device(volume: Volume) -> tuple[bool, int, str, str]:
    device = volume.device or "~"
    return (volume.boot_index != 0, len(device), device, volume.id)
