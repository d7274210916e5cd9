"""Flavors (ECS API reference 5.4, 6.6)."""

from __future__ import annotations

from ecs_operator.cloud.models.catalog import Flavor, FlavorAnswer, FlavorPage
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, Family, Operation
from ecs_operator.cloud.operations.paging import next_marker
from ecs_operator.cloud.session import Session

_V2 = "/v2.1/{project_id}"

LIST_SOLD = Operation(section="5.4.1", name="listFlavorsSold", method="GET", path="/v1/{project_id}/cloudservers/flavors", lists=True)
LIST_FLAVORS = Operation(
    section="6.6.2",
    name="listFlavorsDetails",
    method="GET",
    path=f"{_V2}/flavors/detail",
    family=Family.NOVA,
    lists=True,
    microversion=MICROVERSION_HIGHEST,
)
SHOW_FLAVOR = Operation(
    section="6.6.3",
    name="showFlavor",
    method="GET",
    path=f"{_V2}/flavors/{{flavor_id}}",
    family=Family.NOVA,
    microversion=MICROVERSION_HIGHEST,
)


class Flavors:
    """Operations on flavors. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self) -> tuple[Flavor, ...]:
        """6.6.2: all flavors."""
        flavors: dict[str, Flavor] = {}
        query: dict[str, str] = {}
        while True:
            page = (await self._session.call(LIST_FLAVORS, query=query)).read(FlavorPage)
            flavors.update((flavor.id, flavor) for flavor in page.flavors)
            marker = next_marker(page.flavors_links)
            if not marker or marker == query.get("marker"):
                return tuple(flavors.values())
            query = {"marker": marker}

    async def get(self, flavor_id: str) -> Flavor:
        """6.6.3: one flavor."""
        answer = await self._session.call(SHOW_FLAVOR, path={"flavor_id": flavor_id})
        return answer.read(FlavorAnswer).flavor

    async def sold(self, zone: str | None = None) -> tuple[Flavor, ...]:
        """5.4.1: the flavors with their extra specs; with a zone only those that can be had there."""
        answer = await self._session.call(LIST_SOLD, query={"availability_zone": zone} if zone else {})
        return answer.read(FlavorPage).flavors
