"""The operator as a process: what is started in which order, and how it stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from ecs_operator.app.assembly import Kinds, Parts, assemble
from ecs_operator.app.clock import SystemClock
from ecs_operator.app.probes import Probes
from ecs_operator.app.settings import Settings
from ecs_operator.engine.ports import StoreError
from ecs_operator.kube.connection import Connection
from ecs_operator.kube.credentials import Credentials, KubeconfigFile, ServiceAccountFiles
from ecs_operator.kube.discovery import missing
from ecs_operator.kube.identity import StoredIdentity, read_or_create

logger = logging.getLogger(__name__)

_IDENTITY_SECRET = "ecs-operator-identity"  # noqa: S105 - its name
_RESYNC_SECONDS = 300.0
_PASS_GRACE_SECONDS = 15.0
_EVENT_GRACE_SECONDS = 2.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0


class StartError(Exception):
    """The process cannot start as it is configured."""


class Process:
    """One run. ``serve`` returns when ``stop`` is set, or raises what cannot be mended from here."""

    def __init__(
        self, settings: Settings, kinds: Kinds, *, environment: Mapping[str, str], resync_seconds: float = _RESYNC_SECONDS
    ) -> None:
        """Reads the credentials; raises CredentialsError."""
        self._settings = settings
        self._kinds = kinds
        self._resync = resync_seconds
        self._clock = SystemClock()
        # Jitter, and names that must differ between processes; nothing here must be unguessable.
        self._rng = random.Random()  # noqa: S311
        source = KubeconfigFile(settings.kubeconfig) if settings.kubeconfig else ServiceAccountFiles(environment=environment)
        self._credentials = Credentials(source)
        self._connection = Connection(self._credentials)
        self._parts: Parts | None = None
        self._waiting_for = "the API server"
        self._stopping = False

    async def serve(self, stop: asyncio.Event) -> None:
        """Start when everything needed is there, work, and stop cleanly. Raises StartError, IdentityError."""
        settings = self._settings
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self._connection.close)
            probes = Probes(host=settings.probe_host, port=settings.probe_port, live=self._live, ready=self._ready)
            stack.push_async_callback(probes.close)
            try:
                await probes.start()
            except OSError as error:
                raise StartError(f"cannot listen on {settings.probe_host}:{settings.probe_port}: {error.strerror}") from error
            logger.info("probes on %s:%d", settings.probe_host, probes.port)
            identity = await _unless(stop, self._prepare())
            if identity is not None:
                await self._work(identity, stop)
            self._stopping = True
        logger.info("stopped")

    async def _prepare(self) -> StoredIdentity:
        """Wait until the kinds are served, then find out who this cluster is. Raises IdentityError."""
        await self._until_served()
        pause = _FIRST_PAUSE
        while True:
            try:
                return await read_or_create(self._connection, namespace=self._settings.namespace, name=_IDENTITY_SECRET)
            except StoreError as error:
                self._note(f"the Secret {self._settings.namespace}/{_IDENTITY_SECRET}: {error}")
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)

    async def _until_served(self) -> None:
        """A definition that is missing when kopf starts is never watched later: start only when all are there."""
        pause = _FIRST_PAUSE
        while True:
            try:
                absent = await missing(self._connection, self._kinds.types, status_fields=self._kinds.status_fields)
            except StoreError as error:
                self._note(f"the API server: {error}")
            else:
                if not absent:
                    return
                self._note(f"CustomResourceDefinitions: {', '.join(absent)}")
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)

    def _note(self, what: str) -> None:
        """Say what is waited for, once for each change of it."""
        if what != self._waiting_for:
            logger.warning("waiting for %s", what)
        self._waiting_for = what

    async def _work(self, identity: StoredIdentity, stop: asyncio.Event) -> None:
        parts = self._parts = assemble(
            self._settings,
            self._kinds,
            connection=self._connection,
            credentials=self._credentials,
            identity=identity,
            clock=self._clock,
            rng=self._rng,
            resync_seconds=self._resync,
        )
        keeping = asyncio.create_task(parts.lease.keep(), name="lease")
        tasks = [
            keeping,
            asyncio.create_task(parts.loop.run(parts.workload.reconcilers, on_lease=parts.census.look_at_all), name="reconcile loop"),
            asyncio.create_task(parts.census.run(), name="census"),
            asyncio.create_task(parts.events.run(), name="events"),
            *(asyncio.create_task(each(), name="background") for each in parts.workload.background),
        ]
        parts.informer.start()
        stopped = asyncio.create_task(stop.wait(), name="stop")
        try:
            ended, _ = await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
            for task in ended - {stopped}:
                task.result()
                raise RuntimeError(f"the {task.get_name()} ended")
        finally:
            self._stopping = True
            logger.info("stopping")
            await parts.loop.stop(grace=_PASS_GRACE_SECONDS)
            await parts.informer.close()
            await _cancel([stopped, *(task for task in tasks if task is not keeping)])
            if parts.workload.close is not None:
                await parts.workload.close()
            await parts.events.drain(within=_EVENT_GRACE_SECONDS)
            # The lease is kept until no pass runs any more, and given up last.
            await _cancel([keeping])

    def _live(self) -> Mapping[str, bool]:
        return {"event loop": True, "watches": self._parts is None or self._stopping or self._parts.informer.alive}

    def _ready(self) -> Mapping[str, bool]:
        if self._parts is None:
            return {f"waiting for {self._waiting_for}": False}
        return {
            "caches filled": self._parts.census.filled.is_set(),
            "lease known": self._parts.lease.holder is not None,
            "watches": self._parts.informer.steady,
            "not stopping": not self._stopping,
        }


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, StoredIdentity]) -> StoredIdentity | None:
    """The result of ``work``, or None when the stop comes first."""
    working, stopped = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopped}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        await _cancel([working, stopped])


async def _cancel(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel and wait; what a task raises at its end is told, not raised."""
    for task in tasks:
        task.cancel()
    for task, result in zip(tasks, await asyncio.gather(*tasks, return_exceptions=True), strict=True):
        if isinstance(result, Exception):
            logger.error("the %s ended with an error", task.get_name(), exc_info=result)


async def run(
    settings: Settings, kinds: Kinds, *, environment: Mapping[str, str] | None = None, resync_seconds: float = _RESYNC_SECONDS
) -> None:
    """Serve until SIGTERM or SIGINT."""
    process = Process(settings, kinds, environment=os.environ if environment is None else environment, resync_seconds=resync_seconds)
    stop = asyncio.Event()
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, stop.set)
    await process.serve(stop)
