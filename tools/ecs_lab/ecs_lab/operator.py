"""The operator as a process, which tests may kill, pause and start again."""

import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from ecs_lab.ports import free_ports
from ecs_lab.process import Process
from ecs_lab.progress import OnProgress, silent
from ecs_lab.repository import made
from ecs_lab.simulator import script
from ecs_lab.waiting import until

NAMESPACE = "ecs-operator-system"
_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0


class OperatorProcess:
    """An operator with one command line. Belongs to no event loop; made by `operator()`.

    Its identity is fixed, so a restart takes its own lease back at once.
    """

    def __init__(self, *, kubeconfig: Path, directory: Path, identity: str, args: Sequence[str], env: Mapping[str, str]) -> None:
        (port,) = free_ports(1)
        self.probe_url = f"http://127.0.0.1:{port}"
        self.log_path = directory / "operator.log"
        where = ("--kubeconfig", str(kubeconfig), "--namespace", NAMESPACE, "--identity", identity)
        probes = ("--probe-host", "127.0.0.1", "--probe-port", str(port))
        # The simulator speaks plain http on the loopback interface.
        command: tuple[str | Path, ...] = (script("ecs-operator"), "run", *where, *probes, "--allow-http", *args)
        self._process = Process("ecs-operator", command, log_path=self.log_path, env=env)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; else its exit code, or minus the signal that ended it."""
        return self._process.returncode

    @property
    def alive(self) -> bool:
        """Whether it runs (a paused one does)."""
        return self._process.alive

    def check_alive(self) -> None:
        """Raise LaboratoryError, with the end of its log, if it has ended."""
        self._process.check_alive()

    async def start(self, *, wait: bool = True) -> None:
        """Start it and, unless told otherwise, wait until it is ready."""
        self._process.start()
        if wait:
            await self.wait_ready()

    async def wait_ready(self, *, seconds: float = _READY_SECONDS) -> None:
        """Wait until `/readyz` answers 200; raises LaboratoryError with the end of its log when it ends or takes too long."""
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:

            async def ready() -> bool:
                try:
                    return (await client.get(f"{self.probe_url}/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

            not_ready = "ecs-operator is not ready"
            await until(ready, seconds=seconds, check=self.check_alive, what=lambda: f"{not_ready}:\n{self._process.log_tail()}")

    async def kill(self) -> None:
        """SIGKILL: it gets no chance to write anything."""
        await self._process.kill()

    async def terminate(self, *, seconds: float = _STOP_SECONDS) -> int | None:
        """SIGTERM, and SIGKILL if it takes longer than that; returns the exit code, 0 after a clean stop."""
        self.resume()
        return await self._process.stop(grace_seconds=seconds)

    async def restart(self) -> None:
        """Kill it and start it again."""
        await self.kill()
        await self.start()

    def pause(self) -> None:
        """SIGSTOP: it stands still and does not know."""
        self._process.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._process.signal(signal.SIGCONT)

    def memory_mib(self) -> float:
        """Its resident memory (VmRSS), in MiB; Linux only."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(kib) / 1024


@asynccontextmanager
async def operator(
    *,
    kubeconfig: Path,
    directory: Path,
    identity: str = "ecs-lab",
    args: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    start: bool = True,
    on_progress: OnProgress = silent,
) -> AsyncIterator[OperatorProcess]:
    """An operator that uses this kubeconfig, with its log in `directory`. `start=False` leaves the first start to the caller."""
    process = OperatorProcess(kubeconfig=kubeconfig, directory=made(directory), identity=identity, args=args, env=env or {})
    try:
        if start:
            on_progress("starting the operator")
            await process.start()
        yield process
    finally:
        await process.terminate()
