"""Opens fake clients, and remembers with what."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from ecs_operator.api.group import PROJECT
from ecs_operator.cloud import BudgetLimits, Clock, CloudError, Credentials, CredentialsProvider, EcsClient
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.resources.project.guard import SecretGuard
from ecs_operator.resources.project.link import RegistrySettings
from ecs_operator.resources.project.registry import TenantRegistry
from tests.fakes.clock import FakeClock
from tests.fakes.cloud import IDENTITY, FakeCloud
from tests.fakes.effects import Effects
from tests.fakes.store import FakeStore

NAMESPACE = "ecs-operator-system"
PASSWORD = {"username": "lab-user", "password": "Lab-Passw0rd!", "domainName": "lab"}
SETTINGS = RegistrySettings(namespace=NAMESPACE)


def spec(**changes: Any) -> dict[str, Any]:
    return {
        "region": "eu-west-0",
        "endpoints": {"ecs": "https://ecs.example.test", "iam": "https://iam.example.test"},
        "projectName": "eu-west-0",
        "credentials": {"password": {"secretRef": {"name": "lab"}}},
        **changes,
    }


@dataclass
class Opened:
    """One opened client."""

    arguments: dict[str, Any]
    provider: CredentialsProvider
    client: Any

    async def credentials(self) -> Credentials:
        return await self.provider.get()

    @property
    def is_closed(self) -> bool:
        return bool(self.client.is_closed)


@dataclass
class Opener:
    """``EcsClient.open``, without a network; ``errors`` are raised first, one a call."""

    cloud: FakeCloud
    opened: list[Opened] = field(default_factory=list)
    errors: list[CloudError] = field(default_factory=list)
    calls: int = 0
    gate: asyncio.Event | None = None
    """Closed until the test sets it."""

    async def __call__(
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
    ) -> EcsClient:
        del clock
        self.calls += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.errors:
            raise self.errors.pop(0)
        arguments = {
            "endpoint": endpoint,
            "iam_endpoint": iam_endpoint,
            "project_id": project_id,
            "project_name": project_name,
            "user_id": user_id,
            "ca_bundle": ca_bundle,
            "budget": budget,
        }
        client = self.cloud.client
        self.opened.append(Opened(arguments, credentials, client))
        return client


@dataclass
class Directory:
    """A registry over fakes."""

    settings: RegistrySettings = SETTINGS
    clock: FakeClock = field(default_factory=FakeClock)
    woken: list[ObjectKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.effects = Effects()
        self.store = FakeStore(self.clock, self.effects, own_namespace=NAMESPACE)
        self.cloud = FakeCloud(self.clock)
        self.opener = Opener(self.cloud)
        self.store.set_secret(NAMESPACE, "lab", **PASSWORD)
        self.store.set_namespace("shop", team="shop")
        self.store.set_namespace("blog", team="blog")
        self.start()

    def start(self) -> None:
        """Another process: it remembers nothing."""
        self.guard = SecretGuard(store=self.store, held=self.store, namespace=NAMESPACE, clock=self.clock)
        self.registry = TenantRegistry(
            store=self.store,
            guard=self.guard,
            identity=IDENTITY,
            clock=self.clock,
            settings=self.settings,
            wake=self.woken.append,
            open_client=self.opener,
        )

    def add(self, name: str = "lab", **changes: Any) -> KubeObject:
        status = changes.pop("status", None)
        return self.store.create(PROJECT.plural, name, spec(**changes), status=status)
