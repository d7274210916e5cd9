"""Most of a project's servers vanish at once: that is our problem, not theirs (design: lifecycle.md, Observe and drift).

An endpoint that answers for another project, rights that were taken away, a fault in the cloud: each shows an empty list and answers 404,
and every single absence is proven. Taken together they are not believed. Nothing is changed in the project until the servers are back,
an admin confirms that they are gone, or their objects are deleted.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ecs_operator.api.group import CONFIRM_ABSENCE_ANNOTATION, SERVER
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import CloudError, ServerSnapshots, Snapshot
from ecs_operator.engine.conditions import find
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import Clock, KubeStore
from ecs_operator.resources.keys import alarm_key, project_key
from ecs_operator.resources.naming import named

logger = logging.getLogger(__name__)

FEW = 3
"""So many servers may vanish at once, however small the project: somebody deleted them."""
SHARE = 0.3
"""Part of a project's servers beyond which it is no coincidence."""
LOOK_AGAIN = 30.0
"""Seconds between looks at whether the servers are back, and for which one judgement holds."""
_OUR_DOING = frozenset({Reason.DELETED_EXTERNALLY, Reason.DELETING, Reason.REPLACING})
"""Objects that say this are not surprised that their server is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """The servers of a project that should be there and are not, by their ids, with the objects they belong to."""

    missing: Mapping[str, ObjectKey] = field(repr=False)
    known: int

    @property
    def token(self) -> str:
        """What confirms the absence of exactly these."""
        return hashlib.sha256("\n".join(sorted(self.missing)).encode()).hexdigest()[:8]

    @property
    def text(self) -> str:
        """For the condition of the EcsProject."""
        names = named([f"{key.namespace}/{key.name}" for key in sorted(self.missing.values())])
        return (
            f"{len(self.missing)} of {self.known} servers are not in the cloud's list any more ({names}), so nothing is changed in this "
            "project. It goes on by itself when they are back: check the endpoints, the project's id and the rights of the account. "
            f"If they are really gone, confirm it with the annotation {CONFIRM_ABSENCE_ANNOTATION}: {self.token}"
        )


def judge(known: Mapping[str, ObjectKey], shown: Iterable[str], *, confirmed: frozenset[str], stands: bool) -> Alarm | None:
    """Whether too many of the servers that should be there are in no complete list. Pure.

    ``stands``: there is an alarm already. It ends only when hardly any is missing, not when some are back.
    """
    missing = {server_id: known[server_id] for server_id in known.keys() - set(shown) - confirmed}
    bound = FEW if stands else max(FEW, SHARE * len(known))
    return Alarm(missing=missing, known=len(known)) if len(missing) > bound else None


def expected(objects: Iterable[KubeObject], project: str) -> dict[str, ObjectKey]:
    """Ids of the servers that should be there: they were made, nobody is deleting them, and they are not known to be gone. Pure."""
    return {
        str(obj.status["id"]): obj.key
        for obj in objects
        if obj.status.get("project") == project and obj.status.get("id") and not obj.is_deleting and _is_settled(obj.status)
    }


def _is_settled(status: Mapping[str, Any]) -> bool:
    """No creation, and no deletion of ours, is under way."""
    ready = find(status.get("conditions") or (), "Ready") or {}
    is_made = (status.get("create") or {}).get("request") is None
    return is_made and ready.get("reason") not in _OUR_DOING and (status.get("operation") or {}).get("kind") != "Delete"


@dataclass(slots=True)
class _Record:
    """What is remembered of one project. After a restart it is found out again."""

    alarm: Alarm | None = None
    confirmed: frozenset[str] = frozenset()
    token: str | None = None
    """The annotation on the EcsProject."""
    judged_at: float | None = None
    snapshot: Snapshot | None = None


class AbsenceWatch:
    """The alarms of all projects."""

    def __init__(self, *, store: KubeStore, clock: Clock, wake: Callable[[ObjectKey], None]) -> None:
        """``wake`` is called with ``project_key`` and ``alarm_key`` of a project when an alarm begins or ends."""
        self._store = store
        self._clock = clock
        self._wake = wake
        self._records: dict[str, _Record] = {}
        self._judging = asyncio.Lock()
        self.raised: Counter[str] = Counter()
        """How often an alarm began, by project."""

    async def believes(self, project: str, snapshot: Snapshot) -> bool:
        """A complete list may be taken for evidence that a server is gone. Raises StoreError."""
        return await self._judge(project, snapshot) is None

    async def alarm(self, project: str, snapshots: ServerSnapshots, *, suspected: bool) -> Alarm | None:
        """The alarm that stands, looked at anew now and then. Raises StoreError.

        ``suspected``: an object says so, perhaps of an alarm that was raised by a process before this one.
        """
        record = self._records.setdefault(project, _Record())
        if record.alarm is None and (not suspected or record.judged_at is not None):
            return None
        if record.judged_at is not None and self._clock.monotonic() - record.judged_at < LOOK_AGAIN:
            return record.alarm
        try:
            snapshot = await snapshots.at_most(LOOK_AGAIN / 2)
        except CloudError as error:
            logger.info("it cannot be found out whether the servers of EcsProject %s are back: %s", project, error)
            return record.alarm
        return await self._judge(project, snapshot) if snapshot.complete else record.alarm

    def confirm(self, project: str, token: str | None) -> None:
        """What the annotation on the EcsProject says: those whose absence this token confirms are gone."""
        record = self._records.setdefault(project, _Record())
        record.token = token
        if record.alarm is not None and token == record.alarm.token:
            self._settle(project, record, record.alarm)

    def forget(self, project: str) -> None:
        """The EcsProject is gone."""
        self._records.pop(project, None)

    async def _judge(self, project: str, snapshot: Snapshot) -> Alarm | None:
        record = self._records.setdefault(project, _Record())
        async with self._judging:
            now = self._clock.monotonic()
            if record.snapshot is snapshot and record.judged_at is not None and now - record.judged_at < LOOK_AGAIN:
                return record.alarm
            known = expected(await self._store.list(SERVER.plural), project)
            shown = [server_id for server_id, server in snapshot.servers.items() if server.status != "DELETED"]
            record.confirmed -= set(shown)
            before, record.alarm = record.alarm, judge(known, shown, confirmed=record.confirmed, stands=record.alarm is not None)
            record.snapshot, record.judged_at = snapshot, now
            if record.alarm is not None and record.token == record.alarm.token:
                self._settle(project, record, record.alarm)
            self._tell(project, before, record.alarm)
            return record.alarm

    def _settle(self, project: str, record: _Record, alarm: Alarm) -> None:
        logger.warning("EcsProject %s: an admin has confirmed that %d servers are gone", project, len(alarm.missing))
        record.alarm, record.confirmed = None, record.confirmed | alarm.missing.keys()
        self._wake(project_key(project))

    def _tell(self, project: str, before: Alarm | None, after: Alarm | None) -> None:
        if before is None and after is not None:
            self.raised[project] += 1
            logger.error("EcsProject %s: %s", project, after.text)
        if (before is None) != (after is None):
            self._wake(project_key(project))
        if before != after:
            self._wake(alarm_key(project))


def halted_text(project: str) -> str:
    """For the condition of each object."""
    return (
        f"most servers of EcsProject {project} have vanished from the cloud's list at once: nothing is changed until that is settled there"
    )
