"""Commands on several servers in one job (ECS API reference 5.1.2, 5.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.contract.machine.model.prediction import FINE, Prediction, Refusals, predict
from tests.contract.machine.model.state import Job, State


def batch(
    state: State,
    servers: tuple[str, ...],
    rules: Callable[[State, str], Refusals],
    begin: Callable[[State, str, str], State],
) -> Prediction:
    """Each server for itself; only if none can take the command is the call refused, as the first one would be."""
    names = tuple(dict.fromkeys(servers))
    refused = [name for name in names if rules(state, name)]
    if len(refused) == len(names):
        return predict(state, 200, lambda: state, rules(state, names[0]))

    def after() -> State:
        changed, job = state.next_name("j")
        for name in names:
            if name not in refused:
                changed = begin(changed, name, job)
        return _some_failed(changed, job) if refused else changed

    return predict(state, 200, after, FINE)


def _some_failed(state: State, job: str) -> State:
    """A job of which a part was refused: it goes on with the others, and does not end well."""
    works = tuple(replace(work, job=f"{job} in part") if work.job == job else work for work in state.works)
    return replace(state.drop("jobs", job), works=works).put("jobs", f"{job} in part", Job(frozenset({"INIT", "RUNNING"})))
