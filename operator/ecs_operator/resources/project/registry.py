"""The tenants of the cluster: finds the project of an object, and keeps one connection per EcsProject."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from pydantic import ValidationError

from ecs_operator.api.group import PAUSED_ANNOTATION, PROJECT
from ecs_operator.api.project import ProjectSpec
from ecs_operator.cloud import EcsClient
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.ports import Clock, KubeStore
from ecs_operator.resources.absence import AbsenceWatch
from ecs_operator.resources.keys import project_key
from ecs_operator.resources.ownership import ClusterIdentity
from ecs_operator.resources.project.admission import ANY_PROJECT, Candidate, asks_for_labels, choose
from ecs_operator.resources.project.credentials import secret_key
from ecs_operator.resources.project.guard import SecretGuard
from ecs_operator.resources.project.link import Link, OpenClient, RegistrySettings, connection_parts
from ecs_operator.resources.tenancy import Tenant, TenantUnavailable

logger = logging.getLogger(__name__)

LABELS_HOLD = 10.0
"""Seconds for which a namespace's labels are remembered. Nobody tells when they change: who is not admitted asks again in time."""
MISS_HOLDS = 1.0
"""Seconds between lists of the projects when one is asked for that is not known."""
RETIRED_FOR = 120.0
"""Seconds that a replaced connection stays open for passes that still use it; no call lasts longer than 60."""


