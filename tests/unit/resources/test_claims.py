"""Claims: who comes before whom, and that a list answers only what was written before it began."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecs_operator.api.group import API_VERSION, SERVER
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.resources.claims import Claim, Claims, Stage, claim_of
from tests.fakes.clock import FakeClock
from tests.fakes.store import FakeStore

BORN = datetime(2026, 3, 1, tzinfo=UTC)
MINE = Claim(ObjectKey(SERVER.plural, "shop", "mine"), "mine", BORN, "s-1", Stage.WANTS)


def obj(status: dict[str, Any], *, seconds: float = 0.0, **changes: Any) -> KubeObject:
    known: dict[str, Any] = {
        "key": ObjectKey(SERVER.plural, "shop", "other"),
        "kind": SERVER.kind,
        "api_version": API_VERSION,
        "uid": "other",
        "resource_version": "1",
        "generation": 1,
        "created_at": BORN + timedelta(seconds=seconds),
        "deleted_at": None,
        "finalizers": (),
        "annotations": {},
        "labels": {},
        "spec": {},
        "status": status,
    }
    return KubeObject(**{**known, **changes})


class Listed(FakeStore):
    """Lists these objects, and notes when it was asked."""

    def __init__(self, clock: FakeClock, *objects: KubeObject) -> None:
        super().__init__(clock)
        self._now = clock.monotonic
        self._shown = objects
        self.asked: list[float] = []

    async def list(self, resource: str, *, namespace: str | None = None) -> Sequence[KubeObject]:
        del resource, namespace
        self.asked.append(self._now())
        await asyncio.sleep(0)
        return self._shown


def adoption(state: str) -> dict[str, Any]:
    return {"adoption": {"id": "s-1", "state": state}}


@pytest.mark.parametrize(
    ("found", "stage"),
    [
        (obj({}), None),
        (obj({"id": "s-1"}), Stage.HOLDS),
        (obj(adoption("Compared")), Stage.WANTS),
        (obj(adoption("Claimed")), Stage.CLAIMS),
        (obj(adoption("Marking")), Stage.HOLDS),
        (obj(adoption("Adopted")), Stage.HOLDS),
        (obj(adoption("Observed")), None),
        (obj(adoption("Claimed"), spec={"managementPolicy": "Observe"}), None),
        (obj(adoption("Claimed"), deleted_at=BORN), None),
        (obj(adoption("Marking"), deleted_at=BORN), Stage.HOLDS),
        (obj({"intent": {"name": "s-1"}}), Stage.HOLDS),
    ],
)
def test_how_far_an_object_is(found: KubeObject, stage: Stage | None) -> None:
    claim = claim_of(found)
    assert (claim.stage if claim else None) == stage
    assert claim is None or (claim.cloud_id, str(claim)) == ("s-1", "EcsServer shop/other")


@pytest.mark.parametrize(
    ("mine", "other", "seconds", "stands"),
    [
        (Stage.WANTS, "Compared", -1, True),
        (Stage.WANTS, "Compared", 1, False),
        (Stage.WANTS, "Claimed", 1, True),
        (Stage.WANTS, "Adopted", 1, True),
        (Stage.CLAIMS, "Compared", -1, False),
        (Stage.CLAIMS, "Claimed", -1, True),
        (Stage.CLAIMS, "Claimed", 1, True),
        (Stage.CLAIMS, "Marking", 1, True),
    ],
)
async def test_who_comes_first(mine: Stage, other: str, seconds: float, stands: bool) -> None:  # noqa: FBT001
    clock = FakeClock()
    store = Listed(clock, obj(adoption(other), seconds=seconds))
    ledger = await Claims().since(0.0, resource=SERVER.plural, store=store, clock=clock)
    assert bool(ledger.rivals(replace(MINE, stage=mine))) is stands
    assert ledger.rivals(replace(MINE, uid="other", stage=mine)) == (), "never against itself"
    assert ledger.rivals(replace(MINE, cloud_id="s-2")) == ()


async def test_one_list_serves_all_whose_claims_were_written_before_it_began() -> None:
    clock = FakeClock()
    store = Listed(clock)
    claims = Claims()
    clock.advance(10)
    await asyncio.gather(*(claims.since(9.0, resource=SERVER.plural, store=store, clock=clock) for _ in range(5)))
    assert store.asked == [10.0]
    await claims.since(9.5, resource=SERVER.plural, store=store, clock=clock)
    assert store.asked == [10.0]
    await claims.since(10.0, resource=SERVER.plural, store=store, clock=clock)
    assert store.asked == [10.0, 10.0], "a claim written at that very moment may be missing from it"
