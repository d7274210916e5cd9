"""The network interfaces of a server: which of them are the spec's, and what the spec wants of them that the server does not have. Pure.

The cloud knows no names of interfaces. Which port is which is recorded (``status.applied.interfaces``); a port that is not in the record
was added by somebody else, and is left alone whatever the spec says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ecs_operator.api.server import AppliedInterface, NetworkInterface, ServerSpec, ServerStatus
from ecs_operator.cloud import Interface
from ecs_operator.resources.server.deeds import AddInterface, RemoveInterface


def ports_by_mac(seen: Iterable[Interface]) -> dict[str, str]:
    """Port ids by MAC address, which is what a server's row shows of its interfaces."""
    return {each.mac_addr: each.port_id for each in seen if each.mac_addr and each.port_id}


def requested(spec: ServerSpec) -> tuple[AppliedInterface, ...]:
    """The interfaces a server is created with; their ports are learned when it is there."""
    return tuple(as_applied(each) for each in spec.network_interfaces)


def as_applied(wanted: NetworkInterface) -> AppliedInterface:
    """An interface of the spec, as the record shows it."""
    return AppliedInterface(name=wanted.name, subnet_id=wanted.subnet_id, ip_address=wanted.ip_address, mtu=wanted.mtu)


def located(recorded: Sequence[AppliedInterface], seen: Sequence[Interface]) -> tuple[AppliedInterface, ...]:
    """The record with the ports of a server that was just made: by address where one was asked for, else by subnet, in their order.

    The first interface is the primary one, on both sides, whatever subnet the cloud shows for it.
    """
    ports: dict[str, str] = {each.name: each.port_id for each in recorded if each.port_id is not None}
    free = [each for each in seen if each.port_id not in ports.values()]
    for by_address in (True, False):
        for each in recorded:
            if each.lost or each.name in ports or by_address is not (each.ip_address is not None):
                continue
            port = next((port for port in free if is_like(port, subnet_id=each.subnet_id, ip_address=each.ip_address)), None)
            if port is not None:
                free.remove(port)
                ports[each.name] = port.port_id
    if recorded and recorded[0].name not in ports and free:
        ports[recorded[0].name] = free[0].port_id
    return tuple(each.model_copy(update={"port_id": ports.get(each.name)}) for each in recorded)


def without_gone(
    recorded: Sequence[AppliedInterface], seen: Sequence[Interface], *, wanted: Collection[str]
) -> tuple[AppliedInterface, ...]:
    """The record without interfaces that somebody else removed. An answer that does not even show the primary one proves nothing.

    One of the ``wanted`` names that had an MTU stays in the record as lost: what others do is no reason to make another server.
    """
    ids = {each.port_id for each in seen}
    if not recorded or recorded[0].port_id not in ids:
        return tuple(recorded)
    kept = (each if each.port_id in ids else _lost(each, wanted) for each in recorded)
    return tuple(each for each in kept if each is not None)


def without_unwanted(recorded: Sequence[AppliedInterface], spec: ServerSpec) -> tuple[AppliedInterface, ...]:
    """The record without lost interfaces that the spec does not name any more, or wants with another MTU."""
    wanted = {(each.name, each.mtu) for each in spec.network_interfaces}
    return tuple(each for each in recorded if not each.lost or (each.name, each.mtu) in wanted)


def are_all_shown(status: ServerStatus) -> bool:
    """The server's row shows every interface in the record: none of them needs to be read."""
    shown = {each.port_id for each in status.addresses if each.port_id}
    return all(each.port_id in shown for each in _recorded(status) if not each.lost)


def is_like(port: Interface, *, subnet_id: str, ip_address: str | None) -> bool:
    """A port that an interface with this subnet and address can be. An endpoint that shows no subnets is taken at its word."""
    return port.net_id in {"", subnet_id} and (ip_address is None or any(each.ip_address == ip_address for each in port.fixed_ips))


def newcomers(seen: Iterable[Interface], wanted: AppliedInterface, *, known: Collection[str]) -> tuple[Interface, ...]:
    """Ports that an addition can have made: not among the ``known`` ones, and like what was asked for."""
    like = [each for each in seen if is_like(each, subnet_id=wanted.subnet_id, ip_address=wanted.ip_address)]
    return tuple(each for each in like if each.port_id not in known)


def removed(spec: ServerSpec, status: ServerStatus) -> tuple[RemoveInterface, ...]:
    """Secondary interfaces of ours that the spec does not want, or wants in another subnet or with another address.

    One that is to have an MTU stays until another server has it: 5.5.1 could not bring it back.
    """
    wanted = {each.name: each for each in spec.network_interfaces}
    return tuple(
        RemoveInterface(each)
        for each in _recorded(status)[1:]
        if each.port_id is not None and _is_to_go(each, wanted.get(each.name), status)
    )


def added(spec: ServerSpec, status: ServerStatus) -> tuple[AddInterface, ...]:
    """Secondary interfaces that the spec wants, and the record does not have. None has an MTU: 5.5.1 knows none."""
    if not _recorded(status):
        return ()
    return tuple(AddInterface(each) for each in _missing(spec, status) if each.mtu is None)


def cannot_be_added(spec: ServerSpec, status: ServerStatus) -> str | None:
    """Why an interface that somebody else removed stays so; None when there is none like that."""
    names = [each.name for each in without_unwanted(_recorded(status), spec) if each.lost]
    if not names:
        return None
    return (
        f"spec.networkInterfaces: the server lacks {', '.join(names)}, and the cloud gives no mtu to an interface that is added later: "
        "remove the interface, or name one without mtu"
    )


def without_mtu(spec: ServerSpec, status: ServerStatus) -> tuple[tuple[AppliedInterface | None, NetworkInterface], ...]:
    """Secondary interfaces whose MTU the server does not have, or that have one and are to be elsewhere: what is there, what is wanted."""
    recorded = {each.name: each for each in _recorded(status)}
    found = []
    for want in spec.network_interfaces[1:] if recorded else ():
        have = recorded.get(want.name)
        mtu = have.mtu if have is not None else None
        if mtu != want.mtu or (have is not None and mtu is not None and differs(have, want, status)):
            found.append((have, want))
    return tuple(found)


def differs(have: AppliedInterface, want: NetworkInterface, status: ServerStatus) -> bool:
    """Another subnet, or another address than the port has. Of the primary one this is said too, but nothing here changes it."""
    if have.subnet_id != want.subnet_id:
        return True
    addresses = {each.ip for each in status.addresses if each.port_id is not None and each.port_id == have.port_id}
    return want.ip_address is not None and bool(addresses) and want.ip_address not in addresses


def described(interface: AppliedInterface) -> str:
    """An interface for people."""
    address = f", address {interface.ip_address}" if interface.ip_address else ""
    port = f", port {interface.port_id}" if interface.port_id else ""
    return f"subnet {interface.subnet_id}{address}{port}"


def _lost(have: AppliedInterface, wanted: Collection[str]) -> AppliedInterface | None:
    return have.model_copy(update={"port_id": None, "lost": True}) if have.mtu is not None and have.name in wanted else None


def _is_to_go(have: AppliedInterface, want: NetworkInterface | None, status: ServerStatus) -> bool:
    return want is None or (want.mtu is None and have.mtu is None and differs(have, want, status))


def _missing(spec: ServerSpec, status: ServerStatus) -> list[AppliedInterface]:
    names = {each.name for each in _recorded(status)}
    return [as_applied(each) for each in spec.network_interfaces[1:] if each.name not in names]


def _recorded(status: ServerStatus) -> tuple[AppliedInterface, ...]:
    return status.applied.interfaces if status.applied is not None else ()
