"""The process with toy kinds against a real API server: watches that break, phases of refusal, kills, pauses, rivals."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Any

import httpx
import pytest
import pytest_asyncio
import yaml

from ecs_lab.control_plane import ControlPlane
from ecs_lab.ports import free_ports
from ecs_lab.process import Process
from ecs_lab.proxy import Call, Exchange, Proxy, json_answer, proxy
from ecs_lab.waiting import until
from tests.e2e.accounts import connected
from tests.e2e.toy_operator import DEFINITIONS, OWNERSHIP, REALM, TOY, toy

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCRIPT = Path(__file__).with_name("toy_operator.py")
LEASE = "/apis/coordination.k8s.io/"


class ToyOperator:
    """The process, and what one wants to know of it."""

    def __init__(
        self, plane: ControlPlane, *, kubeconfig: Path, directory: Path, namespace: str, flags: Sequence[str] = (), identity: str = "toy"
    ) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self._plane, self._namespace = plane, namespace
        where = ("--kubeconfig", kubeconfig, "--namespace", namespace, "--watch-namespace", namespace, "--identity", identity)
        probes = ("--probe-port", str(port), "--log-level", "DEBUG")
        self.process = Process(identity, (sys.executable, SCRIPT, *where, *probes, *flags), log_path=directory / f"{identity}.log")

    async def probe(self, path: str) -> int:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            try:
                return (await client.get(f"{self.url}/{path}")).status_code
            except httpx.TransportError:
                return 0

    async def ready(self) -> None:
        async def is_ready() -> bool:
            return await self.probe("readyz") == 200

        await until(is_ready, seconds=30, check=self.process.check_alive, what=lambda: f"not ready:\n{self.process.log_tail()}")

    def lines(self) -> list[dict[str, Any]]:
        """Its log; every line must be JSON."""
        if not self.process.log_path.exists():
            return []
        return [json.loads(line) for line in self.process.log_path.read_text().splitlines()]

    async def logs(self, found: Callable[[dict[str, Any]], bool], *, seconds: float = 30.0) -> dict[str, Any]:
        async def told() -> dict[str, Any] | None:
            return next((line for line in self.lines() if found(line)), None)

        return await until(
            told, seconds=seconds, check=self.process.check_alive, what=lambda: f"not in the log:\n{self.process.log_tail()}"
        )

    async def make(self, name: str, **spec: Any) -> None:
        await self._plane.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(toy(name, self._namespace, **spec)))

    async def get(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self._plane.kubectl("get", "toy", name, "-o", "json", namespace=self._namespace))
        return found

    async def made(self, name: str, *, size: int = 1, seconds: float = 30.0) -> None:
        async def is_made() -> bool:
            return bool((await self.get(name)).get("status", {}).get("size") == size)

        await until(
            is_made, seconds=seconds, every=0.1, check=self.process.check_alive, what=lambda: f"not made:\n{self.process.log_tail()}"
        )

    def memory_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))) / 1024


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def definitions(control_plane: ControlPlane) -> None:
    await control_plane.kubectl("apply", "-f", "-", stdin=DEFINITIONS)
    await control_plane.kubectl("wait", "--for=condition=Established", "crd", f"toys.{TOY.group}", f"realms.{TOY.group}")


@pytest_asyncio.fixture(loop_scope="session")
async def api(control_plane: ControlPlane) -> AsyncIterator[Proxy]:
    """The proxy in front of the API server."""
    async with proxy(upstream=control_plane.server, tls=ssl.create_default_context(cafile=str(control_plane.ca_file))) as running:
        yield running


@asynccontextmanager
async def started(
    plane: ControlPlane, api: Proxy, *, directory: Path, namespace: str, flags: Sequence[str] = (), identity: str = "toy", wait: bool = True
) -> AsyncIterator[ToyOperator]:
    kubeconfig = plane.write_kubeconfig(directory / f"{identity}.kubeconfig", token=plane.admin_token, server=api.url)
    subject = ToyOperator(plane, kubeconfig=kubeconfig, directory=directory, namespace=namespace, flags=flags, identity=identity)
    subject.process.start()
    try:
        if wait:
            await subject.ready()
        yield subject
    finally:
        subject.process.signal(SIGCONT)
        await subject.process.stop(grace_seconds=20)


@pytest_asyncio.fixture(loop_scope="session")
async def operator(control_plane: ControlPlane, api: Proxy, tmp_path: Path, namespace: str) -> AsyncIterator[ToyOperator]:
    async with started(control_plane, api, directory=tmp_path, namespace=namespace, flags=("--resync", "3")) as running:
        yield running


def says(text: str, line: dict[str, Any]) -> bool:
    """Whether a log line says just this."""
    return bool(line["message"] == text)


def writes(api: Proxy, *, since: int = 0) -> list[str]:
    """What was asked to be changed, the lease's renewal aside."""
    return [
        f"{record.call.method} {record.call.path}"
        for record in api.records[since:]
        if record.call.method != "GET" and not record.call.path.startswith(LEASE)
    ]


