from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ecs_operator.engine.backoff import Backoff, BackoffPolicy
from tests.unit.engine.stage import key, seeded

POLICY = BackoffPolicy(first=0.5, cap=60.0)


def test_the_window_doubles_up_to_the_cap() -> None:
    assert [POLICY.window(failures) for failures in range(1, 10)] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    assert POLICY.window(10_000) == 60


@given(failures=st.integers(1, 200), seed=st.integers())
def test_the_pause_is_anywhere_in_the_window(failures: int, seed: int) -> None:
    backoff = Backoff(rng=seeded(seed), policy=POLICY)
    pauses = [backoff.next(key()) for _ in range(failures)]
    assert all(0 <= pause <= POLICY.window(number) for number, pause in enumerate(pauses, start=1))


def test_jitter_is_full() -> None:
    backoff = Backoff(rng=seeded(1), policy=BackoffPolicy(first=10, cap=10))
    pauses = [backoff.next(key()) for _ in range(1000)]
    assert min(pauses) < 0.5
    assert max(pauses) > 9.5


@given(floor=st.floats(0.1, 600), seed=st.integers())
def test_the_floor_holds_with_a_little_spread(floor: float, seed: int) -> None:
    pause = Backoff(rng=seeded(seed), policy=POLICY).next(key(), floor=floor)
    assert floor <= pause <= max(floor * 1.2, POLICY.cap)


def test_success_starts_anew_and_keys_do_not_mix() -> None:
    backoff = Backoff(rng=seeded(1), policy=POLICY)
    for _ in range(5):
        backoff.next(key("a"))
    backoff.next(key("b"))
    backoff.reset(key("a"))
    assert (backoff.failures(key("a")), backoff.failures(key("b"))) == (0, 1)
    assert backoff.next(key("a")) <= 0.5
