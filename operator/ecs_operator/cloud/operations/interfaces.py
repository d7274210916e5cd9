"""Interfaces of servers (ECS API reference 5.5, 6.7)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import replace

from ecs_operator.cloud.errors import CloudError, Meaning, Outcome
from ecs_operator.cloud.models.jobs import JobAccepted, JobAcceptedAnswer
from ecs_operator.cloud.models.network import Interface, InterfaceAnswer, NewInterface
from ecs_operator.cloud.models.network import Interfaces as InterfacesAnswer
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.session import Session

MAX_INTERFACES = 12
"""On one server (5.1.1); a flavor may take fewer."""
_NICS = "/v1/{project_id}/cloudservers/{server_id}/nics"
_NATIVE = "/v2.1/{project_id}/servers/{server_id}/os-interface"

ADD = Operation(section="5.5.1", name="addInterfaces", method="POST", path=_NICS, kind=Kind.WRITE, lane=Lane.URGENT)
REMOVE = Operation(section="5.5.2", name="removeInterfaces", method="POST", path=f"{_NICS}/delete", kind=Kind.WRITE, lane=Lane.URGENT)
LIST_INTERFACES = Operation(
    section="6.7.1", name="listInterfaces", method="GET", path=_NATIVE, family=Family.NOVA, microversion=MICROVERSION_HIGHEST
)
SHOW_INTERFACE = Operation(
    section="6.7.2",
    name="showInterface",
    method="GET",
    path=f"{_NATIVE}/{{port_id}}",
    family=Family.NOVA,
    microversion=MICROVERSION_HIGHEST,
)
ATTACH = Operation(
    section="6.7.3",
    name="attachInterface",
    method="POST",
    path=_NATIVE,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_HIGHEST,
)
DETACH = Operation(
    section="6.7.4",
    name="detachInterface",
    method="DELETE",
    path=f"{_NATIVE}/{{port_id}}",
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_HIGHEST,
)


class Interfaces:
    """Interfaces of servers. All raise CloudError.

    The primary interface, the first one a server was given, cannot be removed (403).
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, server_id: str, interfaces: Iterable[NewInterface]) -> JobAccepted:
        """5.5.1: start adding interfaces. Each must name its security groups, or the default group protects it."""
        wanted = [interface.body() for interface in interfaces]
        check(ADD, "nics", f"1 to {MAX_INTERFACES} interfaces", holds=1 <= len(wanted) <= MAX_INTERFACES)
        answer = await self._session.call(ADD, path={"server_id": server_id}, body={"nics": wanted})
        return answer.read(JobAcceptedAnswer).accepted()

    async def remove(self, server_id: str, port_ids: Iterable[str]) -> JobAccepted:
        """5.5.2: start removing interfaces, by the ids of their ports. A floating IP bound to one of them is unbound."""
        ids = list(dict.fromkeys(port_ids))
        check(REMOVE, "nics", f"1 to {MAX_INTERFACES} interfaces", holds=1 <= len(ids) <= MAX_INTERFACES)
        check(REMOVE, "nics[].id", "must not be empty", holds=all(ids))
        body = {"nics": [{"id": port_id} for port_id in ids]}
        try:
            answer = await self._session.call(REMOVE, path={"server_id": server_id}, body=body)
        except CloudError as error:
            raise _primary_stays(error) from None
        return answer.read(JobAcceptedAnswer).accepted()

    async def list(self, server_id: str) -> tuple[Interface, ...]:
        """6.7.1: the interfaces of a server."""
        answer = await self._session.call(LIST_INTERFACES, path={"server_id": server_id})
        return answer.read(InterfacesAnswer).interface_attachments

    async def get(self, server_id: str, port_id: str) -> Interface:
        """6.7.2: one interface; ``NOT_FOUND`` when the server has none with this port."""
        answer = await self._session.call(SHOW_INTERFACE, path={"server_id": server_id, "port_id": port_id})
        return answer.read(InterfaceAnswer).interface_attachment

    async def attach(
        self, server_id: str, *, network_id: str | None = None, port_id: str | None = None, ip_address: str | None = None
    ) -> Interface:
        """6.7.3: add one interface: a new one on a network, or a port that is there already and keeps its address.

        ``ip_address`` goes with a network only. The default security group protects a new interface; there is no way to name others.
        """
        place = "interfaceAttachment"
        check(ATTACH, f"{place}.port_id", "either net_id or port_id", holds=bool(network_id) is not bool(port_id))
        check(ATTACH, f"{place}.fixed_ips", "goes together with net_id only", holds=bool(network_id) or ip_address is None)
        wanted: dict[str, object] = {"net_id": network_id} if network_id else {"port_id": port_id}
        if ip_address is not None:
            check(ATTACH, f"{place}.fixed_ips[0].ip_address", "must be an IPv4 address", holds=_is_ipv4(ip_address))
            wanted["fixed_ips"] = [{"ip_address": ip_address}]
        answer = await self._session.call(ATTACH, path={"server_id": server_id}, body={place: wanted})
        return answer.read(InterfaceAnswer).interface_attachment

    async def detach(self, server_id: str, port_id: str) -> None:
        """6.7.4: remove one interface. A port that was attached by its id stays, every other is deleted."""
        await self._session.call(DETACH, path={"server_id": server_id, "port_id": port_id})


def _primary_stays(error: CloudError) -> CloudError:
    """A 403 of 5.5.2 is a refusal, whatever its code says elsewhere: one of the interfaces is the primary one."""
    if error.status != 403 or error.outcome is not Outcome.UNKNOWN:
        return error
    return CloudError(replace(error.failure, outcome=Outcome.REFUSED, meaning=Meaning.FORBIDDEN))


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True
