"""Between two whole lists only what has changed is listed: merged, or not trusted; and never taken for evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from ecs_operator.cloud import CloudError, Failure, Meaning, Outcome, Server, ServerSnapshots, Snapshot, Sweep
from tests.unit.cloud.stage import START, LoopClock

pytestmark = pytest.mark.looptime

OURS_IS_WRONG = timedelta(hours=3)
"""By so much the cloud's clock differs from ours: no list of changes may go by ours."""


def refusal(meaning: Meaning) -> CloudError:
    return CloudError(
        Failure(operation="listServersDetails", method="GET", outcome=Outcome.REFUSED, meaning=meaning, message="no", status=400)
    )


@dataclass
class Cloud:
    """Servers a, b and c, an hour old. ``asked`` holds what each list was to reach back to, None for a whole one."""

    rows: dict[str, Server] = field(default_factory=dict)
    asked: list[str | None] = field(default_factory=list)
    is_complete: bool = True
    incomplete_changes: bool = False
    tells_time: bool = True
    behind: timedelta = timedelta()
    """By so much the clock of the Date header is behind that of the stamps."""
    refuses: Meaning | None = None

    def __post_init__(self) -> None:
        for name in "abc":
            self.rows[name] = Server(id=name, status="ACTIVE", updated=stamp(self.now() - timedelta(hours=1)), metadata={"is": "old"})

    def now(self) -> datetime:
        return LoopClock().now() + OURS_IS_WRONG

    def change(self, name: str, *, status: str) -> None:
        self.rows[name] = replace(self.rows.get(name, Server(id=name)), status=status, updated=stamp(self.now()), metadata={"is": "new"})

    async def sweep(self, *, changes_since: str | None = None) -> Sweep:
        self.asked.append(changes_since)
        time = self.now() - self.behind if self.tells_time else None
        await asyncio.sleep(1)
        if changes_since is None:
            alive = tuple(row for row in self.rows.values() if row.status != "DELETED")
            return Sweep(servers=alive, complete=self.is_complete, cloud_time=time)
        if self.refuses is not None:
            raise refusal(self.refuses)
        since = datetime.fromisoformat(changes_since)
        changed = tuple(row for row in self.rows.values() if row.updated_at is not None and row.updated_at >= since)
        return Sweep(servers=changed, complete=not self.incomplete_changes, cloud_time=time)


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


async def refreshed(snapshots: ServerSnapshots, *, age: float = 10, whole_within: float = 600) -> Snapshot:
    return await snapshots.refreshed(age, whole_within=whole_within)


async def test_only_what_has_changed_is_listed_again() -> None:
    cloud = Cloud()
    snapshots = ServerSnapshots(cloud, LoopClock(), margin=90)
    first = await refreshed(snapshots)
    assert (first.complete, first.is_merged, set(first.servers)) == (True, False, set("abc"))
    await asyncio.sleep(200)
    for name, status in (("a", "SHUTOFF"), ("b", "DELETED"), ("d", "BUILD")):
        cloud.change(name, status=status)
    # Such a change is not noted, and so is not seen yet.
    cloud.rows["c"] = replace(cloud.rows["c"], tags=("x",))
    second = await refreshed(snapshots)
    assert cloud.asked == [None, stamp(START + OURS_IS_WRONG - timedelta(seconds=90))]
    assert {name: row.status for name, row in second.servers.items()} == {"a": "SHUTOFF", "c": "ACTIVE", "d": "BUILD"}
    assert second.servers["c"].tags == ()
    assert (second.complete, second.is_merged, second.shows_all) == (False, True, True), "it proves no absence"
    assert second.taken_at == START + timedelta(seconds=201)
    await asyncio.sleep(5)
    assert await refreshed(snapshots) is second
    await asyncio.sleep(5)
    await refreshed(snapshots)
    assert cloud.asked[2] == stamp(START + OURS_IS_WRONG + timedelta(seconds=201 - 90)), "the next goes on from there"


async def test_who_needs_proof_gets_a_whole_list() -> None:
    cloud = Cloud()
    snapshots = ServerSnapshots(cloud, LoopClock())
    await refreshed(snapshots)
    await asyncio.sleep(60)
    merged = asyncio.create_task(refreshed(snapshots))
    await asyncio.sleep(0.5)
    proof = await snapshots.at_most(10)
    assert (await merged).is_merged
    assert (proof.complete, proof.is_merged, len(cloud.asked)) == (True, False, 3)
    assert await refreshed(snapshots) is proof, "what is whole serves everybody"


