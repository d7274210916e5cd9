"""The live connection of one EcsProject: opened when it is first needed, opened anew when what it is made of changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from ecs_operator.api.project import ProjectSpec
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import (
    BudgetLimits,
    Catalog,
    CloudError,
    CredentialsProvider,
    EcsClient,
    JobLooks,
    Meaning,
    Outcome,
    ServerSnapshots,
)
from ecs_operator.cloud.observation import CLOCK_SLACK
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.ports import Clock, RefusedError
from ecs_operator.resources.absence import AbsenceWatch
from ecs_operator.resources.batches import Batches
from ecs_operator.resources.confirmations import Confirmations
from ecs_operator.resources.creations import Creations
from ecs_operator.resources.keys import project_key
from ecs_operator.resources.ownership import ClusterIdentity
from ecs_operator.resources.project.credentials import CredentialsMissingError, SecretCredentials
from ecs_operator.resources.project.guard import SecretGuard
from ecs_operator.resources.tenancy import CreatePolicy, Tenant, TenantUnavailable
from ecs_operator.resources.times import growing
from ecs_operator.resources.verdicts import verdict

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 30.0
"""Seconds for which a failure to open holds: not every object that asks may knock at the cloud's door."""
FIRST_WAIT, LATER_WAIT = 5.0, 0.5
"""Seconds a pass waits for a connection that is being opened: the first time, and when it failed before."""


class OpenClient(Protocol):
    """How a client is opened: ``EcsClient.open``, or a test's."""

    def __call__(
        self,
        *,
        endpoint: str,
        iam_endpoint: str,
        project_id: str | None,
        project_name: str | None,
        user_id: str | None,
        credentials: CredentialsProvider,
        ca_bundle: str | None,
        budget: BudgetLimits,
        clock: Clock,
    ) -> Awaitable[EcsClient]:
        """Open it. Raises CloudError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySettings:
    """What the process was told. Times in seconds."""

    namespace: str
    """The operator's own, where the Secrets are."""
    allow_http: bool = False
    create_deadline: float = 60.0
    gateway_timeout: float = 60.0
    list_lag: float = 30.0

    @property
    def settle_after(self) -> float:
        """After this long a request that got no answer can no longer arrive, and what it made is in every list."""
        return self.create_deadline + self.gateway_timeout + self.list_lag


@dataclass(frozen=True, slots=True)
class _Open:
    client: EcsClient
    snapshots: ServerSnapshots
    batches: Batches
    confirmations: Confirmations
    catalog: Catalog
    jobs: JobLooks
    creations: Creations


@dataclass(frozen=True, slots=True)
class _Failure:
    why: TenantUnavailable
    until: float
    secret_version: str