async def test_an_object_is_made_changed_and_let_go(operator: ToyOperator, control_plane: ControlPlane, namespace: str) -> None:
    await operator.make("a")
    await operator.made("a")
    found = await operator.get("a")
    assert found["metadata"]["finalizers"] == [OWNERSHIP.finalizer]
    assert [(each["type"], each["status"]) for each in found["status"]["conditions"]] == [("Ready", "True")]
    await operator.make("a", size=2)
    await operator.made("a", size=2)
    await control_plane.kubectl("delete", "toy", "a", "--timeout=20s", namespace=namespace)
    line = await operator.logs(lambda line: line["logger"] == "toy" and line["message"] == "gone")
    assert line["object"] == f"toys/{namespace}/a"
    assert line["reconcileId"]
    events = json.loads(await control_plane.kubectl("get", "events.events.k8s.io", "-o", "json", namespace=namespace))["items"]
    assert [(each["reason"], each["action"], each["regarding"]["name"]) for each in events] == [("Available", "Make", "a")]


async def test_a_blocked_object_is_woken_by_what_it_waits_for(operator: ToyOperator, control_plane: ControlPlane, namespace: str) -> None:
    await operator.make("a", realm=f"realm-{namespace}")

    async def waits() -> bool:
        conditions = (await operator.get("a")).get("status", {}).get("conditions", [{}])
        return bool(conditions[0].get("reason") == "Waiting")

    await until(waits, seconds=20, what="it does not wait")
    realm = {"apiVersion": REALM.api_version, "kind": "Realm", "metadata": {"name": f"realm-{namespace}"}}
    await control_plane.kubectl("create", "-f", "-", stdin=yaml.safe_dump(realm))
    try:
        await control_plane.kubectl("wait", "--for=condition=Ready", "toy/a", "--timeout=4s", namespace=namespace)
    finally:
        await control_plane.kubectl("delete", "realm", f"realm-{namespace}")


async def test_idle_means_no_write(operator: ToyOperator, api: Proxy) -> None:
    for name in "abc":
        await operator.make(name)
    for name in "abc":
        await operator.made(name)

    async def event_is_written() -> bool:
        return sum("/events" in each for each in writes(api)) == 3

    await until(event_is_written, seconds=10, what="three events")
    before, passes = len(api.records), len([line for line in operator.lines() if "made size" in line["message"]])

    async def resynced_three_times() -> bool:
        return len([line for line in operator.lines() if "made size" in line["message"]]) >= passes + 9

    await until(resynced_three_times, seconds=40, what="three resyncs of three objects")
    assert writes(api, since=before) == []


async def test_the_api_server_is_killed_and_deletions_fall_into_the_gap(
    operator: ToyOperator, api: Proxy, control_plane: ControlPlane, namespace: str
) -> None:
    """No event ever tells of them: the watches are down, and when they come back their version is too old."""
    names = [f"{namespace}-{number}" for number in range(3)]
    realms = [{"apiVersion": REALM.api_version, "kind": "Realm", "metadata": {"name": name}} for name in names]
    await control_plane.kubectl("create", "-f", "-", stdin=yaml.safe_dump_all(realms))
    await operator.make("before")
    await operator.made("before")

    def is_watch(call: Call) -> bool:
        return call.is_watch

    async def held_up(_: Exchange) -> Any:
        return json_answer(503, {"kind": "Status", "code": 503})

    async def too_old(_: Exchange) -> Any:
        return json_answer(200, {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}})

    api.on(is_watch, held_up, times=None)
    api.cut_streams()
    await control_plane.restart_apiserver()
    await control_plane.kubectl("delete", "realm", *names[:2])
    await operator.make("during")
    api.clear()
    api.on(is_watch, too_old, times=2)
    for name in names[:2]:
        await operator.logs(partial(says, f"realms/{name} is gone, and its deletion was not seen"))
    await operator.made("during")
    await operator.make("after")
    await operator.made("after")
    assert not any(f"realms/{names[2]} is gone" in line["message"] for line in operator.lines())
    await control_plane.kubectl("delete", "realm", names[2])


