"""Flavors (ECS API reference 5.4, 6.6)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from ecs_operator.cloud.models.catalog import Flavor, FlavorAnswer, FlavorName, FlavorNamePage, FlavorPage, FlavorSpecs
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, Family, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.operations.paging import next_marker
from ecs_operator.cloud.session import CloudAnswer, Session

_FLAVORS = "/v2.1/{project_id}/flavors"

LIST_SOLD = Operation(section="5.4.1", name="listFlavorsSold", method="GET", path="/v1/{project_id}/cloudservers/flavors", lists=True)
LIST_NAMES = Operation(
    section="6.6.1", name="listFlavors", method="GET", path=_FLAVORS, family=Family.NOVA, lists=True, microversion=MICROVERSION_HIGHEST
)
LIST_FLAVORS = Operation(
    section="6.6.2",
    name="listFlavorsDetails",
    method="GET",
    path=f"{_FLAVORS}/detail",
    family=Family.NOVA,
    lists=True,
    microversion=MICROVERSION_HIGHEST,
)
SHOW_FLAVOR = Operation(
    section="6.6.3",
    name="showFlavor",
    method="GET",
    path=f"{_FLAVORS}/{{flavor_id}}",
    family=Family.NOVA,
    microversion=MICROVERSION_HIGHEST,
)
LIST_SPECS = Operation(
    section="6.6.4",
    name="listFlavorExtraSpecs",
    method="GET",
    path=f"{_FLAVORS}/{{flavor_id}}/os-extra_specs",
    family=Family.NOVA,
    microversion=MICROVERSION_HIGHEST,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlavorFilter:
    """Tables 6-110 and 6-115: which flavors a list shows, and in which order. ``min_ram`` in MiB, ``min_disk`` in GiB."""

    min_ram: int | None = None
    min_disk: int | None = None
    sort_key: Literal["name", "memory_mb", "vcpus", "root_gb", "flavorid"] | None = None
    sort_dir: Literal["asc", "desc"] | None = None

    def query(self, operation: Operation) -> dict[str, str]:
        """The parameters of a list. Raises CloudError (not sent, invalid) that names the one that is wrong."""
        for name, value in (("minRam", self.min_ram), ("minDisk", self.min_disk)):
            check(operation, name, "from 0 on", holds=value is None or value >= 0)
        given = {"minRam": self.min_ram, "minDisk": self.min_disk, "sort_key": self.sort_key, "sort_dir": self.sort_dir}
        return {name: str(value) for name, value in given.items() if value is not None}


class Flavors:
    """Operations on flavors. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def names(self, *, only: FlavorFilter | None = None) -> tuple[FlavorName, ...]:
        """6.6.1: all flavors by id and name."""
        flavors: dict[str, FlavorName] = {}
        async with aclosing(self._pages(LIST_NAMES, only)) as pages:
            async for page in pages:
                flavors.update((flavor.id, flavor) for flavor in page.read(FlavorNamePage).flavors)
        return tuple(flavors.values())

    async def list(self, *, only: FlavorFilter | None = None) -> tuple[Flavor, ...]:
        """6.6.2: all flavors."""
        flavors: dict[str, Flavor] = {}
        async with aclosing(self._pages(LIST_FLAVORS, only)) as pages:
            async for page in pages:
                flavors.update((flavor.id, flavor) for flavor in page.read(FlavorPage).flavors)
        return tuple(flavors.values())

    async def get(self, flavor_id: str) -> Flavor:
        """6.6.3: one flavor."""
        answer = await self._session.call(SHOW_FLAVOR, path={"flavor_id": flavor_id})
        return answer.read(FlavorAnswer).flavor

    async def extra_specs(self, flavor_id: str) -> Mapping[str, str]:
        """6.6.4: the extra specs of a flavor (table 5-41)."""
        answer = await self._session.call(LIST_SPECS, path={"flavor_id": flavor_id})
        return answer.read(FlavorSpecs).extra_specs

    async def sold(self, zone: str | None = None) -> tuple[Flavor, ...]:
        """5.4.1: the flavors with their extra specs; with a zone only those that can be had there."""
        answer = await self._session.call(LIST_SOLD, query={"availability_zone": zone} if zone else {})
        return answer.read(FlavorPage).flavors

    async def _pages(self, operation: Operation, only: FlavorFilter | None) -> AsyncGenerator[CloudAnswer, None]:
        """Pages as long as a next one is announced; a marker that does not move on ends them."""
        query = only.query(operation) if only is not None else {}
        while True:
            answer = await self._session.call(operation, query=query)
            yield answer
            marker = next_marker(answer.read(FlavorNamePage).flavors_links)
            if not marker or marker == query.get("marker"):
                return
            query = {**query, "marker": marker}
