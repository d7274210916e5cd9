"""Networks, and the addresses servers have on them (ECS API reference 6.4)."""

from __future__ import annotations

from ecs_operator.cloud.models.catalog import Network
from ecs_operator.cloud.models.catalog import Networks as NetworksAnswer
from ecs_operator.cloud.operation import MICROVERSION_PROXIES, Family, Operation
from ecs_operator.cloud.session import Session

_V2 = "/v2.1/{project_id}"

LIST_NETWORKS = Operation(
    section="6.4.1",
    name="listNetworks",
    method="GET",
    path=f"{_V2}/os-networks",
    family=Family.NOVA,
    lists=True,
    microversion=MICROVERSION_PROXIES,
)


class Networks:
    """Operations on networks. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self) -> tuple[Network, ...]:
        """6.4.1: the networks (subnets, in the words of a server's spec) with their names."""
        return (await self._session.call(LIST_NETWORKS)).read(NetworksAnswer).networks
