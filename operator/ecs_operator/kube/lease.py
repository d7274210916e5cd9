"""The lease that lets one operator process at a time change the cloud."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from ecs_operator.engine.ports import Clock, ConflictError, GoneError, StoreError
from ecs_operator.kube.connection import Connection

logger = logging.getLogger(__name__)

PROCESS_ANNOTATION = "ecs.huaweicloud.com/process"
"""Which process wrote the lease last: tells a restarted process from one that was only paused, when both have the same identity."""


@dataclass(frozen=True, slots=True)
class LeasePolicy:
    """``duration`` in seconds is what rivals wait after the last renewal they saw."""

    duration: float = 30.0

    @property
    def renew_every(self) -> float:
        """Seconds between renewals."""
        return self.duration / 3

    @property
    def retry_every(self) -> float:
        """Seconds between attempts while it is not held, or a renewal failed."""
        return max(0.2, self.duration / 10)

    @property
    def timeout(self) -> float:
        """Deadline of one call to the API server."""
        return max(1.0, self.duration / 6)

    @property
    def margin(self) -> float:
        """The holder stops this much earlier than its rivals start."""
        return self.duration / 10


class Lease:
    """A coordination.k8s.io Lease, held or not. Implements the engine's Authority.

    One holder at a time by compare-and-set. The holder counts from *before* a renewal was sent and stops ``margin`` early; a rival counts
    from when it *saw* the last change. So the two never overlap, whatever the wall clocks of their machines say. The clock goes on while
    the process is paused or the machine sleeps: a process that wakes knows at once that it is no longer the holder.

    A process takes a lease of its own identity at once: it is the restart of a process that is gone. Should that one still live, it sees
    at its next renewal that it was replaced, and becomes a rival like any other.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        namespace: str,
        name: str,
        identity: str,
        clock: Clock,
        rng: Random,
        policy: LeasePolicy | None = None,
    ) -> None:
        """``identity`` is the holder's name in the lease."""
        self._connection = connection
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._namespace, self._name, self._identity = namespace, name, identity
        self._process = f"{rng.getrandbits(64):016x}"
        self._clock = clock
        self._policy = policy or LeasePolicy()
        self._until = clock.monotonic()
        self._held = False
        self._taken_once = False
        self._seen_version = ""
        self._seen_at = 0.0
        self._holder: str | None = None

    def time_left(self) -> float:
        """Seconds for which nobody else can hold the lease; zero or less when it is not held."""
        return self._until - self._clock.monotonic()

    @property
    def holder(self) -> str | None:
        """Who held it when it was last read; empty when nobody did, None when it was never read."""
        return self._holder

    async def keep(self) -> None:
        """Acquire and renew until cancelled, then release it."""
        try:
            while True:
                pause = await self._round()
                await asyncio.sleep(pause)
        finally:
            await self._release()

    async def _round(self) -> float:
        """One attempt; returns the seconds to wait until the next one."""
        started = self._clock.monotonic()
        try:
            renewed = await self._attempt(started)
        except ConflictError:
            renewed = False
        except StoreError as error:
            logger.warning("the lease could not be %s: %s", "renewed" if self._held else "read", error)
            renewed = False
        if renewed:
            self._until = started + self._policy.duration - self._policy.margin
        self._note()
        if renewed:
            return max(0.0, started + self._policy.renew_every - self._clock.monotonic())
        return min(self._policy.retry_every, self.time_left()) if self._held else self._policy.retry_every

    def _note(self) -> None:
        held = self.time_left() > 0
        if held == self._held:
            return
        self._held = held
        if held:
            logger.info("holding the lease %s/%s as %s", self._namespace, self._name, self._identity)
        else:
            logger.info("no longer holding the lease %s/%s", self._namespace, self._name)

    async def _attempt(self, now: float) -> bool:
        """Create, take or renew it. True when it is ours from ``now`` on. Raises StoreError."""
        try:
            lease = await self._call("GET", f"/{self._name}")
        except GoneError:
            return self._ours(await self._call("POST", "", self._body({"leaseTransitions": 0}, {"name": self._name}, taken=True)))
        spec, metadata = dict(lease.get("spec") or {}), dict(lease["metadata"])
        if metadata["resourceVersion"] != self._seen_version:
            self._seen_version, self._seen_at = metadata["resourceVersion"], now
        self._holder = spec.get("holderIdentity") or ""
        mine = self._is_mine(metadata)
        if not mine and self._holder and now < self._seen_at + spec.get("leaseDurationSeconds", self._policy.duration):
            # Whoever replaced us stands in the lease: what was left of our own time is void at once.
            self._until = min(self._until, now)
            return False
        return self._ours(await self._call("PUT", f"/{self._name}", self._body(spec, metadata, taken=not mine)))

    def _is_mine(self, metadata: Mapping[str, Any]) -> bool:
        """Ours to renew or to take back at once: same identity, and no younger process of that identity has taken it from us."""
        if self._holder != self._identity:
            return False
        return not self._taken_once or (metadata.get("annotations") or {}).get(PROCESS_ANNOTATION) == self._process

    def _ours(self, lease: Mapping[str, Any]) -> bool:
        self._seen_version, self._seen_at = lease["metadata"]["resourceVersion"], self._clock.monotonic()
        self._holder, self._taken_once = self._identity, True
        return True

    def _body(self, spec: Mapping[str, Any], metadata: Mapping[str, Any], *, taken: bool) -> Mapping[str, Any]:
        """What is written. The metadata carries the resourceVersion that was read: 409 if anything changed since."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # for people; nothing is decided by it
        filled = {**spec, "renewTime": now, "leaseDurationSeconds": max(1, round(self._policy.duration))}
        if taken:
            transitions = (spec.get("leaseTransitions") or 0) + 1
            filled |= {"acquireTime": now, "holderIdentity": self._identity, "leaseTransitions": transitions}
        annotations = {**(metadata.get("annotations") or {}), PROCESS_ANNOTATION: self._process}
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {**metadata, "annotations": annotations},
            "spec": filled,
        }

    async def _release(self) -> None:
        """Give it up, so that a successor need not wait. Whether that works or not, it is no longer ours."""
        held = self._held
        self._until = min(self._until, self._clock.monotonic())
        self._note()
        if not held:
            return
        try:
            lease = await self._call("GET", f"/{self._name}")
            self._holder = (lease.get("spec") or {}).get("holderIdentity") or ""
            if self._is_mine(lease["metadata"]):
                spec = {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
                await self._call("PUT", f"/{self._name}", {**lease, "spec": spec})
        except StoreError as error:
            logger.warning("the lease could not be released, a successor waits until it expires: %s", error)

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        subject = f"{method} leases/{self._namespace}/{self._name}"
        answer = await self._connection.request(method, self._collection + path, subject=subject, body=body, timeout=self._policy.timeout)
        if not isinstance(answer.get("metadata"), dict) or "resourceVersion" not in answer["metadata"]:
            raise StoreError(f"{subject}: the answer is not a Lease")
        return answer
