"""Edits, other hands, restarts and crashes in any order: what nobody touched is never called drift, and all edits are carried out."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from ecs_operator.cloud import Server
from tests.unit.resources.server.effects import Crash
from tests.unit.resources.server.fake_cloud import DEBIAN, UBUNTU
from tests.unit.resources.server.rows import edit
from tests.unit.resources.server.stage import Stage, pause_of
from tests.unit.resources.server.test_changes import server
from tests.unit.resources.server.test_drift import OFF, ON
from tests.unit.resources.server.test_stopped_changes import running

FLAVORS = ("s3.small.1", "s3.large.2", "s3.xlarge.2")
Values = dict[str, Any]

FIELDS: dict[str, tuple[Any, ...]] = {
    "spec.name": ("a", "b", "c"),
    "spec.description": ("a", "b", "c"),
    "spec.metadata.a": ("1", "2", "3"),
    "spec.metadata.b": ("1", "2", "3"),
    "spec.tags.a": ("1", "2", "3"),
    "spec.tags.b": ("1", "2", "3"),
    "spec.locked": (True, False),
    "spec.powerState": ("Running", "Stopped"),
    "spec.flavor": FLAVORS,
    "spec.image": (UBUNTU.id, DEBIAN.id),
}


def as_spec(wanted: Values) -> dict[str, Any]:
    return {
        "name": wanted["spec.name"],
        "description": wanted["spec.description"],
        "metadata": {key: wanted[f"spec.metadata.{key}"] for key in "ab"},
        "tags": {key: wanted[f"spec.tags.{key}"] for key in "ab"},
        "locked": wanted["spec.locked"],
        "powerState": wanted["spec.powerState"],
        "flavor": wanted["spec.flavor"],
        "image": {"id": wanted["spec.image"]},
    }


def found(alive: Server) -> Values:
    tags = dict(each.split("=") for each in alive.tags)
    return {
        "spec.name": alive.name,
        "spec.description": alive.description,
        **{f"spec.metadata.{key}": alive.metadata[key] for key in "ab"},
        **{f"spec.tags.{key}": tags.get(key) for key in "ab"},
        "spec.locked": alive.locked,
        "spec.powerState": "Running" if alive.status == "ACTIVE" else "Stopped",
        "spec.flavor": alive.flavor_id,
        "spec.image": alive.image_id,
    }


def meddle(stage: Stage, path: str, value: Any) -> None:
    """Somebody's hand on one field."""
    alive = server(stage)
    name, _, key = path.removeprefix("spec.").partition(".")
    tags = dict(each.split("=") for each in alive.tags)
    make: dict[str, Callable[[], dict[str, Any]]] = {
        "metadata": lambda: {"metadata": {**alive.metadata, key: value}},
        "tags": lambda: {"tags": tuple(f"{each}={text}" for each, text in sorted({**tags, key: value}.items()))},
        "powerState": lambda: ON if value == "Running" else OFF,
        "flavor": lambda: {"flavor_id": value},
        "image": lambda: {"image_id": value},
    }
    stage.cloud.set(alive.id, **make.get(name, lambda: {name: value})())


async def passes(stage: Stage, number: int) -> None:
    for _ in range(number):
        try:
            stage.clock.advance(pause_of(await stage.once()))
        except Crash:
            stage.restart()


async def quiet(stage: Stage) -> None:
    """Until a resync is all that is left."""
    for _ in range(120):
        if pause_of(outcome := await stage.once()) >= 200 and "operation" not in stage.status:
            writes = stage.store.status_writes
            await passes(stage, 2)
            if stage.store.status_writes == writes:
                return
        stage.clock.advance(pause_of(outcome))
    raise AssertionError(f"no rest: {stage.ready}")


@pytest.mark.parametrize("policy", ["Report", "Correct"])
@pytest.mark.parametrize("seed", range(12))
async def test_any_order(seed: int, policy: str) -> None:
    rng = Random(f"{seed}{policy}")  # noqa: S311
    wanted = {path: rng.choice(values) for path, values in FIELDS.items()}
    stage = await running(**as_spec(wanted), keyPairName="ops", disruption={"allow": "Reinstall"}, driftPolicy=policy)
    await quiet(stage)
    touched: set[str] = set()
    for _ in range(14):
        path = rng.choice(list(FIELDS))
        match rng.choice(["edit", "edit", "meddle", "restart", "crash"]):
            case "edit":
                wanted[path] = rng.choice(FIELDS[path])
                edit(stage, **as_spec(wanted))
            case "meddle" if not server(stage).task_state:
                touched.add(path)
                meddle(stage, path, rng.choice(FIELDS[path]))
            case "restart":
                stage.restart()
            case "crash":
                stage.effects.plan("*", rng.choice(["before", "after"]), Crash(), nth=rng.randint(1, 8))
        await passes(stage, rng.randint(0, 5))
    stage.effects.mishaps.clear()
    await quiet(stage)
    have = found(server(stage))
    differing = {path for path in FIELDS if have[path] != wanted[path]}
    shown = {each["path"] for each in stage.status.get("drift", ())}
    assert shown == differing, "what is shown is what differs, and nothing else does"
    assert differing <= touched, "what nobody touched is as wanted"
    if policy == "Correct":
        assert differing == set()
    # The policy is no obstacle: with the other one all is put right.
    edit(stage, driftPolicy="Correct")
    await quiet(stage)
    assert found(server(stage)) == wanted
    assert stage.ready["status"] == "True"
    stage.exactly_one()
