"""Mass absence: when many servers vanish at once it is not believed, until they are back, an admin confirms it, or their objects go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from ecs_operator.api.group import SERVER
from ecs_operator.cloud import ServerSnapshots
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.resources.absence import LOOK_AGAIN, AbsenceWatch, Alarm, expected, judge
from ecs_operator.resources.keys import alarm_key, project_key
from tests.fakes.clock import FakeClock
from tests.fakes.cloud import FakeCloud, lost
from tests.fakes.store import FakeStore

LAB = "lab"


def key_of(number: int) -> ObjectKey:
    return ObjectKey(SERVER.plural, "shop", f"web-{number}")


@dataclass(frozen=True, kw_only=True)
class Case:
    known: int
    missing: int
    stands: bool = False
    alarm: bool


JUDGEMENTS: Mapping[str, Case] = {
    "all are there": Case(known=10, missing=0, alarm=False),
    "somebody deleted three": Case(known=10, missing=3, alarm=False),
    "four of ten": Case(known=10, missing=4, alarm=True),
    "all three of a small project": Case(known=3, missing=3, alarm=False),
    "all four": Case(known=4, missing=4, alarm=True),
    "less than a third of many": Case(known=1000, missing=300, alarm=False),
    "more than that": Case(known=1000, missing=301, alarm=True),
    "some are back, but by far not all": Case(known=1000, missing=200, stands=True, alarm=True),
    "hardly any is missing still": Case(known=1000, missing=3, stands=True, alarm=False),
    "there are none": Case(known=0, missing=0, alarm=False),
}


@pytest.mark.parametrize("case", JUDGEMENTS.values(), ids=JUDGEMENTS.keys())
def test_how_many_are_too_many(case: Case) -> None:
    known = {f"s{number}": key_of(number) for number in range(case.known)}
    shown = [f"s{number}" for number in range(case.missing, case.known)]
    alarm = judge(known, [*shown, "foreign"], confirmed=frozenset(), stands=case.stands)
    assert (alarm is not None) is case.alarm
    assert alarm is None or (len(alarm.missing), alarm.known) == (case.missing, case.known)


def test_what_is_confirmed_is_not_missed() -> None:
    known = {f"s{number}": key_of(number) for number in range(10)}
    assert judge(known, [], confirmed=frozenset(f"s{number}" for number in range(7)), stands=False) is None
    assert judge(known, [], confirmed=frozenset(f"s{number}" for number in range(6)), stands=False) is not None


def test_the_text_names_a_few_the_way_out_and_what_confirms_it() -> None:
    alarm = Alarm(missing={f"s{number}": key_of(number) for number in range(80)}, known=100)
    assert alarm.text.startswith("80 of 100 servers are not in the cloud's list any more (shop/web-0, ")
    assert f"ecs.huaweicloud.com/confirm-absence: {alarm.token}" in alarm.text
    assert len(alarm.text) < 1000
    assert alarm.token != Alarm(missing={f"s{number}": key_of(number) for number in range(79)}, known=100).token


NOT_EXPECTED: Mapping[str, Mapping[str, Any]] = {
    "of another project": {"project": "other"},
    "not made yet": {"id": None},
    "being made": {"create": {"incarnation": 1, "request": {"name": "x"}}},
    "known to be gone": {"conditions": [{"type": "Ready", "status": "False", "reason": "DeletedExternally"}]},
    "being replaced": {"conditions": [{"type": "Ready", "status": "False", "reason": "Replacing"}]},
    "being deleted by us": {"operation": {"kind": "Delete"}},
}


@pytest.mark.parametrize("change", NOT_EXPECTED.values(), ids=NOT_EXPECTED.keys())
def test_whose_server_is_not_expected(change: Mapping[str, Any]) -> None:
    stage = Stage()
    assert expected([stage.add(1)], LAB) == {"s1": key_of(1)}
    assert expected([stage.add(2, **change)], LAB) == {}


@dataclass
class Stage:
    """Objects web-0, web-1 and so on, with servers s0, s1 and so on."""

    clock: FakeClock = field(default_factory=FakeClock)
    woken: list[ObjectKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = FakeStore(self.clock)
        self.cloud = FakeCloud(self.clock)
        self.restart()

    def restart(self) -> None:
        self.woken.clear()
        self.watch = AbsenceWatch(store=self.store, clock=self.clock, wake=self.woken.append)
        self.snapshots: ServerSnapshots = self.cloud.tenant().snapshots

    def add(self, number: int, **status: Any) -> KubeObject:
        whole = {"id": f"s{number}", "project": LAB, **status}
        known = {name: value for name, value in whole.items() if value is not None}
        return self.store.create(SERVER.plural, f"web-{number}", {}, namespace="shop", status=known)

    def fill(self, number: int) -> None:
        for each in range(number):
            self.add(each)
            self.cloud.add_server(f"s{each}")

    async def believes(self) -> bool:
        self.clock.advance(1.0)
        return await self.watch.believes(LAB, await self.snapshots.at_most(0))

    async def alarm(self, *, suspected: bool = False) -> Alarm | None:
        return await self.watch.alarm(LAB, self.snapshots, suspected=suspected)


async def raised(*, known: int = 10, gone: int = 8) -> Stage:
    stage = Stage()
    stage.fill(known)
    for number in range(gone):
        stage.cloud.remove_server(f"s{number}")
    assert not await stage.believes()
    return stage


async def test_a_few_are_believed() -> None:
    stage = Stage()
    stage.fill(10)
    for number in range(3):
        stage.cloud.remove_server(f"s{number}")
    assert await stage.believes()
    assert await stage.alarm() is None
    assert stage.woken == []


async def test_an_alarm_is_raised_once_and_told() -> None:
    stage = await raised()
    assert stage.woken == [project_key(LAB), alarm_key(LAB)]
    first = await stage.alarm()
    assert first is not None
    stage.clock.advance(LOOK_AGAIN)
    assert await stage.alarm() == first
    assert len(stage.woken) == 2
    assert stage.watch.raised == {LAB: 1}


async def test_while_it_stands_the_list_is_taken_now_and_then() -> None:
    stage = await raised()
    before = len(stage.cloud.calls)
    for _ in range(100):
        stage.clock.advance(1.0)
        assert await stage.alarm() is not None
    assert len(stage.cloud.calls) - before <= 4


async def test_it_ends_when_the_servers_are_back() -> None:
    stage = await raised()
    for number in range(8):
        stage.cloud.add_server(f"s{number}")
    assert await stage.alarm() is not None, "looked at a moment ago"
    stage.clock.advance(LOOK_AGAIN)
    assert await stage.alarm() is None
    assert stage.woken[2:] == [project_key(LAB), alarm_key(LAB)]
    assert await stage.believes()


async def test_it_ends_when_the_objects_are_deleted_one_by_one() -> None:
    stage = await raised()
    for number in range(8):
        stage.clock.advance(LOOK_AGAIN)
        alarm = await stage.alarm()
        assert (alarm is not None) is (number < 5)
        stage.store.delete(key_of(number))


async def test_an_admin_confirms_it() -> None:
    stage = await raised()
    alarm = await stage.alarm()
    assert alarm is not None
    stage.watch.confirm(LAB, "another")
    assert await stage.alarm() is not None
    stage.watch.confirm(LAB, alarm.token)
    assert await stage.alarm() is None
    assert await stage.believes()
    assert stage.woken[2:] == [project_key(LAB)]
    # One of them is written down as gone; that the others are still missing raises no other alarm.
    stage.store.set_status(key_of(0), {"project": LAB, "id": "s0", "conditions": [{"type": "Ready", "reason": "DeletedExternally"}]})
    stage.clock.advance(LOOK_AGAIN)
    assert await stage.believes()


async def test_what_was_confirmed_holds_for_those_servers_only() -> None:
    stage = await raised(known=20, gone=8)
    alarm = await stage.alarm()
    assert alarm is not None
    stage.watch.confirm(LAB, alarm.token)
    for number in range(8, 18):
        stage.cloud.remove_server(f"s{number}")
    assert not await stage.believes()
    again = await stage.alarm()
    assert again is not None
    assert (len(again.missing), again.token != alarm.token) == (10, True)


async def test_a_restarted_operator_finds_out_again() -> None:
    stage = await raised()
    alarm = await stage.alarm()
    assert alarm is not None
    stage.restart()
    assert await stage.alarm() is None, "nobody suspects anything"
    assert await stage.alarm(suspected=True) == alarm
    stage.restart()
    stage.watch.confirm(LAB, alarm.token)
    assert await stage.alarm(suspected=True) is None, "the annotation still stands"


async def test_what_cannot_be_found_out_ends_nothing() -> None:
    stage = await raised()
    stage.cloud.list_is_complete = False
    stage.clock.advance(LOOK_AGAIN)
    assert await stage.alarm() is not None
    stage.cloud.fail("listServersDetails", lost("listServersDetails"))
    stage.clock.advance(LOOK_AGAIN)
    assert await stage.alarm() is not None


async def test_projects_do_not_share_an_alarm() -> None:
    stage = await raised()
    assert await stage.watch.alarm("other", stage.snapshots, suspected=False) is None
    stage.watch.forget(LAB)
    assert await stage.alarm() is None