PHASES = {
    "503": (503, "ServiceUnavailable"),
    "403": (403, "Forbidden"),
    "401": (401, "Unauthorized"),
    "404": (404, "NotFound"),
}


@pytest.mark.parametrize("phase", PHASES)
async def test_a_phase_of_refusals_is_outlived(phase: str, operator: ToyOperator, api: Proxy) -> None:
    """For six seconds everything is refused, watches included; then work goes on, in the same process."""
    await operator.make("before")
    await operator.made("before")
    status, reason = PHASES[phase]

    async def refused(_: Exchange) -> Any:
        return json_answer(status, {"kind": "Status", "status": "Failure", "code": status, "reason": reason})

    pid, ends = operator.process.pid, time.monotonic() + 6
    api.on(lambda _: True, refused, times=None)
    api.cut_streams()
    await operator.make("during")

    async def phase_is_over() -> bool:
        assert await operator.probe("livez") == 200
        return time.monotonic() >= ends

    await until(phase_is_over, seconds=20, every=0.5, check=operator.process.check_alive, what="the phase")
    asked = len(api.records)
    api.clear()
    await operator.made("during")
    await operator.make("after")
    await operator.made("after", seconds=20)
    assert operator.process.pid == pid
    assert asked < 400, "requests were made without pause"


STREAMS = {
    "error 500": b'{"type":"ERROR","object":{"kind":"Status","code":500}}\n',
    "a truncated line": b'{"type":"MODIFIED","object":{"apiVer',
    "not JSON": b"<html>busy</html>\n",
}


@pytest.mark.parametrize("stream", STREAMS)
async def test_a_broken_watch_stream_is_outlived(stream: str, operator: ToyOperator, api: Proxy) -> None:
    await operator.make("before")
    await operator.made("before")

    async def broken(exchange: Exchange) -> Any:
        del exchange
        answer = json_answer(200, {})
        return type(answer)(status=200, body=STREAMS[stream], headers=answer.headers)

    rule = api.on(lambda call: call.is_watch, broken, times=3)
    api.cut_streams()

    async def all_broken() -> bool:
        return rule.hits == 3

    await until(all_broken, seconds=40, check=operator.process.check_alive, what="three broken streams")
    await operator.make("after")
    await operator.made("after")
    assert await operator.probe("livez") == 200


async def test_it_starts_when_the_definitions_come(control_plane: ControlPlane, api: Proxy, tmp_path: Path, namespace: str) -> None:
    async def none_served(_: Exchange) -> Any:
        return json_answer(404, {"kind": "Status", "code": 404, "reason": "NotFound"})

    api.on(lambda call: call.path == f"/apis/{TOY.api_version}", none_served, times=None)
    async with started(control_plane, api, directory=tmp_path, namespace=namespace, wait=False) as subject:
        line = await subject.logs(lambda line: line["message"].startswith("waiting for CustomResourceDefinitions"))
        assert f"toys.{TOY.group}" in line["message"]
        assert await subject.probe("readyz") == 503
        assert await subject.probe("livez") == 200
        api.clear()
        await subject.ready()
        await subject.make("a")
        await subject.made("a")


async def test_after_sigkill_it_works_again_within_seconds(operator: ToyOperator, namespace: str) -> None:
    await operator.make("a")
    await operator.made("a")
    await operator.process.kill()
    await operator.make("b")
    started_at = time.monotonic()
    operator.process.start()
    await operator.made("b")
    assert time.monotonic() - started_at < 10, "the lease of the killed process was waited for"
    assert [line for line in operator.lines() if line.get("object") == f"toys/{namespace}/b"]


