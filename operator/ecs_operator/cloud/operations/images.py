"""Images (ECS API reference 11.2, deprecated)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ecs_operator.cloud.models.access import Metadata
from ecs_operator.cloud.models.catalog import Image, ImageAnswer, ImageName, ImageNamePage, ImagePage
from ecs_operator.cloud.operation import MICROVERSION_PROXIES, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.operations.paging import next_marker
from ecs_operator.cloud.session import Session

_IMAGES = "/v2.1/{project_id}/images"
_IMAGE = f"{_IMAGES}/{{image_id}}"

LIST_NAMES = Operation(
    section="11.2.1",
    name="listImages",
    method="GET",
    path=_IMAGES,
    family=Family.NOVA,
    lists=True,
    microversion=MICROVERSION_PROXIES,
)
LIST_IMAGES = Operation(
    section="11.2.2",
    name="listImagesDetails",
    method="GET",
    path=f"{_IMAGES}/detail",
    family=Family.NOVA,
    lists=True,
    microversion=MICROVERSION_PROXIES,
)
SHOW_IMAGE = Operation(
    section="11.2.3",
    name="showImage",
    method="GET",
    path=_IMAGE,
    family=Family.NOVA,
    microversion=MICROVERSION_PROXIES,
)
SHOW_METADATA = Operation(
    section="11.2.4",
    name="showImageMetadata",
    method="GET",
    path=f"{_IMAGE}/metadata",
    family=Family.NOVA,
    microversion=MICROVERSION_PROXIES,
)
DELETE_IMAGE = Operation(
    section="11.2.5",
    name="deleteImage",
    method="DELETE",
    path=_IMAGE,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_PROXIES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFilter:
    """Tables 11-6 and 11-13: which images a list shows. ``min_ram`` in MiB, ``min_disk`` in GiB; ``status`` as Glance calls it."""

    status: Literal["queued", "saving", "active"] | None = None
    changes_since: str | None = None
    min_ram: int | None = None
    min_disk: int | None = None


class Images:
    """Operations on images. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def names(self, *, name: str | None = None, only: ImageFilter | None = None) -> tuple[ImageName, ...]:
        """11.2.1: ids and names of all images, or of those of exactly this name, whatever the cloud makes of the filter."""
        images: dict[str, ImageName] = {}
        query = _query(LIST_NAMES, name, only)
        while True:
            page = (await self._session.call(LIST_NAMES, query=query)).read(ImageNamePage)
            images.update((image.id, image) for image in page.images if name is None or image.name == name)
            marker = next_marker(page.images_links)
            if not marker or marker == query.get("marker"):
                return tuple(images.values())
            query = {**query, "marker": marker}

    async def list(self, *, name: str | None = None, only: ImageFilter | None = None) -> tuple[Image, ...]:
        """11.2.2: all images, or those of exactly this name, whatever the cloud makes of the filter."""
        images: dict[str, Image] = {}
        query = _query(LIST_IMAGES, name, only)
        while True:
            page = (await self._session.call(LIST_IMAGES, query=query)).read(ImagePage)
            images.update((image.id, image) for image in page.images if name is None or image.name == name)
            marker = next_marker(page.images_links)
            if not marker or marker == query.get("marker"):
                return tuple(images.values())
            query = {**query, "marker": marker}

    async def get(self, image_id: str) -> Image:
        """11.2.3: one image."""
        answer = await self._session.call(SHOW_IMAGE, path={"image_id": image_id})
        return answer.read(ImageAnswer).image

    async def metadata(self, image_id: str) -> Mapping[str, str]:
        """11.2.4: the metadata of an image."""
        answer = await self._session.call(SHOW_METADATA, path={"image_id": image_id})
        return answer.read(Metadata).metadata

    async def delete(self, image_id: str) -> None:
        """11.2.5: delete a private image. The snapshot behind one that was made of a server stays."""
        await self._session.call(DELETE_IMAGE, path={"image_id": image_id})


def _query(operation: Operation, name: str | None, only: ImageFilter | None) -> dict[str, str]:
    only = only or ImageFilter()
    check(operation, "status", "queued, saving or active", holds=only.status in {None, "queued", "saving", "active"})
    check(operation, "minRam", "from 0 on", holds=only.min_ram is None or only.min_ram >= 0)
    check(operation, "minDisk", "from 0 on", holds=only.min_disk is None or only.min_disk >= 0)
    given = {"name": name, "status": only.status, "changes-since": only.changes_since, "minRam": only.min_ram, "minDisk": only.min_disk}
    return {key: str(value) for key, value in given.items() if value is not None and value != ""}
