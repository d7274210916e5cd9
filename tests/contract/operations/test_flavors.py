"""ECS API reference 5.4 and 6.6: flavors, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError, FlavorFilter, Meaning
from tests.contract.stage import Lab

ALL = ["s3.2xlarge.2", "s3.large.2", "s3.medium.2", "s3.small.1", "s3.xlarge.2"]


@pytest.mark.operation("6.6.1", "6.6.2")
async def test_lists_filters_and_orders(lab: Lab) -> None:
    cases: dict[FlavorFilter | None, list[str]] = {
        None: ALL,
        FlavorFilter(min_ram=8192): ["s3.2xlarge.2", "s3.xlarge.2"],
        FlavorFilter(min_ram=8193): ["s3.2xlarge.2"],
        FlavorFilter(min_disk=0): ALL,
        FlavorFilter(min_disk=1): [],
        FlavorFilter(sort_key="memory_mb", sort_dir="desc", min_ram=4096): ["s3.2xlarge.2", "s3.xlarge.2", "s3.large.2"],
        FlavorFilter(sort_dir="desc"): ALL[::-1],
    }
    async with lab.client() as client:
        for only, expected in cases.items():
            assert [flavor.id for flavor in await client.flavors.names(only=only)] == expected, only
            assert [flavor.id for flavor in await client.flavors.list(only=only)] == expected, only


@pytest.mark.operation("6.6.3", "6.6.4")
async def test_one_flavor_and_its_extra_specs(lab: Lab) -> None:
    async with lab.client() as client:
        flavor = await client.flavors.get("s3.large.2")
        assert (flavor.name, flavor.vcpus, flavor.ram, flavor.disabled) == ("s3.large.2", 2, 4096, False)
        specs = await client.flavors.extra_specs("s3.large.2")
        assert (specs["ecs:generation"], specs["cond:compute"]) == ("s3", "autorecovery")
        for call in (client.flavors.get("x9.none"), client.flavors.extra_specs("x9.none")):
            with pytest.raises(CloudError) as caught:
                await call
            assert caught.value.meaning is Meaning.NOT_FOUND


@pytest.mark.operation("5.4.1", "6.6.4")
async def test_what_is_sold_where(lab: Lab) -> None:
    await lab.tell("flavors/s3.large.2", {"soldOut": ["eu-west-0b"]})
    async with lab.client() as client:
        flavors = {flavor.id: flavor for flavor in await client.flavors.sold()}
        assert sorted(flavors) == ALL
        large = flavors["s3.large.2"]
        assert [large.sale_status(zone) for zone in ("eu-west-0a", "eu-west-0b")] == ["normal", "sellout"]
        assert large.extra_specs == await client.flavors.extra_specs("s3.large.2")
        assert "s3.large.2" in {flavor.id for flavor in await client.flavors.sold("eu-west-0a")}
        assert "s3.large.2" not in {flavor.id for flavor in await client.flavors.sold("eu-west-0b")}
        assert await client.flavors.sold("eu-west-9z") == ()
