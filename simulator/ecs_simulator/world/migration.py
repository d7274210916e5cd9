"""Moving a stopped server between dedicated hosts and the shared pool (ECS API reference 5.2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world import commands, engine, hosting, resizing
from ecs_simulator.world.jobs import Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal, invalid
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

_STATES = frozenset({"stopped"})


def migrate(world: World, project: Project, server: Server, dedicated_host_id: str | None, *, cause: Cause) -> Job:
    """Start moving a server to a dedicated host, or with None from one to the shared pool.

    Refused: a server that is not stopped, the host it is on (Ecs.0221), the pool for a server that is in it, and a host where another
    member of its group runs (Ecs.0319).
    """
    project.require_unfrozen()
    commands.admit(server, "migrate", _STATES)
    if dedicated_host_id is None and not hosting.is_dedicated(server):
        raise invalid(f"The ECS {server.id} is on no dedicated host: migrate.dedicated_host_id is needed.")
    if dedicated_host_id is not None and dedicated_host_id == hosting.wanted(server.hints):
        raise Refusal("Ecs.0221", "Cold migration from a dedicated host to the same dedicated host is not supported.")
    host = hosting.choose(world, project, server.zone, project.groups.get(server.group_id or ""), dedicated_host_id)
    server.task_state = "resize_prep"
    world.record(project, server, "migrate", cause, host=dedicated_host_id)
    part = commands.new_part(world, server)
    part.params |= {"host": host, "dedicated_host_id": dedicated_host_id}
    return engine.submit(world, project, MIGRATE, [part], is_batch=False, cause=cause)


def _moved(world: World, project: Project, _: Job, part: Part) -> None:
    server = project.servers[part.server_id]
    hosting.move(server, part.params["host"], part.params["dedicated_host_id"])
    world.touch(server)


def _stayed(world: World, project: Project, _: Job, part: Part) -> None:
    world.touch(project.servers[part.server_id])


MIGRATE = engine.Work(
    job_type="migrateServer",
    part_type="migrateServer",
    duration="migrate_server",
    begin=resizing.migrating,
    show=resizing.finishing,
    succeed=_moved,
    fail=_stayed,
)
