"""Keeps the Secret of an EcsProject as long as it is needed: a finalizer that goes on before the first use, and off last.

All EcsProjects that name one Secret share the finalizer. Whether it is still needed is asked of the API server, never remembered: so it
does not matter at which moment an operator died, nor that somebody removed an EcsProject by force.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from ecs_operator.api.group import CREDENTIALS_FINALIZER, PROJECT
from ecs_operator.engine.objects import KubeObject
from ecs_operator.engine.ports import Clock, ConflictError, GoneError, HeldSecrets, KubeStore, RefusedError, SecretData
from ecs_operator.resources.project.users import listed, users_of

logger = logging.getLogger(__name__)

HOLD_TRIES = 3
LOOK_TWICE = 10.0
"""Seconds between two looks that find no users: a pass that had the connection in hand may have begun something in between."""
LOOK_AGAIN = 15.0
"""Seconds between looks for the users of a Secret that is being deleted."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A Secret in use is being deleted: what to say about it, and when to look again."""

    remark: str
    look_again: float


class SecretGuard:
    """Decides which Secrets are kept."""

    def __init__(self, *, store: KubeStore, held: HeldSecrets, namespace: str, clock: Clock) -> None:
        """``namespace`` is the operator's own, where the Secrets are."""
        self._store = store
        self._held = held
        self._namespace = namespace
        self._clock = clock
        self._unused_since: dict[str, float] = {}

    async def secret(self, name: str) -> SecretData | None:
        """The Secret, kept from now on, so that its values may be used. None when there is none. Raises StoreError.

        One that is being deleted can no longer be given a finalizer; it serves as long as it is there.
        """
        for left in reversed(range(HOLD_TRIES)):
            found = await self._store.secret(self._namespace, name)
            if found is None or found.is_deleting or CREDENTIALS_FINALIZER in found.finalizers:
                return found
            try:
                return await self._held.hold(name, uid=found.uid)
            except (ConflictError, GoneError, RefusedError):
                # It went, or was made anew, in between. If not, the refusal is meant.
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def let_go(self, *, leaving: str | None = None) -> None:
        """Release every Secret that no EcsProject names, the one that is ``leaving`` not counted. Raises StoreError.

        A project that begins to name one at this very moment puts the finalizer back when it reads the Secret next.
        """
        held = await self._held.held()
        if not held:
            return
        projects = [each for each in await self._store.list(PROJECT.plural) if each.key.name != leaving]
        named = {name for each in projects for name in named_secrets(each)}
        for name in held:
            if name not in named:
                await self._release(name)

    async def departure(self, name: str) -> Departure | None:
        """Look after a Secret that is being deleted; None when nothing uses it and it was released. Raises StoreError."""
        projects = [each for each in await self._store.list(PROJECT.plural) if name in named_secrets(each)]
        users = [user for each in projects for user in await users_of(self._store, each.key.name)]
        what = f"the Secret {self._namespace}/{name} is being deleted"
        if users:
            self._unused_since.pop(name, None)
            text = f"{what} and kept while it is needed by {listed(users)}: name another Secret in spec.credentials, or delete them"
            return Departure(text, LOOK_AGAIN)
        since = self._unused_since.setdefault(name, self._clock.monotonic())
        left = since + LOOK_TWICE - self._clock.monotonic()
        if left > 0:
            return Departure(f"{what}, and let go in a moment because no object needs it", left)
        await self._release(name)
        return None

    async def _release(self, name: str) -> None:
        self._unused_since.pop(name, None)
        await self._held.release(name)
        logger.info("let go of the Secret %s/%s: nothing needs it", self._namespace, name)


def named_secrets(project: KubeObject) -> frozenset[str]:
    """The Secrets an EcsProject names, also one whose spec cannot be read otherwise."""
    credentials: Any = project.spec.get("credentials")
    sources = credentials.values() if isinstance(credentials, dict) else ()
    references = [each.get("secretRef") for each in sources if isinstance(each, dict)]
    return frozenset(str(each["name"]) for each in references if isinstance(each, dict) and each.get("name"))
