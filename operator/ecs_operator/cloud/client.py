"""The client of one project: opening it, and its operations by group."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self

import httpx

from ecs_operator.cloud.authentication import Authentication
from ecs_operator.cloud.breaker import BreakerState
from ecs_operator.cloud.budget import Budget, BudgetLimits
from ecs_operator.cloud.clock import Clock, SystemClock
from ecs_operator.cloud.counters import CallCounters
from ecs_operator.cloud.credentials import AccessKey, CredentialsProvider
from ecs_operator.cloud.dispatch import Dispatcher, Observer
from ecs_operator.cloud.errors import CloudError, invalid
from ecs_operator.cloud.iam import CREATE_TOKEN, token_source
from ecs_operator.cloud.operations.access import Identity, Versions
from ecs_operator.cloud.operations.actions import ServerActions
from ecs_operator.cloud.operations.consoles import Consoles
from ecs_operator.cloud.operations.flavors import Flavors
from ecs_operator.cloud.operations.floating_ips import FloatingIps
from ecs_operator.cloud.operations.groups import ServerGroups
from ecs_operator.cloud.operations.images import Images
from ecs_operator.cloud.operations.instance_actions import InstanceActions
from ecs_operator.cloud.operations.interfaces import Interfaces
from ecs_operator.cloud.operations.jobs import Jobs
from ecs_operator.cloud.operations.key_pairs import KeyPairs
from ecs_operator.cloud.operations.limits import ProjectLimits, Quotas
from ecs_operator.cloud.operations.metadata import ServerMetadata
from ecs_operator.cloud.operations.native_groups import NativeServerGroups
from ecs_operator.cloud.operations.native_tags import NativeTags
from ecs_operator.cloud.operations.networks import Networks
from ecs_operator.cloud.operations.passwords import ServerPasswords
from ecs_operator.cloud.operations.recovery import AutoRecovery
from ecs_operator.cloud.operations.security_groups import SecurityGroups
from ecs_operator.cloud.operations.servers import Servers
from ecs_operator.cloud.operations.snapshots import Snapshots
from ecs_operator.cloud.operations.systems import ServerSystems
from ecs_operator.cloud.operations.tags import ServerTags
from ecs_operator.cloud.operations.volumes import Volumes
from ecs_operator.cloud.session import Place, Session
from ecs_operator.cloud.tokens import Tokens
from ecs_operator.cloud.transport import open_http

_ADDRESS = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?", re.IGNORECASE)


class EcsClient:
    """The ECS API for one project. All operations raise CloudError. Close it when it is no longer needed.

    An asynchronous context manager; or call ``close``.
    """

    def __init__(self, session: Session, *, user_id: str | None = None) -> None:
        self._session = session
        self._user_id = user_id
        self.servers = Servers(session)
        self.systems = ServerSystems(session)
        self.server_actions = ServerActions(session)
        self.flavors = Flavors(session)
        self.images = Images(session)
        self.interfaces = Interfaces(session)
        self.networks = Networks(session)
        self.security_groups = SecurityGroups(session)
        self.floating_ips = FloatingIps(session)
        self.volumes = Volumes(session)
        self.snapshots = Snapshots(session)
        self.metadata = ServerMetadata(session)
        self.tags = ServerTags(session)
        self.native_tags = NativeTags(session)
        self.groups = ServerGroups(session)
        self.native_groups = NativeServerGroups(session)
        self.key_pairs = KeyPairs(session)
        self.passwords = ServerPasswords(session)
        self.limits = ProjectLimits(session)
        self.quotas = Quotas(session)
        self.jobs = Jobs(session)
        self.instance_actions = InstanceActions(session)
        self.consoles = Consoles(session)
        self.auto_recovery = AutoRecovery(session)
        self.versions = Versions(session)
        self.identity = Identity(session)

    @classmethod
    async def open(
        cls,
        *,
        endpoint: str,
        iam_endpoint: str,
        project_id: str | None = None,
        project_name: str | None = None,
        user_id: str | None = None,
        credentials: CredentialsProvider,
        ca_bundle: str | None = None,
        budget: BudgetLimits | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        observer: Observer | None = None,
    ) -> Self:
        """A client for the project of this id, else of this name. Raises CloudError.

        With an id nothing is sent yet. A name is looked up by a token, so it needs a user with password.
        ``iam_endpoint`` may be empty where an access key is used: then every call that needs IAM is refused here.
        ``user_id`` is whose credentials these are, for the calls that want it; a token tells it too, an access key does not.
        ``ca_bundle`` is PEM text; certificates are then verified against it alone. ``transport`` replaces the network in tests.
        """
        _check(endpoint=endpoint, iam_endpoint=iam_endpoint, project=project_id or project_name)
        time = clock or SystemClock()
        # Request ids and jitter only: nothing here must be unguessable.
        chance = rng or random.Random()  # noqa: S311
        encrypted = any(address.lower().startswith("https:") for address in (endpoint, iam_endpoint))
        http = open_http(ca_bundle=ca_bundle, encrypted=encrypted, transport=transport)
        dispatcher = Dispatcher(http, clock=time, rng=chance, observer=observer)
        fetch = token_source(
            dispatcher, iam_endpoint=iam_endpoint, project_id=project_id or "", project_name=project_name or "", clock=time
        )
        tokens = Tokens(fetch, clock=time)
        session = Session(
            Place(endpoint=endpoint, iam_endpoint=iam_endpoint, project_id=project_id or ""),
            dispatcher=dispatcher,
            authentication=Authentication(credentials, tokens=tokens, clock=time),
            budget=Budget(budget or BudgetLimits(), clock=time),
            clock=time,
            rng=chance,
        )
        client = cls(session, user_id=user_id)
        if not project_id:
            await client._settle(project_name or "", credentials, tokens)
        return client

    @property
    def endpoint(self) -> str:
        """Where the ECS API is."""
        return self._session.place.endpoint

    @property
    def project_id(self) -> str:
        """The project's id."""
        return self._session.place.project_id

    async def user_id(self) -> str | None:
        """Id of the user: the one that was given, else the token's; None where only an access key is known. Raises CloudError."""
        return self._user_id or await self._session.user_id()

    @property
    def counters(self) -> CallCounters:
        """What became of the calls so far."""
        return self._session.counters

    def breakers(self) -> Mapping[str, BreakerState]:
        """Whether calls leave, by endpoint: ``ecs`` and ``iam``."""
        return self._session.breakers()

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def _settle(self, name: str, provider: CredentialsProvider, tokens: Tokens) -> None:
        """Find out the project's id; without it the client is of no use, and is closed."""
        try:
            found = await self._look_up(name, provider, tokens)
        except BaseException:
            await self.close()
            raise
        self._session.place = replace(self._session.place, project_id=found)

    async def _look_up(self, name: str, provider: CredentialsProvider, tokens: Tokens) -> str:
        """The id of a project, from the token that is scoped to it, else from IAM's list."""
        current = await provider.get()
        if isinstance(current, AccessKey):
            raise invalid(operation="listProjects", field="projectId", problem="is needed with an access key")
        token = await tokens.get(current)
        if token.project_id:
            return token.project_id
        matches = [project.id for project in await self.identity.projects() if project.name == name]
        if len(matches) != 1:
            raise _unknown_project(name)
        return matches[0]


def _unknown_project(name: str) -> CloudError:
    return invalid(operation=CREATE_TOKEN.name, field="projectName", problem=f"the account has no single project named {name!r}")


def _check(*, endpoint: str, iam_endpoint: str, project: str | None) -> None:
    if not project:
        raise invalid(operation="connect", field="projectId", problem="projectId or projectName is needed")
    _check_address("endpoints.ecs", endpoint)
    if iam_endpoint:
        _check_address("endpoints.iam", iam_endpoint)


def _check_address(field: str, address: str) -> None:
    if not _ADDRESS.fullmatch(address):
        raise invalid(operation="connect", field=field, problem="must be an address like https://ecs.example.com")