async def test_sigterm_ends_it_cleanly_and_frees_the_lease(operator: ToyOperator, control_plane: ControlPlane, namespace: str) -> None:
    assert await operator.process.stop(grace_seconds=20) == 0
    lease = json.loads(await control_plane.kubectl("get", "lease", "ecs-operator", "-o", "json", namespace=namespace))
    assert lease["spec"]["holderIdentity"] == ""
    assert "stopped" in [line["message"] for line in operator.lines()]
    assert [line for line in operator.lines() if line["level"] == "ERROR"] == []


async def test_sigterm_while_it_waits_ends_it_cleanly(control_plane: ControlPlane, api: Proxy, tmp_path: Path, namespace: str) -> None:
    async def away(exchange: Exchange) -> None:
        exchange.drop()

    api.on(lambda _: True, away, times=None)
    async with started(control_plane, api, directory=tmp_path, namespace=namespace, wait=False) as subject:
        await subject.logs(lambda line: line["message"].startswith("waiting for the API server"))
        assert await subject.process.stop(grace_seconds=10) == 0


async def test_a_paused_process_yields_to_its_rival(control_plane: ControlPlane, tmp_path: Path, namespace: str) -> None:
    tls = ssl.create_default_context(cafile=str(control_plane.ca_file))
    flags = ("--lease", "5", "--resync", "3")
    async with AsyncExitStack() as stack:
        theirs, ours = [await stack.enter_async_context(proxy(upstream=control_plane.server, tls=tls)) for _ in range(2)]

        async def start(api: Proxy, identity: str) -> ToyOperator:
            running = started(control_plane, api, directory=tmp_path, namespace=namespace, flags=flags, identity=identity)
            return await stack.enter_async_context(running)

        paused = await start(theirs, "paused")
        await paused.make("a")
        await paused.made("a")
        rival = await start(ours, "rival")
        await rival.make("b")
        await rival.made("b")
        assert writes(ours) == [], "two at work"
        paused.process.signal(SIGSTOP)
        await rival.make("c")
        await rival.made("c")
        before = len(theirs.records)
        paused.process.signal(SIGCONT)
        await paused.make("d")
        await paused.made("d")
        await paused.logs(lambda line: line["message"].startswith("no longer holding the lease"))
        changes = [each for each in writes(theirs, since=before) if "/toys/" in each]
        assert changes == [], "it wrote although another holds the lease"


async def test_five_hundred_objects(
    control_plane: ControlPlane, api: Proxy, tmp_path: Path, namespace: str, record_property: Callable[[str, object], None]
) -> None:
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(connected(control_plane.admin_kubeconfig))
        operator = await stack.enter_async_context(started(control_plane, api, directory=tmp_path, namespace=namespace))
        gate = asyncio.Semaphore(20)

        async def create(number: int) -> None:
            async with gate:
                await connection.request("POST", TOY.collection(namespace), body=toy(f"t-{number}", namespace, size=number))

        started_at = time.monotonic()
        await asyncio.gather(*(create(number) for number in range(500)))

        async def all_made() -> bool:
            items = (await connection.request("GET", TOY.collection(namespace)))["items"]
            return len(items) == 500 and all(each.get("status", {}).get("size") == each["spec"]["size"] for each in items)

        await until(all_made, seconds=90, every=1, check=operator.process.check_alive, what="500 objects made")
        seconds, memory = time.monotonic() - started_at, operator.memory_mib()
        finalizers_and_statuses = [each for each in writes(api) if each.startswith("PATCH") and "/toys/" in each]
        assert len(finalizers_and_statuses) == 1000, "one finalizer and one status each"
        assert memory < 150
        record_property("figures", f"500 objects in {seconds:.1f} s, {memory:.0f} MiB")

        async def quiet() -> bool:
            return sum("/events" in each for each in writes(api)) == 500

        await until(quiet, seconds=60, what="the events are written")
        before = len(api.records)
        await connection.request("DELETE", TOY.collection(namespace), timeout=60)

        async def all_gone() -> bool:
            return not (await connection.request("GET", TOY.collection(namespace)))["items"]

        await until(all_gone, seconds=60, every=1, what="500 objects gone")
        assert len([each for each in writes(api, since=before) if "/toys/" in each]) == 500
