"""Who may command a server when: one command at a time, none on a locked one, and only in the states that allow it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ecs_simulator.world import engine
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal, invalid
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

MAX_BATCH = 1000
"""Servers in one call, and servers started, stopped or rebooted within a minute (5.1.2, 5.3)."""
ANY_STATE: frozenset[str] = frozenset()


def admit(server: Server, action: str, states: frozenset[str]) -> None:
    """Refuse a command that the server cannot take now: busy (Ecs.0603), locked (Ecs.0605) or in another state (Ecs.0100)."""
    require_idle(server, action)
    if server.locked:
        raise Refusal("Ecs.0605", f"Instance {server.id} is locked")
    require_state(server, action, states)


def require_idle(server: Server, action: str) -> None:
    """Refuse a command while another one runs (Ecs.0603)."""
    if server.command is not None or server.task_state is not None:
        raise Refusal("Ecs.0603", f"Cannot '{action}' instance {server.id} while it is in task_state {server.task_state}")


def require_state(server: Server, action: str, states: frozenset[str]) -> None:
    """Refuse a command in a state that is none of these (Ecs.0100); no states at all allow it in any."""
    if states and server.vm_state not in states:
        raise Refusal("Ecs.0100", f"Cannot '{action}' instance {server.id} while it is in vm_state {server.vm_state}")


def batch(
    world: World,
    project: Project,
    server_ids: list[str],
    *,
    work: engine.Work,
    start: Callable[[Server], Part],
    cause: Cause,
) -> Job:
    """Command several servers in one job.

    A server that cannot take the command makes its part of the job fail, and the others go on. If none can, the first refusal
    answers the call.
    """
    ids = list(dict.fromkeys(server_ids))
    if not ids:
        raise invalid("servers must not be empty")
    if len(ids) > MAX_BATCH:
        raise Refusal("Ecs.0118", f"The number of ECSs exceeds the maximum allowed limit: {len(ids)} of {MAX_BATCH}.")
    parts: list[Part] = []
    first: Refusal | None = None
    for server_id in ids:
        try:
            parts.append(start(project.server(server_id)))
        except Refusal as refusal:
            first = first or refusal
            parts.append(engine.refused_part(world, server_id, code=refusal.code, reason=refusal.message))
    if first is not None and all(part.is_over for part in parts):
        raise first
    return engine.submit(world, project, work, parts, is_batch=True, cause=cause)


def new_part(world: World, server: Server) -> Part:
    """Return a part for a server whose id is known from the start."""
    return Part(id=world.ids.job(), server_id=server.id, begin=world.now())
