"""What a project offers, as many ask for it: flavors, images and quota. A thousand creations look once a minute, not three times each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.errors import CloudError, Meaning, Outcome
from ecs_operator.cloud.models.catalog import Flavor, Image
from ecs_operator.cloud.models.quotas import Limits
from ecs_operator.cloud.shared_looks import SharedLooks

HOLDS = 60.0
"""Seconds for which flavors, and images that can be used, are taken as they were."""
WAITED_FOR_HOLDS = 10.0
"""Seconds for an image that is not there or not ready: somebody waits for it."""
LIMITS_HOLD = 5.0
"""Seconds for the quota, which every creation and deletion changes."""


class FlavorReader(Protocol):
    """What is needed of ``client.flavors``."""

    async def sold(self) -> tuple[Flavor, ...]:
        """5.4.1. Raises CloudError."""


class ImageReader(Protocol):
    """What is needed of ``client.images``."""

    async def get(self, image_id: str) -> Image:
        """11.2.3. Raises CloudError."""


class LimitsReader(Protocol):
    """What is needed of ``client.limits``."""

    async def get(self) -> Limits:
        """5.7.1. Raises CloudError."""


class Catalog:
    """The shared looks at what one project offers. All raise CloudError."""

    def __init__(self, *, flavors: FlavorReader, images: ImageReader, limits: LimitsReader, clock: Clock) -> None:
        async def sold(_: None) -> Mapping[str, Flavor]:
            return {flavor.id: flavor for flavor in await flavors.sold()}

        async def image(image_id: str) -> Image | None:
            try:
                return await images.get(image_id)
            except CloudError as error:
                if error.outcome is Outcome.REFUSED and error.meaning is Meaning.NOT_FOUND:
                    return None
                raise

        async def quota(_: None) -> Limits:
            return await limits.get()

        self._flavors = SharedLooks(sold, holds=lambda _: HOLDS, clock=clock, what="listFlavors")
        self._images = SharedLooks(image, holds=_image_holds, clock=clock, what="showImage")
        self._limits = SharedLooks(quota, holds=lambda _: LIMITS_HOLD, clock=clock, what="showLimits")

    async def flavor(self, flavor_id: str) -> Flavor | None:
        """A flavor, with what is known of where it can be had, as it was at most a minute ago; None when there is none of this id."""
        return (await self._flavors.get(None)).get(flavor_id)

    async def image(self, image_id: str) -> Image | None:
        """An image, as it was at most a minute ago; None when there is none of this id."""
        return await self._images.get(image_id)

    async def limits(self) -> Limits:
        """Quota and use, as they were at most five seconds ago."""
        return await self._limits.get(None)

    async def close(self) -> None:
        """Break off the looks under way. Whoever waits for one gets a CloudError (not sent)."""
        for looks in (self._flavors, self._images, self._limits):
            await looks.close()


def _image_holds(image: Image | None) -> float:
    return HOLDS if image is not None and image.status.upper() in {"", "ACTIVE"} else WAITED_FOR_HOLDS
