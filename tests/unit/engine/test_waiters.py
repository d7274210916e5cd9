from __future__ import annotations

from ecs_operator.engine.waiters import Waiters
from tests.unit.engine.stage import key


def blocked(waiters: Waiters, waiter: str, *awaited: str) -> bool:
    running = waiters.begin(key(waiter))
    try:
        return waiters.block(key(waiter), waits_for=[key(each) for each in awaited], during=running)
    finally:
        waiters.end(running)


def test_one_event_wakes_all_who_wait_for_it_once() -> None:
    waiters = Waiters()
    assert blocked(waiters, "b", "x")
    assert blocked(waiters, "a", "x", "y")
    assert blocked(waiters, "c", "y")
    assert waiters.changed(key("x")) == (key("a"), key("b"))
    assert waiters.changed(key("x")) == ()
    assert waiters.changed(key("y")) == (key("c"),)
    assert len(waiters) == 0
    assert not waiters._by_awaited


def test_a_new_pass_ends_the_waiting() -> None:
    waiters = Waiters()
    assert blocked(waiters, "a", "x")
    waiters.end(waiters.begin(key("a")))
    assert waiters.changed(key("x")) == ()


def test_an_event_during_the_pass_is_remembered_until_its_end() -> None:
    waiters = Waiters()
    during = waiters.begin(key("a"))
    waiters.changed(key("x"))
    assert not waiters.block(key("a"), waits_for=[key("x"), key("y")], during=during)
    waiters.end(during)
    assert blocked(waiters, "a", "x")


def test_the_same_key_named_twice_counts_once() -> None:
    waiters = Waiters()
    assert blocked(waiters, "a", "x", "x")
    assert waiters.changed(key("x")) == (key("a"),)
