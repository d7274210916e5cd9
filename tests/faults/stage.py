"""The stage of the fault tests: one operator whose two sockets lead through recording proxies, and a case of its own for every test.

What is judged is the simulator's ledger (what was ever created), not the state it ended in: a healed duplicate is still a duplicate.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from ecs_lab.laboratory import CloudProject, Laboratory
from ecs_lab.operator import OperatorProcess
from ecs_lab.proxy import Answer, Call, Exchange, Handler, Proxy, Record, Rule
from ecs_lab.waiting import until
from tests.scenes import is_ready, left_of, server_manifest, summary, uid_of

CONVERGE_SECONDS = 90.0

_KUBE_PATH = re.compile(
    r"^/apis/ecs\.huaweicloud\.com/v1alpha1/namespaces/(?P<ns>[^/]+)/(?P<plural>[^/]+)/(?P<name>[^/]+)(?P<status>/status)?$"
)
_CLOUD_PATHS: tuple[tuple[str, str, str], ...] = (
    ("POST", r"/v1/[^/]+/cloudservers$", "create"),
    ("POST", r"/v1/[^/]+/cloudservers/delete$", "delete"),
    ("POST", r"/v1/[^/]+/cloudservers/action$", "action"),
    ("GET", r"/v1/[^/]+/jobs/[^/]+$", "job"),
    ("GET", r"/v2(\.1)?/[^/]+/servers/detail$", "list"),
    ("GET", r"/v2(\.1)?/[^/]+/servers/[^/]+$", "get"),
    ("POST", r"/v1/[^/]+/cloudservers/[^/]+/attachvolume$", "attach"),
    ("DELETE", r"/v1/[^/]+/cloudservers/[^/]+/detachvolume/[^/]+$", "detach"),
    ("POST", r"/v1/[^/]+/cloudservers/os-server-groups$", "create group"),
)


KUBE_EFFECTS = frozenset({"read object", "write status", "add finalizer", "remove finalizer"})


def effect(call: Call) -> str | None:
    """The name of an exchange in the terms of lifecycle.md; None for what is no part of an object's path (watches, leases, discovery)."""
    if found := _KUBE_PATH.match(call.path):
        if call.method == "GET":
            return "read object"
        if found["status"]:
            return "write status"
        return "remove finalizer" if call.body.startswith(b"[") else "add finalizer"
    return next((name for method, pattern, name in _CLOUD_PATHS if method == call.method and re.search(pattern, call.path)), None)


class Killer:
    """Kills the operator at one phase of an exchange: before upstream sees it, after it is carried out, or after the answer left."""

    def __init__(self, op: OperatorProcess, phase: str) -> None:
        self._op = op
        self._phase = phase
        self._taken = False
        self._done = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> Answer | None:
        """Take the exchange over. Others that come while it is being killed, or were on their way, get no answer and kill nobody."""
        if self._taken:
            return None
        self._taken = True
        if self._phase != "before":
            answer = await exchange.forward()
            if self._phase == "answered":
                await exchange.reply(answer)
        await self._op.kill()
        self._done.set()
        return None

    async def wait(self, *, seconds: float = 60) -> None:
        """Until the operator is dead; raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self._done.wait()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The parts, shared by the tests of a session. ``played`` are the cases whose deletion is still to be proven."""

    lab: Laboratory
    op: OperatorProcess
    kube: Proxy
    cloud: Proxy
    played: list[Case] = field(default_factory=list)

    def killer(self, phase: str) -> Killer:
        """Kills the operator at one phase of an exchange."""
        return Killer(self.op, phase)

    def clear(self) -> None:
        """No rules any more."""
        self.kube.clear()
        self.cloud.clear()


