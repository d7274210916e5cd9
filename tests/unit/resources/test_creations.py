"""Places for creations: so many at a time, whoever waited longest first, and none is lost for ever."""

from __future__ import annotations

import pytest

from ecs_operator.engine.objects import ObjectKey
from ecs_operator.resources.creations import HOLD, Creations
from ecs_operator.resources.keys import turn_key


class Subject:
    def __init__(self, most: int | None) -> None:
        self.woken: list[ObjectKey] = []
        self.now = 0.0
        self.creations = Creations(most, wake=self.woken.append)

    def begin(self, *uids: str) -> list[bool]:
        return [self.creations.begin(uid, now=self.now) for uid in uids]

    def ended(self, uid: str) -> None:
        self.creations.ended(uid, now=self.now)

    def turns(self) -> list[str]:
        """Whose turn has come since the last time."""
        found = [key.name for key in self.woken]
        assert self.woken == list(map(turn_key, found))
        self.woken.clear()
        return found


@pytest.fixture
def subject() -> Subject:
    return Subject(2)


def test_so_many_at_a_time_and_then_in_the_order_they_came(subject: Subject) -> None:
    assert subject.begin("a", "b", "c", "d", "c") == [True, True, False, False, False]
    assert subject.begin("a") == [True], "who has a place keeps it"
    subject.ended("b")
    assert subject.turns() == ["c"]
    assert subject.begin("e", "d", "c") == [False, False, True], "the place is the one's who was woken"
    subject.ended("a")
    subject.ended("c")
    assert subject.turns() == ["d", "e"]
    assert subject.begin("d", "e") == [True, True]


def test_who_gives_up_waiting_is_not_woken(subject: Subject) -> None:
    subject.begin("a", "b", "c", "d")
    subject.ended("c")
    subject.ended("a")
    assert subject.turns() == ["d"]


def test_what_was_begun_before_a_restart_counts_also_beyond_the_limit(subject: Subject) -> None:
    for uid in ("a", "b", "c"):
        subject.creations.goes_on(uid, now=0.0)
    assert subject.begin("d") == [False]
    subject.ended("a")
    assert subject.turns() == []
    subject.ended("b")
    assert subject.turns() == ["d"]


def test_the_place_of_somebody_who_vanished_falls_free(subject: Subject) -> None:
    subject.begin("a", "b", "c")
    subject.now = HOLD - 1
    subject.creations.goes_on("a", now=subject.now)
    assert subject.begin("c") == [False]
    subject.now = HOLD
    assert subject.begin("c") == [True]
    assert subject.begin("d") == [False], "a is still at it"


def test_a_turn_that_is_not_taken_passes_on(subject: Subject) -> None:
    subject.begin("a", "b", "gone", "c")
    subject.ended("a")
    assert subject.turns() == ["gone"]
    for now in (30.0, 60.0, 90.0):
        subject.now = now
        subject.creations.goes_on("b", now=now)
        assert subject.begin("c") == [False]
    subject.now = HOLD
    assert subject.begin("c") == [True]


def test_without_a_limit_nobody_waits() -> None:
    assert all(Subject(None).begin(*map(str, range(1000))))
