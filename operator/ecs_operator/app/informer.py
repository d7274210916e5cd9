"""kopf as informer: in a thread and loop of its own, supervised, and only keys come out of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import kopf

from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.sightings import Sighting, sighting
from ecs_operator.kube.credentials import Access

logger = logging.getLogger(__name__)

_FIRST_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
_LATER_PAUSE = 10.0
_LOGIN_VALID = timedelta(minutes=30)
_SOON = 60.0
"""A login or an end within this many seconds after the one before counts as repeated; a run that lasted this long is a good one."""
_LONGEST_LOGIN_PAUSE = 10.0
_LONGEST_RESTART_PAUSE = 30.0
_STOP_SECONDS = 5.0
_ABANDON_SECONDS = 2.0
_BEAT_SECONDS = 1.0
_DEAD_AFTER = 60.0
_UNSTEADY_AFTER, _HOPELESS_AFTER = 3, 10
"""Short runs in a row: so many, and the watches are not to be relied on; so many, and only a new process may help."""


class Forever:
    """Pauses between the attempts of one request: endless, and can be iterated anew.

    With a finite list kopf ends at the last failure, so that one phase of 5xx or 403 stops all watches.
    """

    def __iter__(self) -> Iterator[float]:
        """Start again with the short pauses."""
        yield from _FIRST_PAUSES
        while True:
            yield _LATER_PAUSE


class Informer:
    """Watches some kinds and tells which objects were seen, and which are gone.

    kopf ends at a 404, at a watch error other than 410 and at a truncated line; it is started anew then, and lists everything again.
    It cancels every task that was created while it ran in its loop, and it would take the signals of the main thread: that is why it has
    a thread to itself. An event may come late, twice, or never (a deletion inside a gap of the watch): look at the key, not at the event.
    """

    def __init__(
        self,
        *,
        access: Callable[[], Access],
        group: str,
        version: str,
        plurals: Sequence[str],
        namespaces: Sequence[str],
        on_seen: Callable[[ObjectKey, Sighting], None],
        on_gone: Callable[[ObjectKey], None],
        rng: Random,
        identity: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``on_seen`` and ``on_gone`` are called in the event loop that ``start`` was called in. ``identity`` is this process's name."""
        self._access = access
        self._group, self._version, self._plurals = group, version, tuple(plurals)
        self._namespaces = tuple(namespaces)
        self._on_seen, self._on_gone = on_seen, on_gone
        self._rng = rng
        self._identity = identity
        self._monotonic = monotonic
        self._home: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._stop_current: Callable[[], None] | None = None
        self._beat = monotonic()
        self._running_since: float | None = None
        self._short_runs = 0
        self._logins = 0
        self._last_login = 0.0
        self.restarts = 0

    def start(self) -> None:
        """Start the thread. Events are handed to the running loop."""
        self._home = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._supervise, name="informer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """The thread's loop turns, and kopf has not ended so often that starting it again is hopeless."""
        return self._turns() and self._ends_in_a_row() < _HOPELESS_AFTER

    @property
    def steady(self) -> bool:
        """The thread's loop turns, and kopf does not end again and again."""
        return self._turns() and self._ends_in_a_row() < _UNSTEADY_AFTER

    def _turns(self) -> bool:
        return self._thread is not None and self._thread.is_alive() and self._monotonic() - self._beat < _DEAD_AFTER

    def _ends_in_a_row(self) -> int:
        """How often kopf ended soon after its start, unless it has been running for a while now."""
        since = self._running_since
        return 0 if since is not None and self._monotonic() - since >= _SOON else self._short_runs

    async def close(self) -> None:
        """Stop watching; nothing is handed over afterwards."""
        self._closing.set()
        if self._stop_current is not None:
            self._stop_current()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, _STOP_SECONDS)
            if self._thread.is_alive():
                logger.warning("the informer did not stop within %.0f s", _STOP_SECONDS)

    def _supervise(self) -> None:
        pause = 1.0
        while not self._closing.is_set():
            started = self._running_since = self._monotonic()
            loop = asyncio.new_event_loop()
            try:
                loop.run_until_complete(self._run_once())
            except Exception as error:  # noqa: BLE001 - whatever ends kopf, it is started again
                logger.warning("the informer ended: %s: %s", type(error).__name__, _first_line(error))
            finally:
                _abandon(loop)
            if self._closing.is_set():
                return
            short = self._monotonic() - started < _SOON
            self._short_runs = self._short_runs + 1 if short else 0
            self._running_since = None
            pause = min(_LONGEST_RESTART_PAUSE, pause * 2) if short else 1.0
            self.restarts += 1
            logger.warning("starting the informer again (restart %d)", self.restarts)
            self._closing.wait(self._rng.uniform(0.0, pause))

    async def _run_once(self) -> None:
        # The flag must be an asyncio.Event of this loop: with a threading.Event a failed kopf hangs for ever.
        stop, here = asyncio.Event(), asyncio.get_running_loop()
        here.set_exception_handler(_note_stray_error)

        def stop_current() -> None:
            if not here.is_closed():
                here.call_soon_threadsafe(stop.set)

        self._stop_current = stop_current
        if self._closing.is_set():
            return
        beating = asyncio.create_task(self._keep_beating())
        try:
            options: Mapping[str, Any] = {
                **({"namespaces": self._namespaces} if self._namespaces else {"clusterwide": True}),
                # Else kopf makes one up from the user's name, and ends where the uid has none, as in a container.
                "identity": self._identity,
            }
            roots = await kopf.spawn_tasks(registry=self._registry(stop), settings=_settings(), standalone=True, stop_flag=stop, **options)
            # kopf's own run_tasks waits without limit for the others once one has ended, and after a 401 some never end.
            ended, _ = await asyncio.wait(roots, return_when=asyncio.FIRST_COMPLETED)
            for root in ended:
                root.result()
        finally:
            beating.cancel()

    async def _keep_beating(self) -> None:
        while True:
            self._beat = self._monotonic()
            await asyncio.sleep(_BEAT_SECONDS)

    def _registry(self, stop: asyncio.Event) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()

        @kopf.on.login(registry=registry)
        async def login(**_: object) -> kopf.ConnectionInfo:
            return await self._login(stop)

        for plural in self._plurals:
            self._watch(registry, plural)
        return registry

    def _watch(self, registry: kopf.OperatorRegistry, plural: str) -> None:
        @kopf.on.event(self._group, self._version, plural, registry=registry, id=f"mark-{plural}")
        async def mark(type: str | None, body: kopf.Body, **_: object) -> None:  # noqa: A002 - kopf's name
            # The body is shared and mutable: everything that is kept is copied out of it here.
            metadata = body["metadata"]
            key = ObjectKey(plural, metadata.get("namespace") or "", metadata["name"])
            if type == "DELETED":
                self._hand_over(self._on_gone, key)
            else:
                self._hand_over(self._on_seen, key, sighting(metadata))

    def _hand_over(self, receive: Callable[..., None], *what: object) -> None:
        home = self._home
        if home is not None and not self._closing.is_set() and not home.is_closed():
            home.call_soon_threadsafe(receive, *what)

    async def _login(self, stop: asyncio.Event) -> kopf.ConnectionInfo:
        """Called at start, when the credentials expire, and after every 401: that one must not spin. The stop ends the pause."""
        now = self._monotonic()
        repeated = self._logins > 0 and now - self._last_login < _SOON
        self._logins = self._logins + 1 if repeated else 1
        if repeated:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), timeout=min(_LONGEST_LOGIN_PAUSE, 2.0 ** min(self._logins - 2, 10)))
        self._last_login = self._monotonic()
        access = self._access()
        return kopf.ConnectionInfo(
            server=access.server,
            ca_data=access.authority[max(0, access.authority.find("-----BEGIN ")) :] if access.authority else None,
            token=access.token,
            scheme="Bearer" if access.token else None,
            trust_env=True,
            # Also makes two logins with the same token differ: kopf gives up on one that it has seen fail.
            expiration=datetime.now(UTC) + _LOGIN_VALID,
        )


def _abandon(loop: asyncio.AbstractEventLoop) -> None:
    """Close kopf's loop, with what is still in it: a task that will not end must not keep the next run from starting."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    try:
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=_ABANDON_SECONDS))
        loop.run_until_complete(asyncio.wait_for(loop.shutdown_asyncgens(), _ABANDON_SECONDS))
    except Exception as error:  # noqa: BLE001 - it is closed in any case
        logger.debug("the informer's loop did not end well: %r", error)
    finally:
        loop.close()


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.queueing.idle_timeout = 0.1
    settings.watching.chunk_size = 500
    settings.watching.server_timeout = 240
    settings.watching.inactivity_timeout = 70
    settings.networking.error_backoffs = Forever()
    settings.networking.connect_timeout = 5
    settings.networking.request_timeout = 30
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.execution.max_workers = 1
    return settings


def _note_stray_error(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What kopf leaves behind when it is stopped in the middle of something. What matters ends kopf, and is told by the supervisor."""
    logger.debug("in the informer's loop: %s: %r", context.get("message"), context.get("exception"))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:200]
