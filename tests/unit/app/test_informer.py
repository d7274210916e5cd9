"""The supervision, with kopf replaced by scripts. What kopf itself does is tested against a real API server in tests/e2e."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import itertools
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import kopf
import pytest

from ecs_lab.waiting import until
from ecs_operator.app.informer import Forever, Informer
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.sightings import Sighting
from ecs_operator.kube.credentials import Access
from tests.unit.app.scripted_kopf import Script, as_root_task
from tests.unit.engine.stage import SetClock, seeded
from tests.unit.kube.stage import fake_api

ACCESS = Access(server="https://k", authority="comment\n-----BEGIN CERTIFICATE-----\n", token="t")


@asynccontextmanager
async def informer(monkeypatch: pytest.MonkeyPatch, script: Script | None, **changes: Any) -> AsyncIterator[Informer]:
    """An informer that was started. Without a script kopf itself runs."""
    if script is not None:
        monkeypatch.setattr(kopf, "spawn_tasks", as_root_task(script))
    ignored: Callable[..., None] = lambda *_: None  # noqa: E731 - a default
    options: dict[str, Any] = {"namespaces": (), "on_seen": ignored, "on_gone": ignored, "access": lambda: ACCESS, **changes}
    subject = Informer(group="g.test", version="v1", plurals=["things"], rng=seeded(), identity="me", **options)
    subject.start()
    try:
        yield subject
    finally:
        await subject.close()


async def test_it_is_started_again_whatever_ends_it_and_stops_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []

    async def ends(*, stop_flag: asyncio.Event, **_: object) -> None:
        runs.append(threading.current_thread().name)
        if len(runs) == 1:
            raise kopf.PermanentError("404")
        if len(runs) > 2:
            await stop_flag.wait()

    async with informer(monkeypatch, ends) as subject:

        async def third_run() -> bool:
            return len(runs) == 3

        await until(third_run, seconds=20, what="a third run")
        assert subject.alive
        assert subject.restarts == 2
    assert set(runs) == {"informer"}
    assert not subject.alive


async def test_a_task_of_kopf_that_does_not_end_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen with kopf 1.45 after a 401: one root task failed, another swallowed its cancellation."""
    runs = []

    async def fails_and_hangs(**_: object) -> list[asyncio.Task[None]]:
        async def fails() -> None:
            await asyncio.sleep(0)
            raise AssertionError("a closed session")

        async def hangs() -> None:
            while True:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

        runs.append(1)
        return [asyncio.create_task(fails()), asyncio.create_task(hangs())]

    monkeypatch.setattr("ecs_operator.app.informer._ABANDON_SECONDS", 0.01)
    monkeypatch.setattr(kopf, "spawn_tasks", fails_and_hangs)
    async with informer(monkeypatch, None):

        async def second_run() -> bool:
            return len(runs) >= 2

        await until(second_run, seconds=20, what="it is started again")


