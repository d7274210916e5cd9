"""Any mixture of kills, lost answers, conflicts and failing jobs: at most one server at any time, exactly one in the end, then none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_operator.engine.ports import ConflictError, UnavailableError
from tests.unit.resources.server.effects import Crash, When
from tests.unit.resources.server.fake_cloud import lost
from tests.unit.resources.server.stage import KEY, Stage, pause_of

Trouble = Literal["kill", "cloud", "kubernetes", "conflict"]
ERRORS: dict[Trouble, Callable[[], BaseException]] = {
    "kill": Crash,
    "cloud": lambda: lost("call"),
    "kubernetes": lambda: UnavailableError("503"),
    "conflict": lambda: ConflictError("409"),
}
CALLS = ("cloud.create", "cloud.job", "cloud.get", "cloud.sweep", "cloud.delete")
WRITES = ("kube.status", "kube.add_finalizer", "kube.get", "kube.remove_finalizer")


@dataclass(frozen=True)
class Planned:
    """One thing that goes wrong."""

    effect: str
    when: When
    trouble: Trouble
    nth: int


@dataclass(frozen=True)
class Weather:
    """What the cloud is like."""

    idempotency: Literal["Auto", "Token", "Settle"]
    tells_ids: bool
    list_lag: float
    failure: tuple[str, str, bool] | None


WHENS: tuple[When, ...] = ("before", "after")
planned = st.one_of(
    st.builds(Planned, st.sampled_from(CALLS), st.sampled_from(WHENS), st.sampled_from(("kill", "cloud")), st.integers(1, 6)),
    st.builds(Planned, st.sampled_from(WRITES), st.sampled_from(WHENS), st.sampled_from(("kill", "kubernetes")), st.integers(1, 8)),
    st.builds(Planned, st.just("kube.status"), st.just("before"), st.just("conflict"), st.integers(1, 8)),
)
weather = st.builds(
    Weather,
    st.sampled_from(("Auto", "Token", "Settle")),
    st.booleans(),
    st.sampled_from((0.0, 25.0)),
    st.sampled_from((None, ("Ecs.0219", "no luck", True), ("Ecs.0219", "no luck", False))),
)


def stage_in(sky: Weather, mishaps: list[Planned]) -> Stage:
    stage = Stage(idempotency=sky.idempotency)
    stage.cloud.honours_tokens = sky.idempotency == "Token"
    stage.cloud.tells_ids = sky.tells_ids
    stage.cloud.list_lag = sky.list_lag
    stage.cloud.next_failure = sky.failure
    for each in mishaps:
        stage.effects.plan(each.effect, each.when, ERRORS[each.trouble](), nth=each.nth)
    return stage


async def drive(stage: Stage, reached: Callable[[], bool], *, passes: int = 500) -> bool:
    """Passes until it is reached; a killed operator is started again. False when it was not reached."""
    for _ in range(passes):
        pause = 1.0
        try:
            pause = pause_of(await stage.once())
        except Crash:
            stage.restart()
        stage.cloud.settle()
        assert len(stage.cloud.alive()) <= 1
        if reached():
            return True
        stage.clock.advance(pause)
    return False


def is_gone(stage: Stage) -> bool:
    return KEY not in stage.store.objects


async def goes_without_a_trace(stage: Stage) -> None:
    if not is_gone(stage):
        stage.delete()
    assert is_gone(stage) or await drive(stage, lambda: is_gone(stage)), stage.ready
    # Nothing may arrive after the finalizer went.
    stage.clock.advance(1000.0)
    stage.cloud.settle()
    assert stage.cloud.alive() == []
    assert stage.cloud.most_alive <= 1


@given(sky=weather, mishaps=st.lists(planned, max_size=6))
@settings(max_examples=150, deadline=None)
async def test_exactly_one_then_none(sky: Weather, mishaps: list[Planned]) -> None:
    stage = stage_in(sky, mishaps)
    assert await drive(stage, lambda: stage.ready.get("status") == "True"), stage.ready
    assert [server.id for server in stage.cloud.alive()] == [stage.status["id"]]
    assert len(stage.cloud.created()) == (2 if sky.failure else 1)
    await goes_without_a_trace(stage)


@given(sky=weather, mishaps=st.lists(planned, max_size=6), passes=st.integers(0, 12))
@settings(max_examples=150, deadline=None)
async def test_none_when_it_is_deleted_on_the_way(sky: Weather, mishaps: list[Planned], passes: int) -> None:
    stage = stage_in(sky, mishaps)
    await drive(stage, lambda: False, passes=passes)
    await goes_without_a_trace(stage)


@given(
    sky=weather,
    mishaps=st.lists(planned, max_size=6),
    passes=st.integers(0, 12),
    then=st.sampled_from(("wait", "take back", "delete", "vanish")),
)
@settings(max_examples=200, deadline=None, derandomize=True)
async def test_a_replacement_never_makes_two(sky: Weather, mishaps: list[Planned], passes: int, then: str) -> None:
    """Whatever happens on the way, and whatever somebody does at any moment of it; what is deleted is the server of the record alone."""
    stage = stage_in(replace(sky, failure=None), [])
    assert await drive(stage, lambda: stage.ready.get("status") == "True"), stage.ready
    stage.cloud.next_failure = sky.failure
    for each in mishaps:
        stage.effects.plan(each.effect, each.when, ERRORS[each.trouble](), nth=each.nth)
    spec = {**stage.obj.spec, "disruption": {"allow": "Replace"}}
    stage.store.edit(KEY, spec={**spec, "availabilityZone": "eu-west-0b"})
    await drive(stage, lambda: False, passes=passes)
    if then == "take back":
        stage.store.edit(KEY, spec=spec)
    elif then == "delete":
        stage.delete()
        await goes_without_a_trace(stage)
        return
    elif then == "vanish":
        for each_server in stage.cloud.alive():
            stage.cloud.vanish(each_server.id)
        stage.clock.advance(300)
    settled = Settled(stage)
    assert await drive(stage, settled.is_reached), stage.ready
    assert stage.cloud.most_alive == 1
    assert [server.id for server in stage.cloud.alive()] == [stage.status["id"]]
    assert "replacement" not in stage.status
    await goes_without_a_trace(stage)


@dataclass(frozen=True)
class Settled:
    """Ready for the newest generation, with the server of the record alive."""

    stage: Stage

    def is_reached(self) -> bool:
        """Whether it is so."""
        ready = self.stage.ready
        is_ready = ready.get("status") == "True" and ready.get("observedGeneration") == self.stage.obj.generation
        return is_ready and [each.id for each in self.stage.cloud.alive()] == [self.stage.status.get("id")]