@dataclass(kw_only=True)
class Case:
    """One test's own namespace and cloud project, and the questions tests ask."""

    stage: Stage
    project: CloudProject
    first_kube: int = 0
    first_cloud: int = 0

    @property
    def namespace(self) -> str:
        return self.project.namespace

    def server(self, name: str, **spec: Any) -> dict[str, Any]:
        """A small EcsServer."""
        return server_manifest(self.project, name, **spec)

    def servers(self, count: int) -> list[dict[str, Any]]:
        return [self.server(f"s-{number:03}") for number in range(count)]

    async def apply(self, *objects: dict[str, Any]) -> None:
        await self.kubectl("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(objects))

    async def kubectl(self, *args: str, stdin: str | None = None) -> str:
        return await self.stage.lab.cp.kubectl(*args, stdin=stdin, namespace=self.namespace)

    async def objects(self, resource: str = "ecsservers") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(await self.kubectl("get", resource, "-o", "json"))["items"]
        return found

    async def wait_ready(self, count: int, *, seconds: float = CONVERGE_SECONDS) -> list[dict[str, Any]]:
        """Until ``count`` EcsServers are Ready for their newest generation. The operator must stay alive."""
        last: list[str] = []

        async def probe() -> list[dict[str, Any]] | None:
            found = await self.objects()
            last[:] = [f"{o['metadata']['name']}: {summary(o)}" for o in found if not is_ready(o)]
            return found if len(found) == count and not last else None

        return await until(
            probe, seconds=seconds, every=0.2, what=lambda: "not Ready: " + "; ".join(last[:5]), check=self.stage.op.check_alive
        )

    async def wait_gone(self, *, seconds: float = CONVERGE_SECONDS) -> None:
        """Until no EcsServer is left."""

        async def probe() -> bool:
            return not await self.objects()

        await until(probe, seconds=seconds, every=0.2, what="EcsServers are still there", check=self.stage.op.check_alive)

    async def delete_all(self) -> None:
        await self.kubectl("delete", "ecsservers", "--all", "--wait=false")

    async def ledger(self) -> list[dict[str, Any]]:
        answer = await self.stage.lab.sim.admin("GET", "/_sim/ledger", params={"project": self.project.account.project_id})
        entries: list[dict[str, Any]] = answer["entries"]
        return entries

    async def created_servers(self) -> Counter[str]:
        """How many servers were ever created, by the uid in their marker."""
        return Counter(uid_of(e) for e in await self.ledger() if e["resource"] == "server" and e["action"] == "create")

    async def assert_exactly_one_each(self, objects: Sequence[Mapping[str, Any]]) -> None:
        """I1: the ledger shows one creation for each object, and none for anybody else."""
        assert await self.created_servers() == Counter({o["metadata"]["uid"]: 1 for o in objects})

    async def assert_nothing_left(self) -> None:
        """I2: everything that was created is deleted again: servers, ports, volumes made with them."""
        assert left_of(await self.ledger()) == set()

    def on(self, name: str, handle: Handler, *, skip: int = 0, times: int | None = 1) -> Rule:
        """A rule for the exchanges of this name that belong to this case."""
        stage = self.stage
        kube, cloud = f"/namespaces/{self.namespace}/", f"/{self.project.account.project_id}/"
        side, mine = (stage.kube, kube) if name in KUBE_EFFECTS else (stage.cloud, cloud)
        return side.on(lambda call: mine in call.path and effect(call) == name, handle, skip=skip, times=times)

    def effects(self, *, kube_from: int = 0, cloud_from: int = 0) -> list[str]:
        """The names of the exchanges of this case so far, API server first, each side in its order."""
        kube = [effect(r.call) for r in self.stage.kube.records[kube_from:] if f"/namespaces/{self.namespace}/" in r.call.path]
        cloud = [effect(r.call) for r in self.stage.cloud.records[cloud_from:] if self.project.account.project_id in r.call.path]
        return [name for name in kube + cloud if name is not None]

    def writes_since(self, kube_from: int, cloud_from: int) -> list[str]:
        """Every write to either API since then, leases left out: what "quiet" means."""
        return [
            f"{r.call.method} {r.call.path}"
            for r in self.stage.kube.records[kube_from:] + self.stage.cloud.records[cloud_from:]
            if is_write(r)
        ]


def is_write(record: Record) -> bool:
    """A changing request other than the lease's renewal and the fetching of tokens."""
    path = record.call.path
    return record.call.method not in {"GET", "HEAD"} and "/leases" not in path and not path.endswith("/auth/tokens")
