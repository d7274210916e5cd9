"""Key pairs (ECS API reference 6.11): they belong to a user, and no other sees them. The private half is given out once and never kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecs_simulator.world import public_keys
from ecs_simulator.world.catalog import KeyPair
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Absent, Refusal, Taken, invalid

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

TYPES = ("ssh", "x509")
MAX_INJECTED = 1024
"""Bytes of a public key that still gets into a server (table 6-188)."""
_MAX_TEXT = 65535
_NAME = re.compile(r"[A-Za-z0-9 _-]{1,255}")


def of_user(project: Project, user_id: str) -> list[KeyPair]:
    """Return a user's key pairs by name."""
    return sorted((pair for pair in project.key_pairs.values() if pair.user_id == user_id), key=lambda pair: pair.name)


def find(project: Project, user_id: str, name: str) -> KeyPair:
    """Return a user's key pair; Absent if he has none of this name."""
    pair = project.key_pair(user_id, name)
    if pair is None:
        raise Absent("keypair", name[:255], code="Ecs.0314")
    return pair


def create(
    world: World, project: Project, *, name: str, kind: str, public_key: str | None, user_id: str, cause: Cause
) -> tuple[KeyPair, str | None]:
    """Make a key pair, or keep the public half of one that is handed over. Returns it with the private half, None if that is not ours.

    Refused: an odd name, one that is taken (Taken), a key that cannot be read, and more than the quota (Ecs.0001).
    """
    project.require_unfrozen()
    if not _NAME.fullmatch(name) or name != name.strip():
        raise invalid("Keypair data is invalid: the name must have 1 to 255 letters, digits, spaces, '-' and '_', no space at its ends")
    if project.key_pair(user_id, name) is not None:
        raise Taken(f"Key pair '{name}' already exists.")
    if 0 <= project.quota.key_pairs <= len(of_user(project, user_id)):
        raise Refusal("Ecs.0001", "Quota exceeded, too many key pairs.")
    private_key: str | None = None
    if public_key is None:
        private_key, public_key = _make(kind, user_id, now=world.now())
    pair = KeyPair(
        name=name,
        user_id=user_id,
        public_key=public_key,
        created=world.now(),
        fingerprint=_fingerprint(kind, public_key),
        type=kind,
        id=1 + max((each.id for each in project.key_pairs.values()), default=0),
    )
    project.add_key_pair(pair)
    world.record_resource(project, "create", "key_pair", name, cause, name=name)
    return pair, private_key


def delete(world: World, project: Project, pair: KeyPair, *, cause: Cause) -> None:
    """Delete a key pair. Servers that were made with it keep its name."""
    project.remove_key_pair(pair)
    world.record_resource(project, "delete", "key_pair", pair.name, cause, name=pair.name)


def _make(kind: str, user_id: str, *, now: float) -> tuple[str, str]:
    from ecs_simulator.world import made_keys  # noqa: PLC0415 -- see there

    return made_keys.make() if kind == "ssh" else made_keys.make_certificate(user_id, now=now)


def _fingerprint(kind: str, public_key: str) -> str:
    if len(public_key) > _MAX_TEXT:
        raise invalid(f"Keypair data is invalid: the public key is longer than {_MAX_TEXT} characters")
    try:
        if kind == "ssh":
            return public_keys.fingerprint(public_key)
        from ecs_simulator.world import made_keys  # noqa: PLC0415 -- see there

        return made_keys.certificate_fingerprint(public_key)
    except ValueError as error:
        raise invalid(f"Keypair data is invalid: failed to generate fingerprint: {error}") from None
