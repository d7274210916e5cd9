"""Floating IPs, their pools, and the servers they are bound to (ECS API reference 11.5)."""

from __future__ import annotations

import ipaddress

from ecs_operator.cloud.models.network import FloatingIp, FloatingIpAnswer, FloatingIpPools
from ecs_operator.cloud.models.network import FloatingIps as FloatingIpsAnswer
from ecs_operator.cloud.operation import MICROVERSION_PROXIES, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.session import Session

_LAST_ACTION = (2, 43)
"""From 2.44 on 11.5.1 and 11.5.2 answer 404."""
_V2 = "/v2.1/{project_id}"
_ADDRESSES = f"{_V2}/os-floating-ips"
_ADDRESS = f"{_ADDRESSES}/{{floating_ip_id}}"


def _on_server(section: str, name: str) -> Operation:
    return Operation(
        section=section,
        name=name,
        method="POST",
        path=f"{_V2}/servers/{{server_id}}/action",
        family=Family.NOVA,
        kind=Kind.WRITE,
        lane=Lane.URGENT,
        microversion=_LAST_ACTION,
    )


ADD = _on_server("11.5.1", "addFloatingIp")
REMOVE = _on_server("11.5.2", "removeFloatingIp")
CREATE = Operation(
    section="11.5.3",
    name="createFloatingIp",
    method="POST",
    path=_ADDRESSES,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.CREATE,
    microversion=MICROVERSION_PROXIES,
)
LIST = Operation(
    section="11.5.4",
    name="listFloatingIps",
    method="GET",
    path=_ADDRESSES,
    family=Family.NOVA,
    lane=Lane.RESYNC,
    lists=True,
    microversion=MICROVERSION_PROXIES,
)
SHOW = Operation(
    section="11.5.5", name="showFloatingIp", method="GET", path=_ADDRESS, family=Family.NOVA, microversion=MICROVERSION_PROXIES
)
DELETE = Operation(
    section="11.5.6",
    name="deleteFloatingIp",
    method="DELETE",
    path=_ADDRESS,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_PROXIES,
)
LIST_POOLS = Operation(
    section="11.5.7",
    name="listFloatingIpPools",
    method="GET",
    path=f"{_V2}/os-floating-ip-pools",
    family=Family.NOVA,
    microversion=MICROVERSION_PROXIES,
)


class FloatingIps:
    """Operations on floating IPs. All raise CloudError. All are deprecated in favour of the network service."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, server_id: str, address: str, *, fixed_address: str | None = None) -> None:
        """11.5.1: bind an address to a server: to the interface with this private address, else to the first one."""
        wanted = {"address": _address(ADD, "addFloatingIp.address", address)}
        if fixed_address is not None:
            wanted["fixed_address"] = _address(ADD, "addFloatingIp.fixed_address", fixed_address)
        await self._session.call(ADD, path={"server_id": server_id}, body={"addFloatingIp": wanted})

    async def remove(self, server_id: str, address: str) -> None:
        """11.5.2: take an address off a server."""
        wanted = {"address": _address(REMOVE, "removeFloatingIp.address", address)}
        await self._session.call(REMOVE, path={"server_id": server_id}, body={"removeFloatingIp": wanted})

    async def create(self, *, pool: str | None = None) -> FloatingIp:
        """11.5.3: get one more address, from a pool or from the default one."""
        check(CREATE, "pool", "must not be empty", holds=pool != "")
        return (await self._session.call(CREATE, body={"pool": pool})).read(FloatingIpAnswer).floating_ip

    async def list(self) -> tuple[FloatingIp, ...]:
        """11.5.4: all addresses of the project."""
        return (await self._session.call(LIST)).read(FloatingIpsAnswer).floating_ips

    async def get(self, floating_ip_id: str) -> FloatingIp:
        """11.5.5: one address."""
        return (await self._session.call(SHOW, path={"floating_ip_id": floating_ip_id})).read(FloatingIpAnswer).floating_ip

    async def delete(self, floating_ip_id: str) -> None:
        """11.5.6: give an address back. One that is bound may be refused, or unbound first."""
        await self._session.call(DELETE, path={"floating_ip_id": floating_ip_id})

    async def pools(self) -> tuple[str, ...]:
        """11.5.7: the names of the pools that addresses come from."""
        answer = await self._session.call(LIST_POOLS)
        return tuple(pool.name for pool in answer.read(FloatingIpPools).floating_ip_pools)


def _address(operation: Operation, field: str, text: str) -> str:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        check(operation, field, "must be an IPv4 address", holds=False)
    return text
