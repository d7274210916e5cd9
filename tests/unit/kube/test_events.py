from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ecs_lab.waiting import until
from ecs_operator.engine.objects import KubeObject
from ecs_operator.kube.events import EventPolicy, EventRecorder
from tests.unit.engine.stage import SetClock, kube_object, seeded
from tests.unit.kube.stage import FakeApi, connected, fake_api, status

POLICY = EventPolicy(flush_every=0.0, attempts=3, first_pause=0.001, buffer=3, timeout=1.0)
MADE: tuple[int, dict[str, Any]] = (201, {})


@asynccontextmanager
async def recording(directory: Path, *answers: Any, policy: EventPolicy = POLICY) -> AsyncIterator[tuple[EventRecorder, FakeApi, SetClock]]:
    clock = SetClock()
    async with fake_api(*answers) as api, connected(api, directory) as connection:
        yield EventRecorder(connection, clock=clock, rng=seeded(), instance="pod-1", policy=policy), api, clock


def note(events: EventRecorder, obj: KubeObject, *, reason: str = "Available", message: str = "m") -> None:
    events.record(obj, kind="Normal", reason=reason, message=message, action="Create")


async def test_an_event_has_all_that_events_k8s_io_asks_for(tmp_path: Path) -> None:
    async with recording(tmp_path, MADE) as (events, api, _):
        note(events, kube_object())
        await events.drain(within=5)
    (seen,) = api.seen
    assert (seen.method, seen.path) == ("POST", "/apis/events.k8s.io/v1/namespaces/ns/events")
    body = seen.body
    assert body.pop("metadata")["name"].startswith("a.")
    assert body == {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "type": "Normal",
        "reason": "Available",
        "action": "Create",
        "note": "m",
        "reportingController": "ecs.huaweicloud.com/ecs-operator",
        "reportingInstance": "pod-1",
        "regarding": {
            "apiVersion": "example.test/v1",
            "kind": "Thing",
            "name": "a",
            "namespace": "ns",
            "uid": "uid-a",
            "resourceVersion": "1",
        },
    }


async def test_repetitions_become_a_series_and_cost_one_write_a_time(tmp_path: Path) -> None:
    async with recording(tmp_path, MADE) as (events, api, clock):
        for _ in range(3):
            note(events, kube_object())
        await events.drain(within=5)
        clock.seconds = 60
        note(events, kube_object())
        note(events, kube_object(), message="another")
        await events.drain(within=5)
        clock.seconds = 1000
        note(events, kube_object())
        await events.drain(within=5)
    first, repeated, other, later = api.seen
    assert first.body["series"]["count"] == 3
    assert (repeated.method, repeated.body) == ("PATCH", {"series": {"count": 4, "lastObservedTime": "2026-01-01T00:01:00.000000Z"}})
    assert repeated.path.endswith(first.body["metadata"]["name"])
    assert [(each.method, "series" in each.body) for each in (other, later)] == [("POST", False), ("POST", False)]


async def test_a_series_whose_event_expired_begins_anew(tmp_path: Path) -> None:
    async with recording(tmp_path, MADE, status(404, "NotFound"), MADE) as (events, api, _):
        note(events, kube_object())
        await events.drain(within=5)
        note(events, kube_object())
        await events.drain(within=5)
    assert [each.method for each in api.seen] == ["POST", "PATCH", "POST"]


async def test_it_is_tried_again_and_then_dropped_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with recording(tmp_path, status(503, "ServiceUnavailable")) as (events, api, _):
        note(events, kube_object())
        await events.drain(within=5)
        assert (len(api.seen), events.dropped, events.written) == (3, 1, 0)
    assert "1 event(s) dropped" in caplog.text
    assert "hunter2" not in caplog.text


async def test_a_refusal_is_not_repeated(tmp_path: Path) -> None:
    async with recording(tmp_path, status(403, "Forbidden")) as (events, api, _):
        note(events, kube_object())
        await events.drain(within=5)
        assert (len(api.seen), events.dropped) == (1, 1)


async def test_the_buffer_is_bounded_and_recording_never_waits(tmp_path: Path) -> None:
    async with recording(tmp_path, MADE) as (events, api, _):
        for number in range(5):
            note(events, kube_object(f"o{number}"))
        assert (events.dropped, api.seen) == (2, [])
        await events.drain(within=5)
        assert sorted(each.body["regarding"]["name"] for each in api.seen) == ["o2", "o3", "o4"]


async def test_run_writes_in_the_background(tmp_path: Path) -> None:
    async with recording(tmp_path, MADE) as (events, api, _):
        running = asyncio.create_task(events.run())
        note(events, kube_object())

        async def written() -> bool:
            return bool(api.seen)

        await until(written, seconds=5, what="the event is written")
        running.cancel()


async def test_long_notes_are_cut(tmp_path: Path) -> None:
    async with recording(tmp_path, MADE) as (events, api, _):
        note(events, kube_object(), message="ü" * 2000)
        await events.drain(within=5)
    assert len(api.seen[0].body["note"].encode()) <= 1024
    assert api.seen[0].body["note"].endswith("ü…")


async def test_names_come_in_the_order_of_time(tmp_path: Path) -> None:
    """Events are shown in the order of their names, whatever it sorts them by: ours have no lastTimestamp."""
    async with recording(tmp_path, MADE) as (events, api, clock):
        for seconds in (0, 1, 9, 10, 100_000):
            clock.seconds = seconds
            note(events, kube_object(), message=f"at {seconds}")
            await events.drain(within=5)
    names = [each.body["metadata"]["name"] for each in api.seen]
    assert names == sorted(names)
    assert len(set(names)) == 5
