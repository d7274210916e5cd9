"""The parts of a running operator, put together. Which kinds it looks after is handed in."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecs_operator.app.census import Census
from ecs_operator.app.informer import Informer
from ecs_operator.app.settings import Settings
from ecs_operator.engine.backoff import Backoff
from ecs_operator.engine.loop import LoopPolicy, ReconcileLoop
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.ports import Authority, Clock, EventSink, HeldSecrets, KubeStore, Reconciler
from ecs_operator.engine.queue import KeyedQueue
from ecs_operator.engine.status_writer import StatusWriter
from ecs_operator.kube.connection import Connection
from ecs_operator.kube.credentials import Credentials
from ecs_operator.kube.events import EventRecorder
from ecs_operator.kube.held_secrets import ApiServerHeldSecrets
from ecs_operator.kube.identity import StoredIdentity
from ecs_operator.kube.lease import Lease, LeasePolicy
from ecs_operator.kube.resource_types import ResourceType, by_plural
from ecs_operator.kube.store import ApiServerStore, Ownership

_LEASE = "ecs-operator"


@dataclass(frozen=True, slots=True)
class Platform:
    """What the kinds are built on."""

    settings: Settings
    store: KubeStore
    held_secrets: HeldSecrets
    """Of the operator's own namespace."""
    writer: StatusWriter
    events: EventSink
    authority: Authority
    identity: StoredIdentity
    clock: Clock
    rng: random.Random
    wake: Callable[[ObjectKey], None]
    """Tell that something changed which no watch shows (a Secret): who waits for this key is worked on."""


@dataclass(frozen=True, slots=True)
class Workload:
    """The kinds at work."""

    reconcilers: Sequence[Reconciler]
    background: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    """Run from the start to the stop."""
    close: Callable[[], Awaitable[None]] | None = None
    """Called last, when no pass runs any more."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which kinds the process looks after, and how they are built."""

    types: Sequence[ResourceType]
    ownership: Ownership
    status_fields: Mapping[str, Iterable[str]]
    """Paths in the status that must be in the served schema, by plural."""
    build: Callable[[Platform], Workload]


@dataclass(frozen=True, slots=True)
class Parts:
    """What runs."""

    lease: Lease
    events: EventRecorder
    workload: Workload
    loop: ReconcileLoop
    census: Census
    informer: Informer


def assemble(
    settings: Settings,
    kinds: Kinds,
    *,
    connection: Connection,
    credentials: Credentials,
    identity: StoredIdentity,
    clock: Clock,
    rng: random.Random,
    resync_seconds: float,
) -> Parts:
    """Build everything, start nothing."""
    namespaces = settings.watch_namespaces
    store = ApiServerStore(connection, types=by_plural(kinds.types), ownership=kinds.ownership, namespaces=namespaces)
    events = EventRecorder(connection, clock=clock, rng=rng, instance=settings.identity)
    lease = Lease(
        connection,
        namespace=settings.namespace,
        name=_LEASE,
        identity=settings.identity,
        clock=clock,
        rng=rng,
        policy=LeasePolicy(duration=settings.lease_duration),
    )
    loop = ReconcileLoop(
        queue=KeyedQueue(clock=clock.monotonic),
        backoff=Backoff(rng=rng),
        authority=lease,
        clock=clock,
        rng=rng,
        policy=LoopPolicy(workers=settings.workers, resync=resync_seconds),
    )
    platform = Platform(
        settings=settings,
        store=store,
        held_secrets=ApiServerHeldSecrets(
            connection,
            namespace=settings.namespace,
            finalizer=kinds.ownership.secret_finalizer,
            manager=kinds.ownership.finalizer_manager,
        ),
        writer=StatusWriter(store, events, clock),
        events=events,
        authority=lease,
        identity=identity,
        clock=clock,
        rng=rng,
        wake=loop.wake,
    )
    census = Census(connection, types=kinds.types, namespaces=namespaces, loop=loop, rng=rng, period=resync_seconds)
    informer = _informer(settings, kinds.types, credentials=credentials, census=census, rng=rng)
    return Parts(lease=lease, events=events, workload=kinds.build(platform), loop=loop, census=census, informer=informer)


def _informer(
    settings: Settings, types: Sequence[ResourceType], *, credentials: Credentials, census: Census, rng: random.Random
) -> Informer:
    """The watches of all kinds, which are of one group and version. What they tell goes to the census."""
    return Informer(
        access=credentials.current,
        group=types[0].group,
        version=types[0].version,
        plurals=[each.plural for each in types],
        namespaces=settings.watch_namespaces,
        on_seen=census.seen,
        on_gone=census.gone,
        rng=random.Random(rng.random()),  # noqa: S311 - jitter; another thread must not share ours
        identity=settings.identity,
    )
