"""Carrying jobs out on the world's clock: INIT, then RUNNING, then SUCCESS or FAIL, part by part."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecs_simulator.world import actions
from ecs_simulator.world.jobs import FAIL, INIT, RUNNING, SUCCESS, Failure, Job, Part
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

# Shares of a part's duration after which it runs, and after which its server's id is in the entities.
BEGIN_SHARE = 0.15
SHOW_SHARE = 0.5

Effect = Callable[["World", Project, Job, Part], None]


def _nothing(_: World, __: Project, ___: Job, ____: Part) -> None:
    """Do nothing: not every kind of work has something to do at every event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A kind of job: its name, its parts' name, whose duration it has, and what it does to the world.

    Exactly one of ``succeed`` and ``fail`` is called for every part that was accepted.
    """

    job_type: str
    part_type: str
    duration: str
    begin: Effect = _nothing
    show: Effect = _nothing
    succeed: Effect
    fail: Effect


def work_on(kind: str, action: str, *, succeed: Effect, fail: Effect) -> Work:
    """A kind of job of which nothing is seen before it ends, named as the cloud names them: ``attachVolume``."""
    name = f"{action}{kind.capitalize()}"
    return Work(job_type=name, part_type=name, duration=f"{action}_{kind}", succeed=succeed, fail=fail)


def submit(world: World, project: Project, work: Work, parts: list[Part], *, is_batch: bool, cause: Cause) -> Job:
    """Accept a job. Its parts run side by side; those that are over already were refused and only tell why."""
    job = Job(id=world.ids.job(), project_id=project.id, type=work.job_type, begin=world.now(), parts=parts, is_batch=is_batch, cause=cause)
    order = next((order for order in project.orders if order.job_type == work.job_type), None)
    if order is not None:
        project.orders.remove(order)
    world.jobs[job.id] = job
    for index, part in enumerate(parts):
        if part.is_over:
            continue
        if order is not None:
            part.failure = order.failure
        server = project.servers.get(part.server_id)
        if server is not None:
            server.command = job.id
            actions.take_up(server, job)
        seconds = world.duration(work.duration)
        for event, share in (("begin", BEGIN_SHARE), ("show", SHOW_SHARE), ("end", 1.0)):
            world.schedule.add(job.begin + seconds * share, event, job_id=job.id, part=index)
    return job


def advance(world: World, work: Work, job: Job, part: Part, event: str) -> None:
    """Bring about one event of a part. What comes too late, because the part was ended by hand, does nothing."""
    project = world.projects[job.project_id]
    if part.is_over:
        return
    if event == "begin":
        _begin(world, work, project, job, part)
    elif event == "show":
        _show(world, work, project, job, part)
    elif part.failure is not None:
        fail_part(world, work, job, part, part.failure)
    else:
        finish_part(world, work, job, part)


def finish_part(world: World, work: Work, job: Job, part: Part) -> None:
    """End a part well."""
    project = world.projects[job.project_id]
    _begin(world, work, project, job, part)
    _show(world, work, project, job, part)
    _end(world, project, job, part, SUCCESS)
    work.succeed(world, project, job, part)


def fail_part(world: World, work: Work, job: Job, part: Part, failure: Failure) -> None:
    """End a part badly."""
    project = world.projects[job.project_id]
    part.failure = failure
    part.shown = True
    _end(world, project, job, part, FAIL)
    work.fail(world, project, job, part)


def abandon_parts(world: World, project: Project, server_id: str, *, reason: str) -> None:
    """End whatever runs on a server without any effect, because somebody else has decided about it."""
    server = project.servers[server_id]
    job = world.jobs.get(server.command) if server.command is not None else None
    if job is None:
        return
    for part in job.open_parts():
        if part.server_id == server_id:
            part.failure = Failure(code="Ecs.1001", reason=reason)
            part.shown = True
            _end(world, project, job, part, FAIL)


def refused_part(world: World, server_id: str, *, code: str, reason: str) -> Part:
    """Return the part of a batch for a server that cannot take the command."""
    now = world.now()
    return Part(id=world.ids.job(), server_id=server_id, begin=now, end=now, status=FAIL, failure=Failure(code=code, reason=reason))


def _begin(world: World, work: Work, project: Project, job: Job, part: Part) -> None:
    if part.status == INIT:
        part.status = RUNNING
        work.begin(world, project, job, part)


def _show(world: World, work: Work, project: Project, job: Job, part: Part) -> None:
    if not part.halfway:
        part.halfway = part.shown = True
        work.show(world, project, job, part)


def _end(world: World, project: Project, job: Job, part: Part, status: str) -> None:
    part.status = status
    part.end = world.now()
    server = project.servers.get(part.server_id)
    if server is not None:
        server.command = None
        actions.end(server, job, part)
