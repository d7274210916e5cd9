"""How a row of the cost table is played: there and back, and with the operator killed around every effect of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from tests.unit.resources.server.effects import Crash, When
from tests.unit.resources.server.stage import KEY, SPEC, Stage, pause_of

WHENS: tuple[When, ...] = ("before", "after")
READS = frozenset({"cloud.get", "cloud.sweep", "cloud.job"})

Make = Callable[[], Awaitable[Stage]]
"""A stage whose server is there, as the row begins."""
Shown = Callable[[Stage], dict[str, Any]]
"""What a user could tell two states of the server apart by."""


def edit(stage: Stage, **changes: Any) -> None:
    spec = {key: value for key, value in {**stage.obj.spec, **changes}.items() if value is not None}
    stage.store.edit(KEY, spec=spec)


async def converge(stage: Stage) -> None:
    """Until the present generation is Ready."""
    await stage.until(lambda: stage.ready.get("status") == "True" and stage.ready.get("observedGeneration") == stage.obj.generation)


def changes_since(stage: Stage, position: int) -> tuple[str, ...]:
    """The calls that changed something, from a position of the log on."""
    return tuple(name.removeprefix("cloud.") for name in stage.effects.log[position:] if name.startswith("cloud.") and name not in READS)


async def there(make: Make, after: Mapping[str, Any], effects: tuple[str, ...]) -> Stage:
    """Make the edit, and hold what was done for it against what the row says."""
    stage = await make()
    position = len(stage.effects.log)
    edit(stage, **after)
    await converge(stage)
    assert changes_since(stage, position) == effects
    return stage


async def back(stage: Stage, before: Mapping[str, Any]) -> None:
    """Edit the spec to what it was at the beginning."""
    stage.store.edit(KEY, spec={key: value for key, value in {**SPEC, **before}.items() if value is not None})
    await converge(stage)


async def killed_around_every_effect(
    make: Make, after: Mapping[str, Any], *, shown: Shown, check: Callable[[Stage, Stage, int], None]
) -> None:
    """Whichever effect the operator dies around, the server ends as it does undisturbed.

    ``check`` gets the stage, the undisturbed one, and where the log stood before the edit.
    """
    reference = await make()
    start = len(reference.effects.log)
    edit(reference, **after)
    await converge(reference)
    wanted, effects = shown(reference), len(reference.effects.log) - start
    assert effects > 0
    for when in WHENS:
        for number in range(1, effects + 1):
            stage = await make()
            position = len(stage.effects.log)
            mishap = stage.effects.plan("*", when, Crash(), nth=number)
            edit(stage, **after)
            with pytest.raises(Crash):
                await converge(stage)
            assert mishap.hits == 1
            stage.restart()
            await converge(stage)
            assert shown(stage) == wanted, f"{when} effect {number}"
            check(stage, reference, position)


async def nothing_comes_of(stage: Stage, changes: Mapping[str, Any], *, reason: str, says: tuple[str, ...]) -> None:
    """An edit that cannot be carried out is said, changes nothing, writes nothing more, and can be taken back."""
    position, spec = len(stage.effects.log), stage.obj.spec
    edit(stage, **changes)
    await stage.until(lambda: stage.reason == reason)
    assert all(part in stage.message for part in says), stage.message
    writes = stage.store.status_writes
    for _ in range(3):
        stage.clock.advance(pause_of(await stage.once()))
    assert (changes_since(stage, position), stage.store.status_writes) == ((), writes)
    stage.store.edit(KEY, spec=spec)
    await converge(stage)
    assert changes_since(stage, position) == ()
