"""Networks, and the addresses servers have on them (ECS API reference 6.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ecs_operator.cloud.models.network import Network, NetworkAddress, NetworkAddresses, ServerAddresses
from ecs_operator.cloud.models.network import Networks as NetworksAnswer
from ecs_operator.cloud.models.servers import Address
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, MICROVERSION_PROXIES, Family, Operation
from ecs_operator.cloud.session import Session

_V2 = "/v2.1/{project_id}"
_IPS = f"{_V2}/servers/{{server_id}}/ips"

LIST_NETWORKS = Operation(
    section="6.4.1",
    name="listNetworks",
    method="GET",
    path=f"{_V2}/os-networks",
    family=Family.NOVA,
    lists=True,
    microversion=MICROVERSION_PROXIES,
)
LIST_ADDRESSES = Operation(
    section="6.4.2", name="listServerAddresses", method="GET", path=_IPS, family=Family.NOVA, microversion=MICROVERSION_HIGHEST
)
SHOW_ADDRESSES = Operation(
    section="6.4.3",
    name="showServerAddresses",
    method="GET",
    path=f"{_IPS}/{{networkName}}",
    family=Family.NOVA,
    microversion=MICROVERSION_HIGHEST,
)


class Networks:
    """Operations on networks. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self) -> tuple[Network, ...]:
        """6.4.1: the networks (subnets, in the words of a server's spec) with their names."""
        return (await self._session.call(LIST_NETWORKS)).read(NetworksAnswer).networks

    async def addresses(self, server_id: str) -> tuple[Address, ...]:
        """6.4.2: all addresses of a server, private and public, without their type."""
        answer = await self._session.call(LIST_ADDRESSES, path={"server_id": server_id})
        return _flat(answer.read(ServerAddresses).addresses)

    async def addresses_on(self, server_id: str, network_name: str) -> tuple[Address, ...]:
        """6.4.3: the addresses of a server on the network of this name; ``NOT_FOUND`` when it has none there."""
        answer = await self._session.call(SHOW_ADDRESSES, path={"server_id": server_id, "networkName": network_name})
        return _flat(answer.read(NetworkAddresses).root)


def _flat(addresses: Mapping[str, Sequence[NetworkAddress]]) -> tuple[Address, ...]:
    return tuple(Address(network=name, ip=row.addr, version=row.version) for name, rows in addresses.items() for row in rows)