async def test_a_whole_list_is_due_now_and_then() -> None:
    cloud = Cloud()
    snapshots = ServerSnapshots(cloud, LoopClock())
    for _ in range(60):
        await refreshed(snapshots, age=60, whole_within=600)
        await asyncio.sleep(60)
    whole = cloud.asked.count(None)
    assert (whole, len(cloud.asked) - whole) == (6, 54)


def without_time(cloud: Cloud) -> None:
    cloud.tells_time = False


def behind_the_stamps(cloud: Cloud) -> None:
    cloud.change("a", status="ACTIVE")
    cloud.behind = timedelta(seconds=200)


def back(cloud: Cloud) -> None:
    cloud.behind = timedelta(seconds=70)


def incomplete_changes(cloud: Cloud) -> None:
    cloud.incomplete_changes = True


def refused(cloud: Cloud) -> None:
    cloud.refuses = Meaning.INVALID


DOUBTS: list[tuple[str, Callable[[Cloud], None]]] = [
    ("the cloud does not tell its time", without_time),
    ("its clock is behind the stamps on the servers", behind_the_stamps),
    ("its clock went back", back),
    ("a row of unknown state, or a page missing", incomplete_changes),
    ("the filter is refused", refused),
]


@pytest.mark.parametrize("make", [case[1] for case in DOUBTS], ids=[case[0] for case in DOUBTS])
async def test_what_cannot_be_trusted_takes_a_whole_list_at_once(make: Callable[[Cloud], None]) -> None:
    cloud = Cloud()
    snapshots = ServerSnapshots(cloud, LoopClock())
    await refreshed(snapshots)
    await asyncio.sleep(60)
    make(cloud)
    snapshot = await refreshed(snapshots)
    assert (snapshot.complete, snapshot.is_merged) == (True, False)
    assert [each is None for each in cloud.asked] == [True, False, True]


async def test_an_endpoint_that_refuses_the_filter_is_asked_once() -> None:
    cloud = Cloud(refuses=Meaning.INVALID)
    snapshots = ServerSnapshots(cloud, LoopClock())
    for _ in range(4):
        assert (await refreshed(snapshots)).complete
        await asyncio.sleep(60)
    assert [each is None for each in cloud.asked] == [True, False, True, True, True]


async def test_a_cloud_whose_clock_is_ahead_of_its_stamps_is_found_out_by_the_next_whole_list() -> None:
    cloud = Cloud(behind=-timedelta(minutes=10))
    snapshots = ServerSnapshots(cloud, LoopClock())
    await refreshed(snapshots)
    await asyncio.sleep(60)
    cloud.change("a", status="SHUTOFF")
    await asyncio.sleep(300)
    missed = await refreshed(snapshots)
    assert (missed.is_merged, missed.servers["a"].status) == (True, "ACTIVE")
    await asyncio.sleep(240)
    assert (await refreshed(snapshots)).servers["a"].status == "SHUTOFF"
    await asyncio.sleep(60)
    await refreshed(snapshots)
    assert cloud.asked[-2:] == [None, None], "it is not asked for changes again"


async def test_a_refusal_that_is_not_about_the_filter_is_told() -> None:
    cloud = Cloud()
    snapshots = ServerSnapshots(cloud, LoopClock())
    await refreshed(snapshots)
    await asyncio.sleep(60)
    cloud.refuses = Meaning.THROTTLED
    with pytest.raises(CloudError):
        await refreshed(snapshots)
    cloud.refuses = None
    assert (await refreshed(snapshots)).is_merged


async def test_changes_are_laid_over_nothing_incomplete_or_from_before_a_change() -> None:
    cloud = Cloud(is_complete=False)
    snapshots = ServerSnapshots(cloud, LoopClock())
    await refreshed(snapshots)
    await asyncio.sleep(60)
    cloud.is_complete = True
    await refreshed(snapshots)
    snapshots.invalidate()
    assert (await refreshed(snapshots)).complete
    assert cloud.asked == [None, None, None]
