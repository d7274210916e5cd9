"""What a project offers is asked for once for all who want to know."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from ecs_operator.cloud import Catalog, CloudError, Flavor, Image, Limits, Meaning
from tests.fakes.cloud import cloud_error, lost
from tests.unit.cloud.stage import LoopClock

pytestmark = pytest.mark.looptime


class Offer:
    """The three readers; each call takes a tenth of a second."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.images = {"ready": Image(id="ready", status="ACTIVE"), "saving": Image(id="saving", status="SAVING")}
        self.error: CloudError | None = None

    async def sold(self) -> tuple[Flavor, ...]:
        await self._ask("flavors")
        return (Flavor(id="s3.small.1", vcpus=1, ram=1024),)

    async def get(self, image_id: str) -> Image:
        await self._ask(f"image {image_id}")
        if image_id not in self.images:
            raise cloud_error("showImage", meaning=Meaning.NOT_FOUND, status=404)
        return self.images[image_id]

    async def _ask(self, what: str) -> None:
        self.calls[what] += 1
        await asyncio.sleep(0.1)
        if self.error is not None:
            raise self.error


class Quota:
    """The quota of a project, which counts who asks."""

    def __init__(self) -> None:
        self.asked = 0

    async def get(self) -> Limits:
        self.asked += 1
        return Limits(maxTotalInstances=10, totalInstancesUsed=self.asked)


def catalog(offer: Offer, quota: Quota | None = None) -> Catalog:
    return Catalog(flavors=offer, images=offer, limits=quota or Quota(), clock=LoopClock())


async def test_a_thousand_who_ask_make_one_call_of_each_kind() -> None:
    offer, quota = Offer(), Quota()
    shared = catalog(offer, quota)

    async def ask() -> None:
        assert await shared.flavor("s3.small.1") is not None
        assert await shared.flavor("no.such.1") is None
        assert await shared.image("ready") is not None
        assert (await shared.limits()).max_total_instances == 10

    await asyncio.gather(*(ask() for _ in range(1000)))
    assert offer.calls == {"flavors": 1, "image ready": 1}
    assert quota.asked == 1


@pytest.mark.parametrize(
    ("image_id", "seconds", "calls"),
    [
        pytest.param("ready", 50, 1, id="one that can be used holds a minute"),
        pytest.param("ready", 61, 2, id="and no longer"),
        pytest.param("saving", 9, 1, id="one that is being made holds ten seconds"),
        pytest.param("saving", 11, 2, id="because somebody waits for it"),
        pytest.param("absent", 11, 2, id="likewise one that is not there"),
    ],
)
async def test_how_long_an_image_holds(image_id: str, seconds: float, calls: int) -> None:
    offer = Offer()
    shared = catalog(offer)
    await shared.image(image_id)
    await asyncio.sleep(seconds)
    await shared.image(image_id)
    assert offer.calls[f"image {image_id}"] == calls


async def test_the_quota_holds_five_seconds() -> None:
    quota = Quota()
    shared = catalog(Offer(), quota)
    seen = []
    for _ in range(4):
        seen.append((await shared.limits()).total_instances_used)
        await asyncio.sleep(2)
    assert seen == [1, 1, 1, 2]


async def test_a_failure_is_no_absence() -> None:
    offer = Offer()
    offer.error = lost("showImage")
    shared = catalog(offer)
    with pytest.raises(CloudError):
        await shared.image("ready")
    offer.error = None
    assert await shared.image("ready") is not None


async def test_close_breaks_off_what_is_under_way() -> None:
    shared = catalog(Offer())
    waiting = asyncio.create_task(shared.flavor("s3.small.1"))
    await asyncio.sleep(0.05)
    await shared.close()
    with pytest.raises(CloudError, match="closed"):
        await waiting
