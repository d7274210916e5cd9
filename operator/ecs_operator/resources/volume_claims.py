"""What others need to know of EcsVolumeAttachments: which volume each claims, for which server, and what is under way.

Two kinds ask: an attachment, whether another one came first, and a server that is deleted, which volumes are not its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecs_operator.api.group import VOLUME_ATTACHMENT
from ecs_operator.cloud import parse_time
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import Clock, KubeStore

FRESH = 2.0
"""Seconds: a list so new serves others as well. Many objects of a namespace come and go together."""
AT_REST = frozenset({"Retrying", "Failed"})
"""Steps of an operation in which the cloud does nothing: the last call was refused, or its job has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The operation of an attachment, as its status records it."""

    kind: str
    step: str
    job_id: str | None
    deadline: datetime | None
    """Until when a call that was never answered can still arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One EcsVolumeAttachment."""

    key: ObjectKey
    uid: str
    created_at: datetime
    is_deleting: bool
    volume_id: str
    server_name: str | None
    """The EcsServer it names, if it names one."""
    server_id: str | None
    """The server's id, if it names that."""
    recorded_on: str | None
    """Id of the server the volume was seen on, or asked to be put on, last."""
    is_attached: bool
    work: Work | None

    @property
    def has_begun(self) -> bool:
        """Its volume is attached, or on the way."""
        return self.recorded_on is not None and (self.is_attached or self.work is not None)

    @property
    def name(self) -> str:
        """As it is called in messages."""
        return f"EcsVolumeAttachment {self.key.name}"

    def concerns(self, *, name: str, server_id: str) -> bool:
        """It is about this server, whichever way it names it."""
        return self.server_name == name or self.server_id == server_id


def claim_of(obj: KubeObject) -> Claim:
    """The claim of an object as it was read."""
    reference: Mapping[str, Any] = obj.spec.get("serverRef") or {}
    return Claim(
        key=obj.key,
        uid=obj.uid,
        created_at=obj.created_at,
        is_deleting=obj.is_deleting,
        volume_id=str(obj.spec.get("volumeId") or ""),
        server_name=reference.get("name"),
        server_id=obj.spec.get("serverId"),
        recorded_on=obj.status.get("serverId"),
        is_attached=bool(obj.status.get("attachmentId")),
        work=_work(obj.status.get("operation")),
    )


def _work(operation: Mapping[str, Any] | None) -> Work | None:
    if not operation:
        return None
    return Work(
        kind=str(operation.get("kind")),
        step=str(operation.get("step")),
        job_id=operation.get("jobId"),
        deadline=parse_time(str(operation.get("deadline") or "")),
    )


class ClaimLists:
    """The claims of each namespace, from the list that was made last."""

    def __init__(self) -> None:
        self._lists: dict[str, tuple[float, tuple[Claim, ...]]] = {}

    async def read(self, store: KubeStore, clock: Clock, namespace: str, *, at_most: float) -> Sequence[Claim]:
        """From a list at most so old, in seconds; 0 makes a new one. Raises StoreError."""
        now = clock.monotonic()
        self._lists = {name: held for name, held in self._lists.items() if now - held[0] < FRESH}
        held = self._lists.get(namespace)
        if held is not None and now - held[0] < at_most:
            return held[1]
        objects = await store.list(VOLUME_ATTACHMENT.plural, namespace=namespace)
        # What only observes claims nothing.
        found = tuple(claim_of(each) for each in objects if each.spec.get("managementPolicy") != "Observe")
        self._lists[namespace] = (now, found)
        return found
