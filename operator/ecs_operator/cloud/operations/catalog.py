"""Flavors, images, networks, limits (ECS API reference 5.4, 5.7, 6.4, 6.6, 11.2)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from ecs_operator.cloud.models.catalog import (
    Flavor,
    FlavorAnswer,
    FlavorPage,
    Image,
    ImageAnswer,
    ImagePage,
    Limits,
    LimitsAnswer,
    Link,
    Network,
    Networks,
)
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, MICROVERSION_PROXIES, Family, Lane, Operation
from ecs_operator.cloud.session import Session

_V2 = "/v2.1/{project_id}"

LIST_SOLD = Operation(section="5.4.1", name="listFlavorsSold", method="GET", path="/v1/{project_id}/cloudservers/flavors", lists=True)
SHOW_LIMITS = Operation(section="5.7.1", name="showLimits", method="GET", path="/v1/{project_id}/cloudservers/limits", lane=Lane.RESYNC)
LIST_NETWORKS = Operation(
    section="6.4.1",
    name="listNetworks",
    method="GET",
    path=f"{_V2}/os-networks",
    family=Family.NOVA,
    lists=True,
    microversion=MICROVERSION_PROXIES,
)
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
LIST_IMAGES = Operation(
    section="11.2.2",
    name="listImagesDetails",
    method="GET",
    path=f"{_V2}/images/detail",
    family=Family.NOVA,
    lists=True,
    microversion=MICROVERSION_PROXIES,
)
SHOW_IMAGE = Operation(
    section="11.2.3",
    name="showImage",
    method="GET",
    path=f"{_V2}/images/{{image_id}}",
    family=Family.NOVA,
    microversion=MICROVERSION_PROXIES,
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
            marker = _next_marker(page.flavors_links)
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


class Images:
    """Operations on images. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self, *, name: str | None = None) -> tuple[Image, ...]:
        """11.2.2: all images, or those of exactly this name, whatever the cloud makes of the filter."""
        images: dict[str, Image] = {}
        query = {"name": name} if name else {}
        while True:
            page = (await self._session.call(LIST_IMAGES, query=query)).read(ImagePage)
            images.update((image.id, image) for image in page.images if name is None or image.name == name)
            marker = _next_marker(page.images_links)
            if not marker or marker == query.get("marker"):
                return tuple(images.values())
            query = {**query, "marker": marker}

    async def get(self, image_id: str) -> Image:
        """11.2.3: one image."""
        answer = await self._session.call(SHOW_IMAGE, path={"image_id": image_id})
        return answer.read(ImageAnswer).image


class NetworkList:
    """Operations on networks. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self) -> tuple[Network, ...]:
        """6.4.1: the networks (subnets, in the words of a server's spec) with their names."""
        return (await self._session.call(LIST_NETWORKS)).read(Networks).networks


class ProjectLimits:
    """Quota. Raises CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self) -> Limits:
        """5.7.1: quota and use of the project."""
        return (await self._session.call(SHOW_LIMITS)).read(LimitsAnswer).absolute


def _next_marker(links: Iterable[Link]) -> str:
    """The marker of the next page. Only that is taken from the link: where calls go is not the cloud's to say."""
    href = next((link.href for link in links if link.rel == "next"), "")
    return next(iter(parse_qs(urlsplit(href).query).get("marker", ())), "")
