"""The public address of a server: which one is the spec's, and what is to be done to have it on the server. Pure.

Rows show addresses, the spec names an id; which is which is recorded (``status.applied.publicIp``), so that nothing is read while all
is well. Only an address that the operator put on the server is taken off.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ecs_operator.api.server import AppliedPublicIp, ServerSpec, ServerStatus
from ecs_operator.cloud import FloatingIp
from ecs_operator.resources.server.deeds import BindAddress, UnbindAddress


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """The address that the spec names by its id, and that the row does not show: free, or on the server already."""

    id: str
    address: str
    is_free: bool


def requested_address(spec: ServerSpec) -> AppliedPublicIp | None:
    """The address a server is created with; which it is, is learned when it is there."""
    return AppliedPublicIp(id=spec.public_ip.id) if spec.public_ip is not None else None


def floating(status: ServerStatus) -> tuple[str, ...]:
    """The public addresses that the server's row shows."""
    return tuple(each.ip for each in status.addresses if each.type == "floating")


def learned(status: ServerStatus, record: AppliedPublicIp) -> AppliedPublicIp:
    """The record of a server that was just made with an address: it is the first one that the row shows."""
    shown = floating(status)
    return record if record.address is not None or not shown else record.model_copy(update={"address": status.public_ip or shown[0]})


def is_there(status: ServerStatus) -> bool:
    """The recorded address is on the server."""
    record = _recorded(status)
    return record is not None and record.address in floating(status)


def foreign(status: ServerStatus) -> tuple[str, ...]:
    """Public addresses on the server that the operator neither made nor put there, as far as it is known which are its own."""
    record = _recorded(status)
    if status.applied is None or not status.applied.interfaces or (record is not None and record.address is None):
        return ()
    ours = record.address if record is not None and not record.found else None
    return tuple(each for each in floating(status) if each != ours)


def still_ours(spec: ServerSpec, status: ServerStatus) -> AppliedPublicIp | None:
    """The record without an address that the spec does not name and the server does not have, or that was never ours."""
    record = _recorded(status)
    if record is None or record.id is None or (spec.public_ip is not None and spec.public_ip.id == record.id):
        return record
    return record if is_there(status) and not record.found else None


def must_be_looked_up(spec: ServerSpec, status: ServerStatus) -> str | None:
    """Id of the address that the spec names, when the server's row does not show it."""
    wanted, record = spec.public_ip.id if spec.public_ip is not None else None, _recorded(status)
    # Beside an address that was made with the server there is no room for another.
    if wanted is None or (record is not None and record.id in {None, wanted} and is_there(status)):
        return None
    return wanted


def is_free(address: FloatingIp) -> bool:
    """Nothing uses it. An endpoint that does not name the server still shows the private address."""
    return not address.instance_id and not address.fixed_ip


def must_go(spec: ServerSpec, status: ServerStatus, wanted: PublicAddress | None) -> str | None:
    """The address that the operator put on the server and the spec does not name any more. It stays until another one can be had."""
    record = _recorded(status)
    if record is None or record.id is None or record.found or not is_there(status):
        return None
    has_another = wanted is not None and wanted.id != record.id
    return record.address if spec.public_ip is None or has_another else None


def address_edits(
    spec: ServerSpec, status: ServerStatus, wanted: PublicAddress | None
) -> Iterable[tuple[str, str, BindAddress | UnbindAddress]]:
    """What is there, what is wanted, and the edit. The old address goes first, in a pass of its own: the record has room for one."""
    want, old = wanted.address if wanted is not None else "", must_go(spec, status, wanted)
    if old is not None:
        yield old, want, UnbindAddress(old)
    elif wanted is not None and wanted.is_free:
        yield "", want, BindAddress(wanted.id, wanted.address, status.private_ip)


def _recorded(status: ServerStatus) -> AppliedPublicIp | None:
    return status.applied.public_ip if status.applied is not None else None
