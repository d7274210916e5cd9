"""Any mixture of kills, lost answers, conflicts and failing jobs: at most one server at any time, exactly one in the end, then none."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.resources.server.effects import Crash
from tests.unit.resources.server.fake_cloud import lost
from tests.unit.resources.server.stage import KEY, Stage, pause_of

from ecs_operator.engine.ports import ConflictError, UnavailableError

ERRORS = {
    "kill": lambda: Crash(),
    "no answer of the cloud": lambda: lost("call"),
    "no answer of the API server": lambda: UnavailableError("503"),
    "conflict": lambda: ConflictError("409"),
}
CALLS = ("cloud.create", "cloud.job", "cloud.get", "cloud.sweep", "cloud.delete")
WRITES = ("kube.status", "kube.add_finalizer", "kube.get", "kube.remove_finalizer")

mishaps = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(CALLS),
            st.sampled_from(("before", "after")),
            st.sampled_from(("kill", "no answer of the cloud")),
            st.integers(1, 6),
        ),
        st.tuples(
            st.sampled_from(WRITES),
            st.sampled_from(("before", "after")),
            st.sampled_from(("kill", "no answer of the API server")),
            st.integers(1, 8),
        ),
        st.tuples(st.just("kube.status"), st.just("before"), st.just("conflict"), st.integers(1, 8)),
    ),
    max_size=6,
)


async def drive(stage: Stage, reached: Any) -> None:
    """Passes until it is reached; a killed operator is started again."""
    for _ in range(500):
        try:
            outcome = await stage.once()
        except Crash:
            stage.restart()
            stage.clock.advance(1.0)
            continue
        finally:
            stage.cloud.settle()
            assert len(stage.cloud.alive()) <= 1
        if reached():
            return
        stage.clock.advance(pause_of(outcome))
    raise AssertionError(f"not reached: {stage.ready}")


@given(
    planned=mishaps,
    idempotency=st.sampled_from(("Auto", "Token", "Settle")),
    tells_ids=st.booleans(),
    lag=st.sampled_from((0.0, 25.0)),
    fails=st.sampled_from((None, ("Ecs.0219", "no luck", True), ("Ecs.0219", "no luck", False))),
    delete_after=st.one_of(st.none(), st.integers(0, 12)),
)
@settings(max_examples=250, deadline=None)
async def test_exactly_one_then_none(
    planned: list[tuple[str, Any, str, int]],
    idempotency: str,
    tells_ids: bool,
    lag: float,
    fails: Any,
    delete_after: int | None,  # noqa: FBT001
) -> None:
    stage = Stage(idempotency=idempotency)
    stage.cloud.honours_tokens = idempotency == "Token"
    stage.cloud.tells_ids = tells_ids
    stage.cloud.list_lag = lag
    stage.cloud.next_failure = fails
    for name, when, kind, nth in planned:
        stage.effects.plan(name, when, ERRORS[kind](), nth=nth)
    if delete_after is None:
        await drive(stage, lambda: stage.ready.get("status") == "True")
        assert len(stage.cloud.alive()) == 1
        assert stage.status["id"] == stage.cloud.alive()[0].id
        assert len(stage.cloud.created()) == (2 if fails else 1)
    else:
        count = 0

        def enough() -> bool:
            nonlocal count
            count += 1
            return count >= delete_after

        await drive(stage, enough)
    if KEY in stage.store.objects:
        stage.delete()
    if KEY in stage.store.objects:
        await drive(stage, lambda: KEY not in stage.store.objects)
    assert stage.cloud.most_alive <= 1
    # Nothing may come after the finalizer went.
    stage.clock.advance(1000.0)
    stage.cloud.settle()
    assert stage.cloud.alive() == []
