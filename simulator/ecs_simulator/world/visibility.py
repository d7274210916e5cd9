"""What readers see: usually everything at once, with a lag on demand. A new server is missing for a while, a deleted one lingers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Absent
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World


def listed(world: World, project: Project, *, changes_since: float | None = None) -> list[Server]:
    """Return the servers a list shows, newest first. With ``changes_since`` those that changed since then, deleted ones included."""
    lag, now = world.behaviour.list_lag, world.now()
    newest = reversed(project.servers.values())
    servers = [server for server in newest if server.created <= now - lag] if lag else list(newest)
    gone = list(reversed(project.deleted.values())) if lag or changes_since is not None else []
    lingering = [_as_before(server) for server in gone if _lingers(server, now, lag)]
    if changes_since is not None:
        lingering += [server for server in gone if not _lingers(server, now, lag)]
        servers = [server for server in servers if server.updated >= changes_since]
        lingering = [server for server in lingering if server.updated >= changes_since]
    if lingering:
        # Stable: servers of one moment stay in the order they were made in.
        servers = sorted([*servers, *lingering], key=lambda server: server.created, reverse=True)
    return servers


def shown(world: World, project: Project, server_id: str) -> Server:
    """Return the server a read by id shows; Absent if it shows none."""
    lag, now = world.behaviour.read_lag, world.now()
    server = project.servers.get(server_id)
    if server is not None and (not lag or server.created <= now - lag):
        return server
    gone = project.deleted.get(server_id)
    if gone is not None and _lingers(gone, now, lag):
        return _as_before(gone)
    raise Absent("instance", server_id, code="Ecs.0114")


def _lingers(server: Server, now: float, lag: float) -> bool:
    return server.terminated is not None and server.terminated > now - lag and server.created <= now - lag


def _as_before(server: Server) -> Server:
    """Return a deleted server as it was just before."""
    vm_state, task_state = server.last_state
    return replace(server, vm_state=vm_state or "active", task_state=task_state, terminated=None)
