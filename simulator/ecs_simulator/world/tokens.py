"""X-Client-Token: the same token with the same body is answered as the first time, for 8 hours. Not in the reference."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any

from ecs_simulator.world.jobs import Job
from ecs_simulator.world.project import Project, TokenMemory
from ecs_simulator.world.refusal import Refusal
from ecs_simulator.world.settings import TOKEN_SECONDS

if TYPE_CHECKING:
    from ecs_simulator.world.world import World


def recall(world: World, project: Project, token: str | None, body: Any) -> TokenMemory | None:  # noqa: ANN401
    """Return what a request with this token was answered with before, None if it is new.

    Refused: a token that is no UUID (Ecs.0123), that came with another body (Ecs.0122), or that is older than 8 hours (Ecs.0124).
    """
    if token is None or world.behaviour.client_token == "ignore":  # noqa: S105
        return None
    key = _key(token)
    memory = project.tokens.get(key)
    if memory is None:
        return None
    if world.now() - memory.at > TOKEN_SECONDS:
        if world.behaviour.client_token_expiry == "forget":  # noqa: S105
            del project.tokens[key]
            return None
        raise Refusal("Ecs.0124", "The X-Client-Token has expired.")
    if memory.digest != _digest(body):
        raise Refusal("Ecs.0122", "The X-Client-Token was already used with another request body.")
    return memory


def remember(world: World, project: Project, token: str | None, body: Any, job: Job) -> None:  # noqa: ANN401 -- parsed JSON
    """Remember what an accepted request was answered with."""
    if token is not None and world.behaviour.client_token != "ignore":  # noqa: S105
        project.tokens[_key(token)] = TokenMemory(
            at=world.now(), digest=_digest(body), job_id=job.id, server_ids=[part.server_id for part in job.parts]
        )


def _key(token: str) -> str:
    try:
        return str(uuid.UUID(token.strip()))
    except ValueError:
        raise Refusal("Ecs.0123", "The X-Client-Token is not a UUID.") from None


def _digest(body: Any) -> str:  # noqa: ANN401 -- parsed JSON
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
