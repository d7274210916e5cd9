"""The simulated cloud as a process."""

import asyncio
import json
import sysconfig
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from ecs_lab.errors import LaboratoryError
from ecs_lab.process import Process
from ecs_lab.progress import OnProgress, silent
from ecs_lab.repository import made
from ecs_lab.waiting import until

_READY_SECONDS = 30.0


def script(name: str) -> Path:
    """A command that was installed into this Python's environment."""
    path = Path(sysconfig.get_path("scripts")) / name
    if not path.is_file():
        raise LaboratoryError(f"{path} is missing: install the packages of this repository into this environment (`make venv`)")
    return path


class Simulator:
    """A running simulator. Belongs to no event loop; made by `simulator()`.

    With a state file a simulator that is stopped and started again goes on where it was, on other ports.
    """

    def __init__(self, *, directory: Path, seed: Path | None, state: Path | None, time_scale: float | None, port: int = 0) -> None:
        self._ready_file = directory / "ready.json"
        options: dict[str, object] = {"--seed": seed, "--state": state, "--time-scale": time_scale}
        self.process = Process(
            "ecs-simulator",
            [
                *(script("ecs-simulator"), "serve", "--host", "127.0.0.1", "--port", str(port), "--admin-port", "0"),
                *("--ready-file", self._ready_file),
                *(str(part) for option, value in options.items() if value is not None for part in (option, value)),
            ],
            log_path=directory / "simulator.log",
        )
        self.url = ""
        self.admin_url = ""
        self._client = httpx.Client(trust_env=False, timeout=30)

    @property
    def log_path(self) -> Path:
        """Where its output goes."""
        return self.process.log_path

    async def start(self) -> None:
        """Start it and wait until it answers."""
        self._ready_file.unlink(missing_ok=True)
        self.process.start()

        async def addresses() -> dict[str, str] | None:
            return json.loads(self._ready_file.read_text()) if self._ready_file.exists() else None

        said = await until(addresses, seconds=_READY_SECONDS, check=self.process.check_alive, what="ecs-simulator does not listen")
        self.url, self.admin_url = said["api"].rstrip("/"), said["admin"].rstrip("/")
        await self.admin("GET", "/_sim/health")

    async def admin(self, method: str, path: str, json: Any = None, *, params: Mapping[str, str] | None = None) -> dict[str, Any]:  # noqa: ANN401 -- any JSON
        """Call the admin API and return the answer's object, {} when it has none. Raises LaboratoryError on 4xx and 5xx."""
        answer = await asyncio.to_thread(self._client.request, method, f"{self.admin_url}{path}", json=json, params=params)
        if answer.is_error:
            raise LaboratoryError(f"simulator: {method} {path} answered {answer.status_code}: {answer.text[:500]}")
        body = answer.json() if answer.content else {}
        return body if isinstance(body, dict) else {"items": body}

    async def stop(self) -> None:
        """Stop it."""
        self._client.close()
        await self.process.stop(grace_seconds=5)


@asynccontextmanager
async def simulator(
    *,
    directory: Path,
    seed: Path | None = None,
    state: Path | None = None,
    time_scale: float | None = None,
    on_progress: OnProgress = silent,
) -> AsyncIterator[Simulator]:
    """A simulator with log and ready file in `directory`. `time_scale` makes its clock run that many times faster."""
    on_progress("starting the simulated cloud")
    running = Simulator(directory=made(directory), seed=seed, state=state, time_scale=time_scale)
    try:
        await running.start()
        yield running
    finally:
        await running.stop()
