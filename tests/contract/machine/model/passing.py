"""Time: what is under way gets older by halves, and after two of them it has happened."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.machine.model.state import State

DURATION = 4.0
"""Seconds that everything takes."""
HALF = 2.2
"""Seconds after which it has begun, and after two of which it is over."""


def pass_half(state: State) -> State:
    """Let half the time pass that something takes."""
    older = tuple(replace(work, age=work.age + 1) for work in state.works)
    over = [work for work in older if work.age == 2]
    state = replace(state, works=tuple(work for work in older if work.age < 2))
    for work in older:
        if work.job is not None and work.age == 1 and "in part" not in work.job:
            state = state.change("jobs", work.job, may_be=frozenset({"RUNNING"}))
    for work in over:
        state = work.end(state)
        if work.job is not None:
            state = state.change("jobs", work.job, may_be=frozenset({"FAIL" if "in part" in work.job else "SUCCESS"}))
    return state
