"""The only way a status is written: not at all when it is the same, by compare-and-set when it differs, with an event on transitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecs_operator.engine.conditions import find
from ecs_operator.engine.objects import KubeObject
from ecs_operator.engine.ports import Clock, EventSink, KubeStore


def compact(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value without None and without empty maps and lists, all the way down: server-side apply must not own empty fields."""
    if isinstance(value, Mapping):
        kept = {key: compact(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if not _is_empty(each)}
    if isinstance(value, list | tuple):
        return [compact(each) for each in value]
    return value


def _is_empty(value: object) -> bool:
    return value is None or (isinstance(value, dict | list) and not value)


class StatusWriter:
    """Writes statuses and tells about transitions of the Ready condition."""

    def __init__(self, store: KubeStore, events: EventSink, clock: Clock) -> None:
        self._store = store
        self._events = events
        self._clock = clock
        self.writes = 0
        self.unchanged = 0
        self.last_write: float | None = None
        """When the last write was made, on the monotonic clock: how long it has been quiet."""

    async def write(self, obj: KubeObject, status: Mapping[str, Any], *, action: str, trouble: bool = False) -> KubeObject:
        """Make ``status`` the object's whole status, and return the object as it is then. Lists must come sorted.

        ``obj`` must be the object as it was read for this pass: the write succeeds only if nothing changed since (else ConflictError).
        ``action`` says in one CamelCase word what the operator was doing, for the event; ``trouble`` makes that a warning.
        Raises StoreError.
        """
        wanted = compact(status)
        if wanted == compact(obj.status):
            self.unchanged += 1
            return obj
        written = await self._store.apply_status(obj, wanted)
        self.writes += 1
        self.last_write = self._clock.monotonic()
        self._tell(obj, wanted, action=action, trouble=trouble)
        return written

    def _tell(self, obj: KubeObject, wanted: Mapping[str, Any], *, action: str, trouble: bool) -> None:
        before = find(_conditions(obj.status), "Ready")
        now = find(_conditions(wanted), "Ready")
        if now is None or (before is not None and (before.get("status"), before.get("reason")) == (now.get("status"), now.get("reason"))):
            return
        self._events.record(obj, kind="Warning" if trouble else "Normal", reason=now["reason"], message=now["message"], action=action)


def _conditions(status: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return status.get("conditions") or ()