class TenantRegistry:
    """The TenantDirectory. ``note`` and ``forget`` are told by the projects' reconciler; ``find`` is asked by all others."""

    def __init__(
        self,
        *,
        store: KubeStore,
        guard: SecretGuard,
        identity: ClusterIdentity,
        clock: Clock,
        settings: RegistrySettings,
        wake: Callable[[ObjectKey], None],
        open_client: OpenClient = EcsClient.open,
    ) -> None:
        """``guard`` keeps the Secrets that are used; ``wake``: called with a project's key when who waits for it should look again."""
        self._store = store
        self._guard = guard
        self._identity = identity
        self._clock = clock
        self._settings = settings
        self._wake = wake
        self._open_client = open_client
        self._projects: dict[str, tuple[KubeObject, Candidate]] = {}
        self._links: dict[str, Link] = {}
        self._retired: list[tuple[float, Link]] = []
        self._labels: dict[str, tuple[float, Mapping[str, str]]] = {}
        self._listing = asyncio.Lock()
        self._listed_at: float | None = None
        self.absence = AbsenceWatch(store=store, clock=clock, wake=wake)

    async def find(self, *, namespace: str, project_ref: str | None, pinned: str | None) -> Tenant | TenantUnavailable:
        """The tenant for an object (see TenantDirectory). Raises StoreError when projects or namespaces cannot be read."""
        chosen = await self._choose(namespace, project_ref, pinned)
        if isinstance(chosen, TenantUnavailable):
            await self._list_unknown()
            chosen = await self._choose(namespace, project_ref, pinned)
        return chosen if isinstance(chosen, TenantUnavailable) else await self.tenant(chosen.name)

    async def tenant(self, name: str) -> Tenant | TenantUnavailable:
        """The tenant of a project that is known. Raises KeyError when it is not."""
        obj, candidate = self._projects[name]
        link = self._links.get(name)
        if link is None:
            link = self._links[name] = self._link(obj, candidate.spec)
        return await link.tenant(candidate.spec)

    def secret_version(self, name: str) -> str:
        """The version of the Secret that was read last for a project, empty when there is none."""
        link = self._links.get(name)
        return link.credentials.version if link else ""

    def secret_is_leaving(self, name: str) -> bool:
        """The Secret of a project was being deleted when it was read last."""
        link = self._links.get(name)
        return link is not None and link.credentials.is_leaving

    def read_secret_again(self, name: str) -> None:
        """What was read of a project's Secret is not relied on any longer."""
        link = self._links.get(name)
        if link is not None:
            link.credentials.read_again()

    def credentials_refused(self, name: str) -> None:
        """The cloud does not take the project's credentials: a mended Secret is looked for sooner."""
        link = self._links.get(name)
        if link is not None:
            link.credentials.refused()

    def secret_key(self, spec: ProjectSpec) -> ObjectKey:
        """What to wait for, to be woken when the Secret of a project is another one."""
        return secret_key(self._settings.namespace, spec)

    def note(self, obj: KubeObject) -> None:
        """An EcsProject as it is now. Raises ValidationError when its spec cannot be read."""
        candidate = Candidate(
            name=obj.key.name,
            spec=ProjectSpec.model_validate(obj.spec),
            is_deleting=obj.is_deleting,
            is_paused=obj.annotations.get(PAUSED_ANNOTATION) == "true",
        )
        known = self._projects.get(obj.key.name)
        self._projects[obj.key.name] = (obj, candidate)
        link = self._links.get(obj.key.name)
        is_another = known is not None and known[0].uid != obj.uid
        if link is not None and (is_another or link.parts != connection_parts(candidate.spec)):
            logger.info("the connection of EcsProject %s is made anew", obj.key.name)
            self._retire(obj.key.name)
        if known is None or is_another or known[1] != candidate:
            self.changed(obj.key.name)

    async def forget(self, name: str) -> None:
        """The EcsProject is gone: close its connection."""
        self._projects.pop(name, None)
        self.absence.forget(name)
        link = self._links.pop(name, None)
        if link is not None:
            await link.close()
        self.changed(name)

    def changed(self, name: str) -> None:
        """Wake who waits for the project, or for any."""
        self._wake(project_key(name))
        self._wake(ANY_PROJECT)

    async def tidy(self) -> None:
        """Close the connections that nobody can use any more."""
        now = self._clock.monotonic()
        due = [link for at, link in self._retired if now - at >= RETIRED_FOR]
        self._retired = [(at, link) for at, link in self._retired if now - at < RETIRED_FOR]
        self._labels = {name: held for name, held in self._labels.items() if now - held[0] < LABELS_HOLD}
        for link in due:
            await link.close()

    def clients(self) -> Mapping[str, EcsClient]:
        """The open connections by EcsProject, for metrics."""
        return {name: link.client for name, link in self._links.items() if link.client is not None}

    async def close(self) -> None:
        """Close all connections."""
        links = [*self._links.values(), *(link for _, link in self._retired)]
        self._links.clear()
        self._retired.clear()
        for link in links:
            await link.close()

    async def _choose(self, namespace: str, project_ref: str | None, pinned: str | None) -> Candidate | TenantUnavailable:
        candidates = {name: candidate for name, (_, candidate) in self._projects.items()}
        labels = await self._namespace_labels(namespace) if asks_for_labels(candidates) else {}
        return choose(candidates, namespace=namespace, labels=labels, project_ref=project_ref, pinned=pinned)

    async def _list_unknown(self) -> None:
        """What is not known may be there: a project's event can come after that of its objects."""
        async with self._listing:
            if self._listed_at is not None and self._clock.monotonic() - self._listed_at < MISS_HOLDS:
                return
            objects = await self._store.list(PROJECT.plural)
            self._listed_at = self._clock.monotonic()
        for obj in objects:
            if obj.key.name in self._projects:
                # Its reconciler may have read it after the list was made.
                continue
            try:
                self.note(obj)
            except ValidationError:
                logger.warning("%s has a spec that cannot be read", obj.key)

    async def _namespace_labels(self, namespace: str) -> Mapping[str, str]:
        held = self._labels.get(namespace)
        if held is None or self._clock.monotonic() - held[0] >= LABELS_HOLD:
            labels = await self._store.namespace_labels(namespace) or {}
            held = self._labels[namespace] = (self._clock.monotonic(), labels)
        return held[1]

    def _link(self, obj: KubeObject, spec: ProjectSpec) -> Link:
        name = obj.key.name
        known_id = obj.status.get("projectId")
        return Link(
            name,
            spec,
            known_id=known_id if isinstance(known_id, str) else None,
            guard=self._guard,
            identity=self._identity,
            clock=self._clock,
            settings=self._settings,
            absence=self.absence,
            open_client=self._open_client,
            on_change=lambda: self.changed(name),
            on_secret_change=lambda: self._secret_changed(name, secret_key(self._settings.namespace, spec)),
            wake=self._wake,
        )

    def _secret_changed(self, name: str, key: ObjectKey) -> None:
        logger.info("%s of EcsProject %s has changed", key, name)
        self._wake(key)
        self.changed(name)

    def _retire(self, name: str) -> None:
        self._retired.append((self._clock.monotonic(), self._links.pop(name)))