class Hasty(threading.Event):
    """Waits a thousandth of what it is told."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(None if timeout is None else timeout / 1000)


async def test_one_that_ends_again_and_again_is_unsteady_then_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    found: dict[int, tuple[bool, bool]] = {}
    monkeypatch.setattr(threading, "Event", Hasty)
    begin = threading.Event()
    subject: Informer

    async def ends(**_: object) -> None:
        await asyncio.to_thread(begin.wait)
        found.setdefault(subject.restarts, (subject.steady, subject.alive))

    async with informer(monkeypatch, ends) as subject:
        begin.set()

        async def given_up() -> bool:
            return not subject.alive

        await until(given_up, seconds=10, what="liveness fails")
    assert subject.restarts >= 9
    assert [found[ends] for ends in (0, 2, 3, 9)] == [(True, True), (True, True), (False, True), (False, True)]


async def test_one_that_runs_for_a_minute_has_recovered(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, runs = SetClock(), []
    monkeypatch.setattr(threading, "Event", Hasty)

    async def ends_four_times(*, stop_flag: asyncio.Event, **_: object) -> None:
        runs.append(clock.seconds)
        if len(runs) > 4:
            await stop_flag.wait()

    async with informer(monkeypatch, ends_four_times, monotonic=clock) as subject:

        async def fifth_run() -> bool:
            return len(runs) == 5

        await until(fifth_run, seconds=10, what="a fifth run")
        clock.seconds = 59.0
        assert not subject.steady
        clock.seconds = 60.5

        async def steady() -> bool:
            return subject.steady

        await until(steady, seconds=10, what="it is steady again once the thread has noted that it is alive")
    assert subject.restarts == 4


async def test_kopf_runs_for_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", nobody)
    async with (
        fake_api((404, {})) as api,
        informer(monkeypatch, None, access=lambda: Access(server=api.url, authority=None, token="t")),
    ):

        async def asked() -> bool:
            return bool(api.seen)

        await until(asked, seconds=10, what="kopf asks the API server")


async def test_only_copied_keys_come_out_in_the_loop_that_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[ObjectKey, Sighting, str]] = []
    gone: list[tuple[ObjectKey, str]] = []
    metadata = {"name": "a", "namespace": "ns", "uid": "1", "generation": 3, "annotations": {"x": "1"}}

    async def events(*, registry: Any, stop_flag: asyncio.Event, **_: object) -> None:
        (handler,) = registry._watching.get_all_handlers()
        await handler.fn(type=None, body={"metadata": metadata})
        await handler.fn(type="MODIFIED", body={"metadata": {"name": "c", "uid": "2"}})
        await handler.fn(type="DELETED", body={"metadata": metadata})
        metadata["annotations"] = {"x": "changed afterwards"}
        await stop_flag.wait()

    def on_seen(key: ObjectKey, now: Sighting) -> None:
        seen.append((key, now, threading.current_thread().name))

    def on_gone(key: ObjectKey) -> None:
        gone.append((key, threading.current_thread().name))

    async with informer(monkeypatch, events, on_seen=on_seen, on_gone=on_gone):

        async def all_told() -> bool:
            return bool(gone)

        await until(all_told, seconds=5, what="three events")
    here = threading.current_thread().name
    assert [(key, thread) for key, _, thread in seen] == [(ObjectKey("things", "ns", "a"), here), (ObjectKey("things", "", "c"), here)]
    assert seen[0][1].generation == 3
    assert gone == [(ObjectKey("things", "ns", "a"), here)]


@pytest.mark.parametrize(("namespaces", "scope"), [((), {"clusterwide": True}), (("a", "b"), {"namespaces": ("a", "b")})])
async def test_its_settings(namespaces: tuple[str, ...], scope: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}

    async def note(*, stop_flag: asyncio.Event, **options: Any) -> None:
        told.update(options)
        await stop_flag.wait()

    async with informer(monkeypatch, note, namespaces=namespaces):

        async def started() -> bool:
            return bool(told)

        await until(started, seconds=5, what="kopf runs")
    settings = told.pop("settings")
    told.pop("registry")
    assert told == {"standalone": True, "identity": "me", **scope}
    assert (settings.queueing.idle_timeout, settings.watching.chunk_size) == (0.1, 500)
    assert (settings.watching.server_timeout, settings.watching.inactivity_timeout) == (240, 70)
    assert (settings.networking.connect_timeout, settings.networking.request_timeout) == (5, 30)
    assert (settings.posting.enabled, settings.scanning.disabled, settings.queueing.worker_limit) == (False, True, None)


async def test_logins_after_refusals_pause_and_never_look_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(*, stop_flag: asyncio.Event, **_: object) -> None:
        await stop_flag.wait()

    async with informer(monkeypatch, wait) as subject:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        started = loop.time()
        first = await subject._login(stop)
        assert loop.time() - started < 0.5
        assert (first.server, first.token, first.scheme, first.ca_data) == ("https://k", "t", "Bearer", "-----BEGIN CERTIFICATE-----\n")
        second = await subject._login(stop)
        assert 0.9 < loop.time() - started < 2
        assert second != first
        stop.set()
        await subject._login(stop)
        assert loop.time() - started < 2.5, "a stop ends the pause"


def test_pauses_are_endless_and_begin_anew() -> None:
    pauses = Forever()
    assert list(itertools.islice(pauses, 7)) == [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 10.0]
    assert next(iter(pauses)) == 0.2