class Link:
    """One EcsProject's connection, for one state of the spec's parts that a connection is made of."""

    def __init__(
        self,
        name: str,
        spec: ProjectSpec,
        *,
        known_id: str | None,
        guard: SecretGuard,
        identity: ClusterIdentity,
        clock: Clock,
        settings: RegistrySettings,
        absence: AbsenceWatch,
        open_client: OpenClient,
        on_change: Callable[[], None],
        on_secret_change: Callable[[], None],
        wake: Callable[[ObjectKey], None],
    ) -> None:
        """``known_id``: the id that a look-up by name gave before; it is looked up only once. ``on_change``: opening it has ended."""
        self.name = name
        self.parts = connection_parts(spec)
        self._spec = spec
        self._known_id = known_id
        self._identity = identity
        self._clock = clock
        self._settings = settings
        self._absence = absence
        self._open_client = open_client
        self._on_change = on_change
        self._wake = wake
        self._connecting: asyncio.Task[None] | None = None
        self._open: _Open | None = None
        self._failure: _Failure | None = None
        self._failures = 0
        self.credentials = SecretCredentials(
            spec.credentials, guard=guard, namespace=settings.namespace, clock=clock, on_change=on_secret_change
        )

    async def tenant(self, spec: ProjectSpec) -> Tenant | TenantUnavailable:
        """The tenant under the newest spec, whose connection parts are those of this link.

        Raises StoreError while the API server cannot be asked for the Secret.
        """
        refusal = encryption_problem(spec, allow_http=self._settings.allow_http)
        if refusal:
            return self._unavailable(Reason.INVALID_CONFIGURATION, refusal)
        try:
            await self.credentials.current()
        except CredentialsMissingError as error:
            return self._unavailable(Reason.CREDENTIALS_MISSING, str(error))
        except RefusedError as error:
            return self._unavailable(Reason.CREDENTIALS_MISSING, f"the operator may not read or keep the credentials: {error}")
        opened = await self._opened()
        if isinstance(opened, TenantUnavailable):
            return opened
        policy = CreatePolicy(
            idempotency=spec.create_idempotency,
            request_deadline=self._settings.create_deadline,
            settle_after=self._settings.settle_after,
        )
        return Tenant(
            name=self.name,
            project_id=opened.client.project_id,
            client=opened.client,
            snapshots=opened.snapshots,
            batches=opened.batches,
            confirmations=opened.confirmations,
            catalog=opened.catalog,
            jobs=opened.jobs,
            absence=self._absence,
            identity=self._identity,
            create_policy=policy,
            resync_seconds=float(spec.resync_period_seconds),
            creations=opened.creations,
        )

    @property
    def client(self) -> EcsClient | None:
        """The open connection, None while there is none."""
        return self._open.client if self._open is not None else None

    async def close(self) -> None:
        """Close the connection, also one that is just being opened."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait({self._connecting})
        opened, self._open = self._open, None
        if opened is not None:
            await opened.batches.close()
            await opened.confirmations.close()
            await opened.catalog.close()
            await opened.jobs.close()
            await opened.snapshots.close()
            await opened.client.close()

    async def _opened(self) -> _Open | TenantUnavailable:
        """The connection. While it cannot be had, nobody waits for it for long: other projects need the workers."""
        if self._open is not None:
            return self._open
        failure = self._failure
        if failure is not None and self._clock.monotonic() < failure.until and failure.secret_version == self.credentials.version:
            return failure.why
        connecting = self._connecting
        if connecting is None:
            connecting = self._connecting = asyncio.get_running_loop().create_task(self._connect(), name=f"connect {self.name}")
        await asyncio.wait({connecting}, timeout=FIRST_WAIT if failure is None else LATER_WAIT)
        if connecting.done() and not connecting.cancelled():
            connecting.result()  # raises what nobody expected
        return self._open or (self._failure.why if self._failure else self._still_connecting())

    async def _connect(self) -> None:
        """Open the client, or note why not. Who gave up waiting is woken by a success, and by the first failure, which tells more."""
        try:
            client = await self._request()
        except CloudError as error:
            self._failed(error)
        else:
            self._failure, self._failures = None, 0
            snapshots = ServerSnapshots(client.servers, self._clock, margin=self._settings.list_lag + CLOCK_SLACK)
            self._open = _Open(
                client,
                snapshots=snapshots,
                confirmations=Confirmations(client.servers, snapshots),
                batches=Batches(client.servers),
                catalog=Catalog(flavors=client.flavors, images=client.images, limits=client.limits, clock=self._clock),
                jobs=JobLooks(client.jobs, self._clock),
                creations=Creations(self._spec.limits.creates_in_flight, wake=self._wake),
            )
        finally:
            self._connecting = None
        if self._failures <= 1:
            self._on_change()

    def _request(self) -> Awaitable[EcsClient]:
        spec = self._spec
        project_id = spec.project_id or self._known_id
        return self._open_client(
            endpoint=spec.endpoints.ecs,
            iam_endpoint=spec.endpoints.iam or "",
            project_id=project_id,
            project_name=None if project_id else spec.project_name,
            user_id=spec.user_id,
            credentials=self.credentials,
            ca_bundle=spec.ca_bundle,
            budget=BudgetLimits(
                reads_per_second=float(spec.limits.reads_per_second),
                writes_per_second=float(spec.limits.writes_per_second),
                creates_in_flight=spec.limits.creates_in_flight,
            ),
            clock=self._clock,
        )

    def _failed(self, error: CloudError) -> None:
        self._failures += 1
        judged = verdict(error)
        if error.meaning is Meaning.AUTH:
            self.credentials.refused()
        # What was found wrong before anything was sent stands in the spec.
        is_ours = error.outcome is Outcome.NOT_SENT and error.meaning is Meaning.INVALID
        why = self._unavailable(Reason.INVALID_CONFIGURATION if is_ours else judged.reason, judged.message)
        pause = growing(self._failures, first=FIRST_PAUSE, cap=LONGEST_PAUSE)
        self._failure = _Failure(why, self._clock.monotonic() + pause, self.credentials.version)

    def _still_connecting(self) -> TenantUnavailable:
        return self._unavailable(Reason.CLOUD_UNREACHABLE, "still signing in: the cloud takes long to answer")

    def _unavailable(self, reason: Reason, message: str) -> TenantUnavailable:
        return TenantUnavailable(reason, f"EcsProject {self.name}: {message}", (project_key(self.name),))


def connection_parts(spec: ProjectSpec) -> str:
    """What a connection is made of, as one comparable text. The rest of the spec changes without a new connection."""
    return spec.model_dump_json(include={"endpoints", "ca_bundle", "project_id", "project_name", "user_id", "credentials", "limits"})


def encryption_problem(spec: ProjectSpec, *, allow_http: bool) -> str | None:
    """Why an endpoint must not be used, None when all may."""
    for field, address in (("spec.endpoints.ecs", spec.endpoints.ecs), ("spec.endpoints.iam", spec.endpoints.iam)):
        if address and address.lower().startswith("http:") and not allow_http:
            way_out = "use https, or start the operator with --allow-http (for a simulator only)"
            return f"{field} is {address}, which is not encrypted: {way_out}"
    return None
