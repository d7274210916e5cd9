"""The operator as a process: how it stops, who works when there are two, what it tells, and which rights it needs.

These tests have a laboratory of their own, because they decide when an operator runs.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml

from ecs_lab.control_plane import ControlPlane
from ecs_lab.installation import operator_kubeconfig
from ecs_lab.laboratory import Laboratory, laboratory
from ecs_lab.operator import NAMESPACE, OperatorProcess, operator
from ecs_lab.ports import free_ports
from ecs_lab.proxy import Call, Record, proxy
from ecs_lab.pytest_plugin import unique_name
from ecs_lab.repository import repository_root
from ecs_lab.waiting import until
from tests.e2e.pace import QUICK
from tests.scenes import Scene, condition, scene_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEASE_SECONDS = 20  # the shortest that the operator takes


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A control plane and a cloud without an operator, and ways to start some."""

    lab: Laboratory
    directory: Path

    @asynccontextmanager
    async def operator(self, identity: str, *args: str, server: str | None = None, ready: bool = True) -> AsyncIterator[OperatorProcess]:
        """An operator of this name with the rights of manifests/base. `server` leads through a proxy."""
        directory = self.directory / f"{identity}-{len(list(self.directory.iterdir()))}"
        kubeconfig = await operator_kubeconfig(self.lab.cp, directory / "kubeconfig", server=server)
        more = ("--lease-duration", str(LEASE_SECONDS), "--log-level", "DEBUG", *args)
        async with operator(kubeconfig=kubeconfig, directory=directory, identity=identity, args=more, start=False) as process:
            await process.start(wait=ready)
            yield process

    async def lease(self) -> Mapping[str, Any]:
        """The spec of the lease, {} when there is none."""
        text = await self.lab.cp.kubectl("get", "lease", "ecs-operator", "-o", "json", "--ignore-not-found", namespace=NAMESPACE)
        spec: Mapping[str, Any] = json.loads(text)["spec"] if text else {}
        return spec

    async def until_held_by(self, identity: str, *, seconds: float) -> None:
        """Until an operator holds the lease."""

        async def held() -> bool:
            return (await self.lease()).get("holderIdentity") == identity

        await until(held, seconds=seconds, every=0.1, what=f"{identity} does not hold the lease")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bench(tmp_path_factory: pytest.TempPathFactory, control_plane: ControlPlane) -> AsyncIterator[Bench]:
    """Beside the session's control plane, whose programs are built already."""
    del control_plane
    directory = tmp_path_factory.mktemp("process")
    async with laboratory(directory=directory / "lab", with_operator=False) as lab:
        await lab.sim.admin("POST", "/_sim/durations", QUICK)
        (directory / "operators").mkdir()
        yield Bench(lab=lab, directory=directory / "operators")


