"""Images (ECS API reference 11.2)."""

from __future__ import annotations

from ecs_operator.cloud.models.catalog import Image, ImageAnswer, ImagePage
from ecs_operator.cloud.operation import MICROVERSION_PROXIES, Family, Operation
from ecs_operator.cloud.operations.paging import next_marker
from ecs_operator.cloud.session import Session

_V2 = "/v2.1/{project_id}"

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
            marker = next_marker(page.images_links)
            if not marker or marker == query.get("marker"):
                return tuple(images.values())
            query = {**query, "marker": marker}

    async def get(self, image_id: str) -> Image:
        """11.2.3: one image."""
        answer = await self._session.call(SHOW_IMAGE, path={"image_id": image_id})
        return answer.read(ImageAnswer).image
