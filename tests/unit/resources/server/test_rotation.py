"""What no list shows is read again in slow rotation, within a budget."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Meaning
from ecs_operator.resources.server.reconciler import ServerReconciler
from ecs_operator.resources.server.rotation import Detail, Rotation
from tests.unit.resources.server.fake_cloud import refusal
from tests.unit.resources.server.stage import Stage, pause_of
from tests.unit.resources.server.test_changes import DEFAULT_GROUP, WEB_GROUP, server
from tests.unit.resources.server.test_stopped_changes import A, running

PERIOD = 3600.0
ALL: tuple[Detail, ...] = ("security_groups", "auto_recovery", "server_group")
SPEC: dict[str, Any] = {"securityGroupIds": [DEFAULT_GROUP], "autoRecovery": True, "serverGroupId": A}


def turns(rotation: Rotation, uid: str, *, hours: float, start: float = 0.0, details: tuple[Detail, ...] = ALL) -> list[Detail]:
    """What is read of one object that is looked at every five minutes."""
    moments = (start + 300.0 * number for number in range(int(hours * 12)))
    return [turn for at in moments if (turn := rotation.due(uid, details, at=at)) is not None]


def test_at_most_one_detail_in_a_period_and_each_in_turn() -> None:
    for seed in range(20):
        found = turns(Rotation(period=PERIOD, rng=Random(seed)), "a", hours=12)  # noqa: S311
        assert 11 <= len(found) <= 12
        assert {tuple(sorted(found[at : at + 3])) for at in range(0, 9, 3)} == {tuple(sorted(ALL))}


def test_a_thousand_servers_are_spread_over_the_period() -> None:
    rotation = Rotation(period=PERIOD, rng=Random(1))  # noqa: S311
    for at in range(0, int(PERIOD), 300):
        read = sum(rotation.due(f"{number}", ALL, at=float(at)) is not None for number in range(1000))
        assert read <= 140, f"{read} at {at}"
    assert sum(len(turns(rotation, f"{number}", hours=1, start=PERIOD)) for number in range(1000)) <= 1000
    for number in range(1000):
        rotation.forget(f"{number}")
    assert len(rotation) == 0


def test_one_that_restarts_often_comes_round_to_all() -> None:
    read = {uid for seed in range(40) for uid in "abcdef" if turns(Rotation(period=PERIOD, rng=Random(f"{uid}{seed}")), uid, hours=0.5)}  # noqa: S311
    assert read == set("abcdef")


@pytest.mark.parametrize(("period", "details"), [(0.0, ALL), (PERIOD, ())])
def test_nothing_is_read_where_nothing_is_to_be(period: float, details: tuple[Detail, ...]) -> None:
    assert turns(Rotation(period=period, rng=Random(1)), "a", hours=100, details=details) == []  # noqa: S311


# --- On a server


class Reads:
    """Counts the reads of details of a stage's cloud."""

    def __init__(self, stage: Stage) -> None:
        self.made: list[str] = []
        self.error: Exception | None = None
        client: Any = stage.tenants.tenant.client  # type: ignore[union-attr]
        self._count(client.security_groups, "of_server")
        self._count(client.auto_recovery, "get")
        self._count(client.groups, "get")
        self._count(client.groups, "list")

    def _count(self, group: Any, name: str) -> None:
        inner = getattr(group, name)

        async def counted(*args: Any) -> Any:
            self.made.append(name)
            if self.error is not None:
                raise self.error
            return await inner(*args)

        setattr(group, name, counted)


async def hours(stage: Stage, number: float) -> None:
    until = stage.clock.monotonic() + number * 3600
    while stage.clock.monotonic() < until:
        stage.clock.advance(pause_of(await stage.once()))


async def test_in_steady_state_one_read_an_hour_and_no_write() -> None:
    stage = await running(**SPEC)
    await hours(stage, 1)
    reads, writes, gets = Reads(stage), stage.store.status_writes, stage.effects.count("cloud.get")
    await hours(stage, 24)
    assert 22 <= len(reads.made) <= 24
    assert {reads.made.count(name) for name in ("of_server", "get")} <= {7, 8, 15, 16}
    assert (stage.store.status_writes, stage.effects.count("cloud.get")) == (writes, gets)


async def test_of_what_the_spec_does_not_speak_of_nothing_is_read() -> None:
    stage = await running()
    reads = Reads(stage)
    await hours(stage, 12)
    assert reads.made == []


async def test_with_a_period_of_nought_nothing_is_read_again() -> None:
    stage = await running(**SPEC)
    desk = stage.reconciler._desk
    stage.reconciler = ServerReconciler(
        store=desk.store,
        writer=desk.writer,
        tenants=desk.tenants,
        authority=desk.authority,
        clock=desk.clock,
        rng=desk.rng,
        wake=stage.woken.append,
        events=desk.events,
        details_period=0.0,
    )
    reads = Reads(stage)
    stage.settings.recovery[server(stage).id] = False
    await hours(stage, 12)
    assert reads.made == []


async def test_two_security_groups_of_one_name_are_told_apart_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await running(securityGroupIds=[DEFAULT_GROUP], driftPolicy="Report")
    client: Any = stage.tenants.tenant.client  # type: ignore[union-attr]
    (group,) = await client.security_groups.of_server(server(stage).id)

    async def of_server(_: str) -> tuple[Any, ...]:
        return (type(group)(id=WEB_GROUP, name=group.name),)

    monkeypatch.setattr(client.security_groups, "of_server", of_server)
    await hours(stage, 2)
    assert stage.reason == Reason.DRIFTED
    assert [(each["path"], each["have"]) for each in stage.status["drift"]] == [("spec.securityGroupIds", WEB_GROUP)]


async def test_a_read_that_fails_changes_nothing_and_is_not_repeated_before_its_turn() -> None:
    stage = await running(**SPEC)
    await hours(stage, 1)
    reads, writes = Reads(stage), stage.store.status_writes
    reads.error = refusal("listServerSecurityGroups", meaning=Meaning.INTERNAL, status=500)
    await hours(stage, 6)
    assert stage.ready["status"] == "True"
    assert stage.store.status_writes == writes
    assert len(reads.made) <= 6


async def test_nothing_is_read_while_the_operator_is_at_work() -> None:
    stage = await running(**SPEC, powerState="Running")
    stage.clock.advance(3 * PERIOD)
    stage.store.edit(stage.obj.key, spec={**stage.obj.spec, "powerState": "Stopped"})
    reads = Reads(stage)
    await stage.until(lambda: "operation" in stage.status)
    await stage.until(lambda: "operation" not in stage.status)
    assert len(reads.made) <= 1, "only when it is over"
