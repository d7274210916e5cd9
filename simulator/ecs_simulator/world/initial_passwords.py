"""The password that Cloudbase-init makes up for a Windows server, sealed with the key pair the server was made with (6.11.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecs_simulator.world import key_pairs
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

READY_AFTER = 300.0
"""Seconds until it can be read: the reference says to wait 5 to 10 minutes."""
_LENGTH = 20


def issue(world: World, project: Project, server: Server) -> None:
    """Make up a password for a server that gets a system, if it is a Windows with Cloudbase-init and a key pair that can seal it."""
    server.password = ""
    image = world.images.get(server.image_id)
    pair = project.key_pair(server.user_id, server.key_name) if server.key_name is not None else None
    if image is None or pair is None or image.os_type != "Windows" or not image.cloud_init:
        return
    if pair.type != "ssh" or len(pair.public_key.encode()) > key_pairs.MAX_INJECTED:
        return
    from ecs_simulator.world import made_keys  # noqa: PLC0415 -- see there

    server.password = made_keys.seal(pair.public_key, world.ids.text(_LENGTH)) or ""
    server.password_from = world.now() + READY_AFTER


def shown(world: World, server: Server) -> str:
    """Return the sealed password, an empty text while there is none."""
    return server.password if server.launched is not None and world.now() >= server.password_from else ""


def clear(world: World, project: Project, server: Server, *, cause: Cause) -> None:
    """Forget it; the server itself keeps it."""
    if server.password:
        server.password = ""
        world.record(project, server, "update", cause, fields=["password"])
