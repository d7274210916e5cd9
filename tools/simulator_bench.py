#!/usr/bin/env python3
"""Measures the simulator on one core: how fast it starts, reads, lists and keeps its state. Prints a table; nothing here passes or fails.

    simulator_bench.py [--servers 10000] [--seconds 3]

The simulator runs as a process of its own, pinned to one core; this client runs on another one where there is another. CPU is what
/proc says of the simulator's process, so a figure in ms of CPU does not depend on how fast the client is. Linux only.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = "9a56640e5503b8dc39231cdb52a0f3e2"
NETWORK, VPC = "157ee789-03ea-45b1-a698-76c92660dd83", "0dae26c9-9a70-4392-93f3-87d53115d171"
IMAGE = "67f433d8-ed0e-4321-a8a2-a71838539e09"
AUTH = {
    "auth": {
        "identity": {
            "methods": ["password"],
            "password": {"user": {"name": "lab-user", "password": "Lab-Passw0rd!", "domain": {"name": "lab"}}},
        },
        "scope": {"project": {"id": PROJECT}},
    }
}
SEED = {
    "zones": ["eu-west-0a"],
    "flavors": [{"id": "s3.large.2", "vcpus": 2, "ram": 4096, "specs": {"ecs:performancetype": "normal"}}],
    "images": [{"id": IMAGE, "name": "Ubuntu 24.04 server 64bit", "osType": "Linux", "minDisk": 10}],
    "projects": [
        {
            "id": PROJECT,
            "name": "eu-west-0",
            "domain": {"id": "5c3b1f0e9d8a4c7fb6a5e4d3c2b1a000", "name": "lab"},
            "users": [{"id": "7e25b1da389f4697a79df3a0e5bd494e", "name": "lab-user", "password": "Lab-Passw0rd!"}],
            "quota": {"instances": -1, "cores": -1, "ram": -1, "volumes": -1, "gigabytes": -1},
            "networks": [
                {
                    "id": NETWORK,
                    "subnetId": "f8a6e8f8-c2ec-497c-9f23-da9616de54ef",
                    "vpcId": VPC,
                    "name": "subnet-a",
                    "cidr": "10.0.0.0/12",
                }
            ],
            "securityGroups": [{"id": "507ca48f-814c-4293-8706-300564d54620", "name": "default"}],
            "keyPairs": [{"name": "ops"}],
        }
    ],
}
BATCH = 500
CONNECTIONS = 8
STARTS = 10
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the simulator on one core. Prints a table; nothing here passes or fails.")
    parser.add_argument("--servers", type=int, default=10_000, help="servers in the world (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each kind of read is measured (default: %(default)s)")
    chosen = parser.parse_args()
    if shutil.which("taskset") is None:
        print("taskset is missing (on Debian: util-linux); it pins the simulator to one core", file=sys.stderr)
        return 2
    others = sorted(os.sched_getaffinity(0))[1:]
    if others:
        os.sched_setaffinity(0, others)
    with tempfile.TemporaryDirectory(prefix="simulator-bench-") as name:
        folder = Path(name)
        (folder / "seed.json").write_text(json.dumps(SEED))
        _reads(folder, chosen.servers, chosen.seconds)
        _title("start", "median", "slowest")
        _starts("with the default world")
        for count in (1000, chosen.servers):
            state = _kept(folder, count)
            _starts(f"with a state file of {count:,} servers ({state.stat().st_size >> 20} MiB)", "--state", str(state))
    return 0


# The process


class Simulator:
    """A running simulator and what /proc says of it."""

    def __init__(self, popen: subprocess.Popen[str], api: str, admin: str) -> None:
        self.popen, self.api, self.admin = popen, api, admin

    def cpu(self) -> float:
        """Return the seconds of CPU it has used."""
        fields = Path(f"/proc/{self.popen.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory(self) -> int:
        """Return its resident memory in MiB."""
        lines = Path(f"/proc/{self.popen.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) // 1024


@contextmanager
def _running(*arguments: str) -> Iterator[Simulator]:
    core = str(min(os.sched_getaffinity(os.getppid())))
    command = [sys.executable, "-m", "ecs_simulator", "serve", "--port", "0", "--admin-port", "0", *arguments]
    with subprocess.Popen(["taskset", "-c", core, *command], stdout=subprocess.PIPE, text=True) as popen:
        try:
            said = popen.stdout.readline() if popen.stdout is not None else ""
            if not said:
                raise RuntimeError("the simulator did not start")
            line = json.loads(said)
            yield Simulator(popen, line["api"], line["admin"])
        finally:
            popen.send_signal(signal.SIGTERM)
            popen.wait()


def _kept(folder: Path, count: int) -> Path:
    """Return a state file of so many servers."""
    state = folder / f"state-{count}.json"

    async def fill(simulator: Simulator) -> None:
        api, admin = Connection(simulator.api), Connection(simulator.admin)
        await _fill(api, admin, count)
        api.close()
        admin.close()

    with _running("--seed", str(folder / "seed.json"), "--state", str(state)) as simulator:
        asyncio.run(fill(simulator))
    return state


def _starts(what: str, *arguments: str) -> None:
    times = []
    for _ in range(STARTS):
        begun = time.perf_counter()
        with _running(*arguments):
            times.append(time.perf_counter() - begun)
    _row(what, f"{statistics.median(times):.2f} s", f"{max(times):.2f} s")


# HTTP, as little of it as possible: the client must not be what is measured


class Connection:
    """One kept-alive connection."""

    def __init__(self, url: str) -> None:
        self._host = url.removeprefix("http://")
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, method: str, path: str, body: object = None, *, headers: str = "") -> tuple[int, bytes, bytes]:
        """Send one request; returns status, head and body."""
        if self._streams is None:
            host, _, port = self._host.partition(":")
            self._streams = await asyncio.open_connection(host, int(port))
        reader, writer = self._streams
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{headers}Content-Type: application/json\r\nContent-Length: {len(content)}"
        )
        writer.write(head.encode() + b"\r\n\r\n" + content)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return int(answer.split(b" ", 2)[1]), answer, await reader.readexactly(length)

    async def json(self, method: str, path: str, body: object = None, *, headers: str = "") -> Any:  # noqa: ANN401
        """Send one request and return its JSON; RuntimeError if it is refused."""
        status, _, content = await self.call(method, path, body, headers=headers)
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {content[:300]!r}")
        return json.loads(content)

    def close(self) -> None:
        """Close it."""
        if self._streams is not None:
            self._streams[1].close()


@dataclass(frozen=True)
class World:
    """What there is to read."""

    headers: str
    servers: list[str]
    jobs: list[str]


async def _fill(api: Connection, admin: Connection, count: int) -> World:
    _, head, _ = await api.call("POST", "/v3/auth/tokens", AUTH)
    token = next(line for line in head.decode().split("\r\n") if line.lower().startswith("x-subject-token:")).partition(":")[2].strip()
    headers = f"X-Auth-Token: {token}\r\nX-OpenStack-Nova-API-Version: 2.26\r\n"
    servers: list[str] = []
    jobs: list[str] = []
    for number in range(0, count, BATCH):
        server = {
            "name": f"web-{number // BATCH}",
            "flavorRef": "s3.large.2",
            "imageRef": IMAGE,
            "vpcid": VPC,
            "nics": [{"subnet_id": NETWORK}],
            "root_volume": {"volumetype": "SSD", "size": 40},
            "key_name": "ops",
            "metadata": {"ecs-operator.owner": "cluster/0/1/mac", "stage": "test"},
            "count": min(BATCH, count - number),
        }
        answer = await api.json("POST", f"/v1/{PROJECT}/cloudservers", {"server": server}, headers=headers)
        servers += answer["serverIds"]
        await admin.json("POST", "/_sim/clock", {"advance": 60})
    # A job of one server, as a client waits for it: one for each of a hundred servers that are stopped.
    for server_id in servers[:: max(1, len(servers) // 100)]:
        answer = await api.json(
            "POST", f"/v1/{PROJECT}/cloudservers/action", {"os-stop": {"servers": [{"id": server_id}]}}, headers=headers
        )
        jobs.append(answer["job_id"])
        await admin.json("POST", "/_sim/clock", {"advance": 60})
    return World(headers, servers, jobs)


# What is measured


def _reads(folder: Path, count: int, seconds: float) -> None:
    with _running("--seed", str(folder / "seed.json"), "--state", str(folder / "measured.json")) as simulator:
        asyncio.run(_measure(simulator, count, seconds))


async def _measure(simulator: Simulator, count: int, seconds: float) -> None:
    connections = [Connection(simulator.api) for _ in range(CONNECTIONS)]
    admin = Connection(simulator.admin)
    world = await _fill(connections[0], admin, count)
    servers, jobs = world.servers, world.jobs
    native, middle = f"/v2.1/{PROJECT}/servers", servers[len(servers) // 2]

    def server(number: int) -> str:
        return f"{native}/{servers[number * 7919 % len(servers)]}"

    def job(number: int) -> str:
        return f"/v1/{PROJECT}/jobs/{jobs[number % len(jobs)]}"

    def hundred(number: int) -> str:
        return f"{native}/detail?limit=100&marker={servers[number * 7919 % len(servers)]}"

    kinds: list[tuple[str, Callable[[int], str]]] = [
        ("GET server (6.2.6)", server),
        ("GET job (5.8.1)", job),
        ("list 100 (6.2.5)", hundred),
        ("the three in turn", lambda number: (server, job, hundred)[number % 3](number // 3)),
        ("list 1000 (6.2.5)", lambda _: f"{native}/detail?limit=1000"),
        ("list 1000 from the middle", lambda _: f"{native}/detail?limit=1000&marker={middle}"),
        ("list 1000, ids and names (6.2.4)", lambda _: f"{native}?limit=1000"),
        ("list by a name nobody has", lambda _: f"{native}/detail?name=nobody"),
    ]
    _title(f"reads, {count:,} servers", "a second", "ms of CPU", "KiB each")
    await asyncio.sleep(3)
    for name, path in kinds:
        requests, wall, cpu, size = await _hammer(simulator, connections, world, path, seconds)
        _row(name, f"{requests / wall:.0f}", f"{cpu / requests * 1000:.2f}", f"{size / requests / 1024:.1f}")
    print(f"resident memory: {simulator.memory()} MiB", flush=True)
    _title("while the state file is written", "median", "slowest")
    waits = await _waits(connections, world, seconds)
    _row("a GET server, beside one write a second", f"{statistics.median(waits) * 1000:.1f} ms", f"{max(waits) * 1000:.0f} ms")
    for connection in (*connections, admin):
        connection.close()


async def _hammer(
    simulator: Simulator, connections: list[Connection], world: World, path: Callable[[int], str], seconds: float
) -> tuple[int, float, float, int]:
    """Read as fast as the connections go; returns requests, seconds, seconds of CPU, and bytes received."""
    number = size = 0
    begun, cpu = time.perf_counter(), simulator.cpu()

    async def one(connection: Connection) -> None:
        nonlocal number, size
        while time.perf_counter() - begun < seconds:
            number += 1
            status, _, body = await connection.call("GET", path(number), headers=world.headers)
            if status != 200:
                raise RuntimeError(f"{path(number)}: {status} {body[:300]!r}")
            size += len(body)

    await asyncio.gather(*(one(connection) for connection in connections))
    return number, time.perf_counter() - begun, simulator.cpu() - cpu, size


async def _waits(connections: list[Connection], world: World, seconds: float) -> list[float]:
    """Change something every second, so that the state is written again and again, and return how long reads take meanwhile."""
    reader, writer = connections[:2]
    path, waits = f"/v2.1/{PROJECT}/servers/{world.servers[0]}", []
    begun = changed = time.perf_counter()
    while time.perf_counter() - begun < max(seconds, 10):
        if time.perf_counter() - changed > 1:
            changed = time.perf_counter()
            await writer.json("POST", f"{path}/metadata", {"metadata": {"at": str(changed)}}, headers=world.headers)
        asked = time.perf_counter()
        await reader.call("GET", path, headers=world.headers)
        waits.append(time.perf_counter() - asked)
        await asyncio.sleep(0.002)
    return waits


def _title(*cells: str) -> None:
    print()
    _row(*cells)
    _row("-" * len(cells[0]), *("-" * len(cell) for cell in cells[1:]))


def _row(first: str, *rest: str) -> None:
    print(f"{first:<44}" + "".join(f"{cell:>12}" for cell in rest), flush=True)


if __name__ == "__main__":
    sys.exit(main())
