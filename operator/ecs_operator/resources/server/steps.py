"""Deeds that need a stop, as steps of a change, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, assert_never

from ecs_operator.api.server import ChangeStep
from ecs_operator.resources.server.deeds import Change, Edit, Install, JoinGroup, Migrate, Replace, Resize, Wiring
from ecs_operator.resources.server.installation import same_installation

Kind = Literal["Migrate", "LeaveGroup", "JoinGroup", "Resize", "Install"]


def steps_of(changes: Iterable[Change]) -> tuple[ChangeStep, ...]:
    """The steps, in the order of the deeds."""
    return tuple(step for change in changes for step in _steps(change))


def is_for(step: ChangeStep, deed: Edit | Change | Wiring | Replace) -> bool:
    """The step is part of what the deed is."""
    match deed:
        case Resize(flavor=flavor):
            return (step.kind, step.target) == ("Resize", flavor)
        case JoinGroup(group_id=group_id, leaves=leaves):
            return (step.kind, step.target) in {("JoinGroup", group_id), ("LeaveGroup", leaves)}
        case Migrate(dedicated_host_id=host_id):
            return (step.kind, step.target) == ("Migrate", host_id or "")
        case Install(installation=installation):
            return step.install is not None and same_installation(step.install, installation)
        case _:
            return False


def _step(kind: Kind, target: str) -> ChangeStep:
    return ChangeStep(kind=kind, target=target, state="Waiting", attempts=0)


def _steps(change: Change) -> Iterable[ChangeStep]:
    match change:
        case Resize(flavor=flavor):
            yield _step("Resize", flavor)
        case JoinGroup(group_id=group_id, leaves=leaves):
            if leaves:
                yield _step("LeaveGroup", leaves)
            yield _step("JoinGroup", group_id)
        case Migrate(dedicated_host_id=host_id):
            yield _step("Migrate", host_id or "")
        case Install(installation=installation):
            yield _step("Install", installation.image_id or "").model_copy(update={"install": installation})
        case _ as unreachable:
            assert_never(unreachable)
