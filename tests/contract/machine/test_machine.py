"""The machine plays against the simulator (`make machine` plays longer), and against one that makes mistakes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from ecs_simulator.world import attaching, commands, grouping, interfaces, resizing, volumes
from ecs_simulator.world.project import Project, Usage
from ecs_simulator.world.refusal import Refusal
from ecs_simulator.world.resources import Server, Volume
from tests.contract.machine.game import table
from tests.contract.machine.machine import Machine

HISTORIES = int(os.environ.get("MACHINE_HISTORIES", "40"))
STEPS = int(os.environ.get("MACHINE_STEPS", "30"))
MOST_HISTORIES = 800
"""A mistake that is found ends the search, usually soon."""
CHANCE = "MACHINE_CHANCE" in os.environ
"""Other histories each time; without it they are the same, so that what was red is red again."""


def _play(*, histories: int, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    with table() as played:
        Machine.table = played
        rules = settings(
            max_examples=histories,
            stateful_step_count=STEPS,
            phases=phases,
            derandomize=not CHANCE,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
        )
        run_state_machine_as_test(Machine, settings=rules)


def test_the_cloud_answers_as_predicted() -> None:
    _play(histories=HISTORIES)


# --- a machine that finds nothing would pass as well ---

Plant = Callable[[pytest.MonkeyPatch], None]


def _resize_of_a_running_server(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(resizing, "_STATES", frozenset({"active", "stopped"}))


def _a_lock_that_locks_nothing(patch: pytest.MonkeyPatch) -> None:
    def admit(server: Server, action: str, states: frozenset[str]) -> None:
        commands.require_idle(server, action)
        commands.require_state(server, action, states)

    patch.setattr(commands, "admit", admit)


def _a_wrong_code(patch: pytest.MonkeyPatch) -> None:
    def admit(server: Server, action: str, states: frozenset[str]) -> None:
        commands.require_idle(server, action)
        if server.locked:
            raise Refusal("Ecs.0100", f"Cannot '{action}' instance {server.id} while it is locked")
        commands.require_state(server, action, states)

    patch.setattr(commands, "admit", admit)


def _two_commands_at_a_time(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(commands, "require_idle", lambda _server, _action: None)


def _a_quota_that_is_off_by_one(patch: pytest.MonkeyPatch) -> None:
    right = Project.require_quota

    def require_quota(self: Project, wanted: Usage, flavors: object) -> None:
        right(self, replace(wanted, instances=max(0, wanted.instances - 1)), flavors)  # type: ignore[arg-type]

    patch.setattr(Project, "require_quota", require_quota)


def _a_detached_volume_that_stays_in_use(patch: pytest.MonkeyPatch) -> None:
    right = attaching.release

    def release(project: Project, volume: Volume) -> None:
        right(project, volume)
        volume.status = "in-use"

    patch.setattr(attaching, "release", release)


def _a_volume_deleted_under_its_snapshot(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(volumes, "has_snapshots", lambda _project, _volume_id: False)


def _a_group_without_a_limit(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(grouping, "require_room", lambda _project, _group, _count: None)


def _a_primary_interface_that_goes(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(interfaces, "_require_secondary", lambda _server, _port_id: None)


FOUND_SOON: list[Plant] = [
    _two_commands_at_a_time,
    _a_detached_volume_that_stays_in_use,
    _a_volume_deleted_under_its_snapshot,
]
"""Within seconds. The others take up to minutes and are left to `make machine`."""
MISTAKES: list[Plant] = [
    *FOUND_SOON,
    _resize_of_a_running_server,
    _a_lock_that_locks_nothing,
    _a_wrong_code,
    _a_quota_that_is_off_by_one,
    _a_group_without_a_limit,
    _a_primary_interface_that_goes,
]


@pytest.mark.parametrize("plant", MISTAKES if CHANCE else FOUND_SOON, ids=lambda plant: plant.__name__.strip("_").replace("_", " "))
def test_it_finds_a_mistake(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError, match="the cloud and the model differ") as found:
        _play(histories=MOST_HISTORIES, phases=(Phase.generate,))
    assert "   1. " in str(found.value), "the history is told"
