"""The parts of the fake cloud that change what a server has: each call is an effect, and may be repeated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from ecs_operator.cloud import CloudError, Flavor, JobAccepted, Limits, Meaning
from tests.unit.resources.server.fake_cloud import FakeCloud, refusal

SOLD_OUT = {"cond:operation:status": "normal", "cond:operation:az": "eu-west-0a(sellout)"}
FLAVORS = (
    Flavor(id="s3.small.1", vcpus=1, ram=1024),
    Flavor(id="s3.large.2", vcpus=2, ram=4096),
    Flavor(id="s3.xlarge.2", vcpus=4, ram=8192),
    Flavor(id="s3.rare.2", vcpus=4, ram=8192, extra_specs=SOLD_OUT),
)


class FakeSettings:
    """Names, metadata, tags, groups, recovery, locks and flavors of the servers of a fake cloud."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud
        self.recovery: dict[str, bool] = {}
        self.refused: dict[str, CloudError] = {}
        """What the effect of this name is answered with."""
        self.cores = 10
        """The quota of virtual CPUs."""
        self.resizes: list[tuple[str, str]] = []
        self.next_resize_failure: tuple[str, str] | None = None

    def groups_of(self, server_id: str) -> list[str]:
        return [name.removeprefix("name of ") for name in self._server(server_id).security_groups]

    async def update(self, server_id: str, *, name: str | None = None, description: str | None = None) -> None:
        changes = {key: value for key, value in (("name", name), ("description", description)) if value is not None}
        self._perform("update", server_id, lambda: self._cloud.set(server_id, **changes))

    async def merge(self, server_id: str, pairs: Mapping[str, str]) -> None:
        def do() -> None:
            if self._server(server_id).locked:
                raise refusal("updateServerMetadata", meaning=Meaning.CONFLICT, status=409, code="Ecs.0605", message="locked")
            self._cloud.set(server_id, metadata={**self._server(server_id).metadata, **pairs})

        self._perform("merge", server_id, do)

    async def add_tags(self, server_id: str, tags: Mapping[str, str]) -> None:
        self._perform("add_tags", server_id, lambda: self._set_tags(server_id, tags, {}))

    async def remove_tags(self, server_id: str, tags: Mapping[str, str]) -> None:
        self._perform("remove_tags", server_id, lambda: self._set_tags(server_id, {}, tags))

    async def add_group(self, server_id: str, group: str) -> None:
        self._perform("add_group", server_id, lambda: self._set_groups(server_id, [*self.groups_of(server_id), group]))

    async def remove_group(self, server_id: str, group: str) -> None:
        self._perform(
            "remove_group", server_id, lambda: self._set_groups(server_id, [each for each in self.groups_of(server_id) if each != group])
        )

    async def groups_of_server(self, server_id: str) -> tuple[Any, ...]:
        return tuple(SimpleNamespace(id=each, name=f"name of {each}") for each in self.groups_of(server_id))

    async def get_recovery(self, server_id: str) -> bool:
        return self.recovery.get(server_id, False)

    async def set_recovery(self, server_id: str, *, enabled: bool) -> None:
        self._perform("set_recovery", server_id, lambda: self.recovery.__setitem__(server_id, enabled))

    async def lock(self, server_id: str) -> None:
        self._perform("lock", server_id, lambda: self._cloud.set(server_id, locked=True))

    async def unlock(self, server_id: str) -> None:
        self._perform("unlock", server_id, lambda: self._cloud.set(server_id, locked=False))

    async def sold(self) -> tuple[Flavor, ...]:
        return FLAVORS

    async def limits(self) -> Limits:
        """Of the quota, servers alone are counted: one virtual CPU each."""
        used = len(self._cloud.servers_by_id)
        return Limits(maxTotalCores=self.cores, totalCoresUsed=used, totalInstancesUsed=used)

    async def resize(self, server_id: str, flavor: str) -> JobAccepted:
        def do() -> JobAccepted:
            server = self._server(server_id)
            if server.locked or server.status != "SHUTOFF" or server.task_state or server.flavor_id == flavor:
                raise refusal("resizeServer", meaning=Meaning.CONFLICT, status=400, code="Ecs.0100", message="the state does not allow it")
            self.resizes.append((server_id, flavor))
            self._cloud.set(server_id, status="RESIZE", task_state="resize_migrating")
            fails, self.next_resize_failure = self.next_resize_failure, None

            def arrive() -> None:
                self._cloud.set(server_id, status="SHUTOFF", task_state="", **({} if fails else {"flavor_id": flavor}))

            job_id = self._cloud._job("resizeServer", (server_id,), 6.0, arrive)
            self._cloud.jobs[job_id].fails = fails
            return JobAccepted(job_id=job_id)

        accepted: JobAccepted = self._cloud.effects.perform("cloud.resize", lambda: self._unless_refused("resize", do))
        return accepted

    def _set_tags(self, server_id: str, more: Mapping[str, str], less: Mapping[str, str]) -> None:
        present = dict(text.partition("=")[::2] for text in self._server(server_id).tags)
        wanted = {key: value for key, value in {**present, **more}.items() if key not in less}
        if len(wanted) > 10:
            raise refusal("addServerTags", meaning=Meaning.QUOTA, status=400, message="too many tags")
        self._cloud.set(server_id, tags=tuple(f"{key}={value}" if value else key for key, value in sorted(wanted.items())))

    def _set_groups(self, server_id: str, groups: list[str]) -> None:
        self._cloud.set(server_id, security_groups=tuple(f"name of {each}" for each in groups))

    def _server(self, server_id: str) -> Any:
        return self._cloud.servers_by_id[server_id].server

    def _perform(self, name: str, server_id: str, do: Callable[[], None]) -> None:
        del server_id
        self._cloud.effects.perform(f"cloud.{name}", lambda: self._unless_refused(name, do))

    def _unless_refused(self, name: str, do: Callable[[], Any]) -> Any:
        if name in self.refused:
            raise self.refused[name]
        return do()


class Servers:
    """The operations on servers: those of the cloud, whatever a test put in their place, and the two that are carried out here."""

    def __init__(self, cloud: FakeCloud, settings: FakeSettings) -> None:
        self._cloud = cloud
        self.update, self.resize = settings.update, settings.resize

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)
