from __future__ import annotations

from typing import Any

import pytest

from ecs_operator.engine.ports import ConflictError
from ecs_operator.engine.status_writer import StatusWriter, compact
from tests.unit.engine.stage import MemoryEvents, MemoryStore, Recorded, SetClock, kube_object


def condition(status: str, reason: str, message: str = "m", kind: str = "Ready") -> dict[str, Any]:
    return {"type": kind, "status": status, "reason": reason, "message": message}


def writer(obj: Any) -> tuple[StatusWriter, MemoryStore, MemoryEvents]:
    store, events = MemoryStore(obj), MemoryEvents()
    return StatusWriter(store, events, SetClock()), store, events


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"a": None, "b": [], "c": {}, "d": {"e": {"f": None}}}, {}),
        ({"a": 0, "b": False, "c": "", "d": [0], "e": [{}]}, {"a": 0, "b": False, "c": "", "d": [0], "e": [{}]}),
        ({"a": ({"b": None, "c": 1},)}, {"a": [{"c": 1}]}),
    ],
    ids=["empty all the way down", "falsy values stay", "inside lists"],
)
def test_compact(value: object, kept: object) -> None:
    assert compact(value) == kept


async def test_an_equal_status_is_not_written() -> None:
    obj = kube_object(status={"id": "1", "list": [1]})
    subject, store, events = writer(obj)
    assert await subject.write(obj, {"id": "1", "list": [1], "job": None, "volumes": []}, action="Observe") is obj
    assert (store.applied, events.recorded) == ([], [])
    assert (subject.writes, subject.unchanged) == (0, 1)


async def test_a_different_status_is_written_and_the_object_as_it_is_now_returned() -> None:
    obj = kube_object(status={"id": "1"})
    subject, store, _ = writer(obj)
    written = await subject.write(obj, {"id": "2", "job": {}}, action="Observe")
    assert store.applied == [{"id": "2"}]
    assert (written.resource_version, written.status) == ("2", {"id": "2"})
    assert await subject.write(written, {"id": "2"}, action="Observe") is written


async def test_a_lost_compare_and_set_is_raised_and_tells_nothing() -> None:
    obj = kube_object()
    subject, store, events = writer(obj)
    await store.apply_status(obj, {"by": "another"})
    with pytest.raises(ConflictError):
        await subject.write(obj, {"conditions": [condition("True", "Available")]}, action="Create")
    assert events.recorded == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [condition("True", "Available")]),
        ([condition("False", "Creating")], [condition("True", "Available")]),
        ([condition("True", "Available")], [condition("False", "Starting"), condition("True", "Starting", kind="Reconciling")]),
        ([condition("False", "Creating")], [condition("False", "Throttled"), condition("True", "Throttled", kind="Reconciling")]),
    ],
    ids=["first", "ready", "not ready", "only the reason"],
)
@pytest.mark.parametrize(("trouble", "kind"), [(False, "Normal"), (True, "Warning")], ids=["calm", "trouble"])
async def test_a_transition_of_ready_is_told(
    before: list[dict[str, Any]], after: list[dict[str, Any]], *, trouble: bool, kind: str
) -> None:
    obj = kube_object(status={"conditions": before})
    subject, _, events = writer(obj)
    await subject.write(obj, {"conditions": after}, action="Do", trouble=trouble)
    assert events.recorded == [Recorded(kind, after[0]["reason"], "m", "Do")]


@pytest.mark.parametrize("after", [[condition("False", "Creating", "another message")], []], ids=["same reason", "no Ready at all"])
async def test_other_changes_are_not_told(after: list[dict[str, Any]]) -> None:
    obj = kube_object(status={"conditions": [condition("False", "Creating")]})
    subject, store, events = writer(obj)
    await subject.write(obj, {"id": "x", "conditions": after}, action="Do")
    assert len(store.applied) == 1
    assert events.recorded == []
