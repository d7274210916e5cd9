"""Kubernetes events (events.k8s.io): written behind the reconciler's back, in series when they repeat, dropped when they cannot be."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any, Literal

from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import Clock, GoneError, RefusedError, StoreError
from ecs_operator.kube.connection import MERGE_PATCH, Connection

logger = logging.getLogger(__name__)

_NOTE_BYTES = 1024
_CONTROLLER = "ecs.huaweicloud.com/ecs-operator"
_CLUSTER_SCOPED = "default"


@dataclass(frozen=True, slots=True)
class EventPolicy:
    """Bounds of the buffer, in events and seconds."""

    buffer: int = 4000
    remembered: int = 4000
    """Events whose repetitions go into a series."""
    series_after: float = 360.0
    """A repetition later than this begins anew."""
    flush_every: float = 0.5
    attempts: int = 5
    first_pause: float = 0.5
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class _Subject:
    """What makes two events the same."""

    key: ObjectKey
    uid: str
    kind: str
    reason: str
    message: str
    action: str


@dataclass(slots=True)
class _Occurrence:
    """One event, and how often it occurred. ``name`` is set once it was written."""

    api_version: str
    object_kind: str
    resource_version: str
    first: datetime
    last: datetime
    last_monotonic: float
    count: int = 1
    name: str | None = None


class EventRecorder:
    """The engine's EventSink. ``record`` only notes; ``run`` writes."""

    def __init__(self, connection: Connection, *, clock: Clock, rng: Random, instance: str, policy: EventPolicy | None = None) -> None:
        """``instance`` names this process in the events."""
        self._connection = connection
        self._clock = clock
        self._rng = rng
        self._instance = instance
        self._policy = policy or EventPolicy()
        self._known: OrderedDict[_Subject, _Occurrence] = OrderedDict()
        self._unwritten: OrderedDict[_Subject, _Occurrence] = OrderedDict()
        self._wake = asyncio.Event()
        self.written = 0
        self.dropped = 0

    def record(self, obj: KubeObject, *, kind: Literal["Normal", "Warning"], reason: str, message: str, action: str) -> None:
        """Note one event about the object. Never fails, never waits."""
        subject = _Subject(key=obj.key, uid=obj.uid, kind=kind, reason=reason, message=_shortened(message), action=action)
        now, monotonic = self._clock.now(), self._clock.monotonic()
        known = self._known.pop(subject, None)
        if known is not None and monotonic - known.last_monotonic < self._policy.series_after:
            known.last, known.last_monotonic = now, monotonic
            known.count += 1
        else:
            known = _Occurrence(obj.api_version, obj.kind, obj.resource_version, first=now, last=now, last_monotonic=monotonic)
        self._known[subject] = known
        if len(self._known) > self._policy.remembered:
            self._known.popitem(last=False)
        self._unwritten[subject] = known
        if len(self._unwritten) > self._policy.buffer:
            self._unwritten.popitem(last=False)
            self._drop("too many wait")
        self._wake.set()

    async def run(self) -> None:
        """Write what is recorded, until cancelled. Those of one moment are gathered first: repetitions cost one write."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(self._policy.flush_every)
            await self._flush()

    async def drain(self, *, within: float) -> None:
        """Write what is left, at the end. Gives up after ``within`` seconds."""
        try:
            await asyncio.wait_for(self._flush(), timeout=within)
        except TimeoutError:
            self._drop("the process ends", count=len(self._unwritten))

    async def _flush(self) -> None:
        self._wake.clear()
        while self._unwritten:
            subject, occurrence = self._unwritten.popitem(last=False)
            await self._write(subject, occurrence)

    async def _write(self, subject: _Subject, occurrence: _Occurrence) -> None:
        pause = self._policy.first_pause
        for attempt in range(self._policy.attempts):
            try:
                await self._send(subject, occurrence)
            except RefusedError as error:
                # A namespace that is being deleted takes no more events.
                self._drop(str(error))
                return
            except StoreError as error:
                if attempt + 1 == self._policy.attempts:
                    self._drop(str(error))
                    return
                await asyncio.sleep(self._rng.uniform(0.5, 1.0) * pause)
                pause *= 2
            else:
                self.written += 1
                return

    async def _send(self, subject: _Subject, occurrence: _Occurrence) -> None:
        namespace = subject.key.namespace or _CLUSTER_SCOPED
        collection = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
        count, last = occurrence.count, occurrence.last
        if occurrence.name is not None:
            try:
                series = {"series": {"count": count, "lastObservedTime": _micro_time(last)}}
                path = f"{collection}/{occurrence.name}"
                await self._connection.request(
                    "PATCH",
                    path,
                    subject=f"PATCH event of {subject.key}",
                    body=series,
                    content_type=MERGE_PATCH,
                    timeout=self._policy.timeout,
                )
            except GoneError:
                occurrence.name = None  # it expired; begin anew
            else:
                return
        # Lists, and so `kubectl describe`, come in the order of names: the time of the event makes that the order in which things happened.
        name = f"{subject.key.name[:200]}.{int(occurrence.first.timestamp() * 1_000_000):014x}{self._rng.getrandbits(32):08x}"
        body = self._body(subject, occurrence, name=name, namespace=namespace)
        await self._connection.request("POST", collection, subject=f"POST event of {subject.key}", body=body, timeout=self._policy.timeout)
        occurrence.name = name

    def _body(self, subject: _Subject, occurrence: _Occurrence, *, name: str, namespace: str) -> Mapping[str, Any]:
        regarding = {
            "apiVersion": occurrence.api_version,
            "kind": occurrence.object_kind,
            "name": subject.key.name,
            "uid": subject.uid,
            "resourceVersion": occurrence.resource_version,
        }
        body: dict[str, Any] = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "eventTime": _micro_time(occurrence.first),
            "type": subject.kind,
            "reason": subject.reason,
            "action": subject.action,
            "note": subject.message,
            "reportingController": _CONTROLLER,
            "reportingInstance": self._instance[:128],
            "regarding": regarding | ({"namespace": subject.key.namespace} if subject.key.namespace else {}),
        }
        if occurrence.count > 1:
            body["series"] = {"count": occurrence.count, "lastObservedTime": _micro_time(occurrence.last)}
        return body

    def _drop(self, why: str, *, count: int = 1) -> None:
        if count:
            self.dropped += count
            logger.warning("%d event(s) dropped, %d so far: %s", count, self.dropped, why)


def _micro_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _shortened(message: str) -> str:
    """At most the bytes that an event may hold."""
    encoded = message.encode()
    if len(encoded) <= _NOTE_BYTES:
        return message
    return encoded[: _NOTE_BYTES - 3].decode(errors="ignore") + "…"