@pytest_asyncio.fixture(loop_scope="session")
async def scene(bench: Bench, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    """A namespace and a project in this laboratory. What is left goes with the laboratory."""
    name = unique_name(request.node.name)
    await bench.lab.cp.kubectl("create", "namespace", name)
    project = await bench.lab.add_project(name, namespace=name, spec={"resyncPeriodSeconds": 2})
    async with scene_of(bench.lab, project) as mine:
        yield mine


async def status_of(op: OperatorProcess, path: str) -> tuple[int, str]:
    """Status and text of a probe."""
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        answer = await client.get(f"{op.probe_url}{path}")
    return answer.status_code, answer.text


def lines_of(op: OperatorProcess) -> list[dict[str, Any]]:
    """The log, line by line."""
    return [json.loads(line) for line in op.log_path.read_text().splitlines()]


async def until_ready(scene: Scene, op: OperatorProcess, what: str) -> Mapping[str, Any]:
    """Until an object is Ready. The scene's own operator is not started here, so its liveness says nothing."""

    async def probe() -> Mapping[str, Any] | None:
        obj = await scene.get(what)
        return obj if condition(obj, "Ready").get("status") == "True" else None

    return await until(probe, seconds=60, every=0.1, what=f"{what} is not Ready", check=op.check_alive)


# --- its end ---


async def test_sigterm_in_the_midst_of_a_creation(bench: Bench, scene: Scene) -> None:
    """It ends with 0, gives the lease back, and whoever comes next goes on where it was."""
    await bench.lab.sim.admin("POST", "/_sim/durations", {**QUICK, "create_server": 3.0})
    async with bench.operator("first") as first:
        await scene.apply(scene.server("web-0"))

        async def accepted() -> bool:
            return bool((await scene.get("ecsvm/web-0"))["status"].get("create", {}).get("outcome") == "Accepted")

        await until(accepted, seconds=20, what="the creation was not accepted", check=first.check_alive)
        assert await first.terminate(seconds=20) == 0
        assert [line["message"] for line in lines_of(first)][-1] == "stopped"
        assert (await bench.lease())["holderIdentity"] == ""
    await bench.lab.sim.admin("POST", "/_sim/durations", QUICK)
    async with bench.operator("second") as second:
        await bench.until_held_by("second", seconds=5)
        await until_ready(scene, second, "ecsvm/web-0")
    assert sum((await scene.creations()).values()) == 1


async def test_a_rival_waits_and_takes_over(bench: Bench, scene: Scene) -> None:
    """Two at a time: both are ready, one works. When that one is killed, the other works after the lease has run out."""
    async with bench.operator("worker") as worker, bench.operator("rival") as rival:
        assert (await status_of(rival, "/readyz"))[0] == 200
        await scene.apply(scene.server("web-0"))
        await until_ready(scene, worker, "ecsvm/web-0")
        assert (await bench.lease())["holderIdentity"] == "worker"
        assert not [line for line in lines_of(rival) if line["logger"].startswith("ecs_operator.cloud")], "the rival called the cloud"
        await worker.kill()
        await scene.apply(scene.server("web-1"))
        await bench.until_held_by("rival", seconds=LEASE_SECONDS + 10)
        await until_ready(scene, rival, "ecsvm/web-1")
        assert (await bench.lease())["leaseTransitions"] >= 1
    assert set((await scene.creations()).values()) == {1}


# --- what it tells ---


async def test_probes_while_the_api_server_is_away(bench: Bench) -> None:
    """It lives, is not ready, says what it waits for, and can be stopped."""
    (closed,) = free_ports(1)
    async with bench.operator("early", server=f"http://127.0.0.1:{closed}", ready=False) as op:

        async def waiting() -> bool:
            try:
                status, text = await status_of(op, "/readyz")
            except httpx.TransportError:
                return False
            return status == 503 and "waiting for the API server: " in text

        await until(waiting, seconds=20, what="/readyz does not say what is waited for", check=op.check_alive)
        assert (await status_of(op, "/livez"))[0] == 200
        assert await op.terminate(seconds=10) == 0


async def test_probes_of_one_that_works(bench: Bench) -> None:
    async with bench.operator("worker") as op:
        status, text = await status_of(op, "/readyz")
        assert status == 200
        assert "caches filled" in text
        status, text = await status_of(op, "/livez")
        assert status == 200
        assert "watches" in text
        assert (await status_of(op, "/other"))[0] == 404


async def test_log_lines(bench: Bench, scene: Scene) -> None:
    """Every line is one JSON object; those of a pass name the object and the pass, those of a call the cloud's request id."""
    async with bench.operator("worker") as op:
        await scene.apply(scene.server("web-0"))
        await until_ready(scene, op, "ecsvm/web-0")
    lines = lines_of(op)
    for line in lines:
        assert {"time", "level", "logger", "message"} <= set(line), line
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        assert line["level"] in {"DEBUG", "INFO", "WARNING"}, line
    [sent] = [line for line in lines if line["message"].startswith("POST createServers")]
    assert sent["object"] == f"ecsservers/{scene.namespace}/web-0"
    same_pass = [line for line in lines if line.get("reconcileId") == sent["reconcileId"]]
    assert {line["object"] for line in same_pass} == {sent["object"]}
    requests = (await bench.lab.sim.admin("GET", "/_sim/requests", params={"project": scene.project.account.project_id}))["requests"]
    assert sent["cloudRequestId"] in {each["requestId"] for each in requests if each["operation"] == "createServers"}


async def test_log_lines_for_people(bench: Bench) -> None:
    async with bench.operator("worker", "--log-format", "text") as op:
        assert re.match(r"\d{4}-\d\d-\d\dT\S+Z INFO +probes on 127", op.log_path.read_text())


async def test_an_endpoint_without_encryption_is_refused(bench: Bench, scene: Scene) -> None:
    """Unless the operator was told otherwise; restarted with the flag, it goes on by itself."""
    async with bench.operator("worker", "--no-allow-http"):

        async def refused() -> Mapping[str, Any] | None:
            ready = condition(await scene.get(f"ecsproject/{scene.project.name}"), "Ready")
            return ready if ready.get("reason") == "InvalidConfiguration" else None

        ready = await until(refused, seconds=20, what="the project is not refused")
        assert f"spec.endpoints.ecs is {bench.lab.sim.url}, which is not encrypted: use https, or start the operator" in ready["message"]
    async with bench.operator("worker") as op:
        await until_ready(scene, op, f"ecsproject/{scene.project.name}")


# --- its rights ---

GROUP = "ecs.huaweicloud.com"
KINDS = ("ecsprojects", "ecsservers", "ecsservergroups", "ecsvolumeattachments")
# (where, API group, resource, verb): why. Where: in all namespaces, or in the operator's own.
REASONS: dict[tuple[str, str, str, str], str] = {
    **{("all", GROUP, kind, "get"): "a pass begins with a quorum read" for kind in KINDS},
    **{("all", GROUP, kind, "list"): "the census finds what a watch missed" for kind in KINDS},
    **{("all", GROUP, kind, "watch"): "to notice what people declare" for kind in KINDS},
    **{("all", GROUP, kind, "patch"): "the finalizer" for kind in KINDS},
    **{("all", GROUP, f"{kind}/status", "patch"): "the status, intents included" for kind in KINDS},
    ("all", "", "secrets", "get"): "passwords, user data, credentials, by name",
    ("all", "", "configmaps", "get"): "user data, by name",
    ("all", "", "namespaces", "get"): "labels that allowedNamespaces.selector asks for",
    ("all", "events.k8s.io", "events", "create"): "transitions",
    ("all", "events.k8s.io", "events", "patch"): "a transition that repeats counts in the same event",
    ("own", "coordination.k8s.io", "leases", "create"): "the first operator of a cluster",
    ("own", "coordination.k8s.io", "leases", "get"): "who holds it",
    ("own", "coordination.k8s.io", "leases", "update"): "to take, renew and release it",
    ("own", "", "secrets", "create"): "the identity, once",
    ("own", "", "secrets", "patch"): "the identity is made by server-side apply; the finalizer on credentials",
    ("own", "", "secrets", "list"): "which credentials have the finalizer, and need it no more",
}
_PATH = re.compile(
    r"^/api(?:s/(?P<group>[^/]+))?/v[^/]+(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<resource>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<sub>[^/]+))?$"
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def granted() -> set[tuple[str, str, str, str]]:
    """What manifests/base allows, spelt out."""
    documents = [each for each in yaml.safe_load_all((repository_root() / "manifests/base/rbac.yaml").read_text()) if each]
    return {
        ("all" if each["kind"] == "ClusterRole" else "own", group, resource, verb)
        for each in documents
        for rule in each.get("rules", ())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


def used(record: Record) -> set[tuple[str, str, str]]:
    """The rights one request takes: group, resource, verb. What everybody may (discovery) takes none."""
    call = record.call
    found = _PATH.match(call.path)
    if found is None or call.path.endswith("/v1"):
        return set()
    resource = "/".join(filter(None, (found["resource"], found["sub"])))
    verbs = {_VERBS.get(call.method) or _read_verb(call, named=found["name"] is not None)}
    if call.method == "PATCH" and record.status == 201:
        verbs.add("create")
    return {(found["group"] or "", resource, verb) for verb in verbs}


def _read_verb(call: Call, *, named: bool) -> str:
    return "watch" if call.is_watch else "get" if named else "list"


async def test_every_right_has_a_reason() -> None:
    assert granted() == set(REASONS)


async def test_it_needs_all_of_its_rights_and_no_other(bench: Bench, scene: Scene) -> None:
    """Everything it does, through a proxy that writes down each request: nothing is refused, and no right is left unused."""
    tls = ssl.create_default_context(cafile=str(bench.lab.cp.ca_file))
    for made_once in ("lease/ecs-operator", "secret/ecs-operator-identity"):
        await bench.lab.cp.kubectl("delete", made_once, "--ignore-not-found", namespace=NAMESPACE)
    async with proxy(upstream=bench.lab.cp.server, tls=tls) as wire:
        async with bench.operator("proxied", server=wire.url) as op:
            await _all_it_does(scene, op)
            assert await op.terminate(seconds=20) == 0
        refused = [f"{each.call.method} {each.call.path}" for each in wire.records if each.status == 403]
        assert refused == []
        taken = set().union(*map(used, wire.records))
    assert {right for right in REASONS if right[1:] not in taken} == set(), "granted, and not needed"
    assert taken - {right[1:] for right in REASONS} == set(), "needed, and not granted"


async def _all_it_does(scene: Scene, op: OperatorProcess) -> None:
    """All kinds, with references of every sort; a selector of namespaces; pauses that repeat; and the end of it all."""
    labels = {"allowedNamespaces": {"names": None, "from": "Selector", "selector": {"matchLabels": {"team": "a"}}}}
    await scene.lab.cp.kubectl("label", "namespace", scene.namespace, "team=a")
    await scene.lab.cp.kubectl("patch", "ecsproject", scene.project.name, "--type=merge", "-p", json.dumps({"spec": labels}))
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "boot", "namespace": scene.namespace},
        "data": {"sh": "#!/bin/sh"},
    }
    server = scene.server(
        "web-0",
        adminPasswordSecretRef={"name": "login", "key": "password"},
        userDataRef={"configMap": {"name": "boot", "key": "sh"}},
        serverGroupRef={"name": "web"},
    )
    attachment = scene.attachment("data", serverRef={"name": "web-0"})
    await scene.apply(scene.secret("login", password="G00d-password"), config, scene.group("web"), server, attachment)
    for what in ("ecsvm/web-0", "ecsgrp/web", "ecsva/data"):
        await until_ready(scene, op, what)
    for _ in range(2):
        for change, reason in (("paused=true", "Paused"), ("paused-", "Available")):
            await scene.annotate("ecsvm/web-0", change)

            async def said(reason: str = reason) -> bool:
                return bool(condition(await scene.get("ecsvm/web-0"), "Ready")["reason"] == reason)

            await until(said, seconds=20, what=f"web-0 does not say {reason}", check=op.check_alive)

    async def repeated() -> bool:
        return any(each.get("series", {}).get("count", 0) > 1 for each in await scene.events("web-0"))

    await until(repeated, seconds=20, every=0.2, what="no event was counted again")
    await scene.delete("ecsvm/web-0", "ecsgrp/web", "ecsva/data")
    for what in ("ecsvm/web-0", "ecsgrp/web", "ecsva/data"):
        await scene.lab.cp.kubectl("wait", "--for=delete", what, "--timeout=60s", namespace=scene.namespace)
