"""A laboratory that other commands can talk to: who holds a directory, where its parts are, what may be asked of it."""

import asyncio
import fcntl
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ecs_lab.errors import LaboratoryError
from ecs_lab.kubeconfig import write_private
from ecs_lab.laboratory import Laboratory

_LOCK = "lab.lock"
_STATE = "lab.json"
_ANSWER_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class State:
    """Where the parts of a running laboratory are; kept in `lab.json` in its directory while it runs."""

    socket: str
    kubeconfig: str
    programs: str
    simulator_url: str
    simulator_admin_url: str
    operator_log: str

    @staticmethod
    def read(directory: Path) -> "State":
        """Of the laboratory in a directory; raises LaboratoryError when none runs there."""
        if is_running(directory):
            try:
                return State(**json.loads((directory / _STATE).read_text()))
            except FileNotFoundError:
                raise LaboratoryError(f"the laboratory in {directory} is still starting") from None
        raise LaboratoryError(f"no laboratory runs in {directory}; start one with `ecs-lab up --dir {directory}`")


def is_running(directory: Path) -> bool:
    """Whether somebody holds the directory. The kernel knows: the lock goes with the process that took it."""
    if not (directory / _LOCK).exists():
        return False
    with (directory / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def held(directory: Path, *, afresh: bool = False) -> Iterator[None]:
    """Hold a directory for one laboratory; raises LaboratoryError when another has it. `afresh` empties it first."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / _LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LaboratoryError(
                f"a laboratory runs in {directory} already: use it, end it with `ecs-lab down --dir {directory}`, or name another --dir"
            ) from None
        (directory / _STATE).unlink(missing_ok=True)
        if afresh:
            for part in ("control-plane", "simulator", "operator"):
                shutil.rmtree(directory / part, ignore_errors=True)
        try:
            yield
        finally:
            (directory / _STATE).unlink(missing_ok=True)


class Desk:
    """Answers what other commands ask of a laboratory."""

    def __init__(self, laboratory: Laboratory) -> None:
        self._laboratory = laboratory
        self._turn = asyncio.Lock()
        self.closed = asyncio.Event()

    async def answer(self, question: str) -> dict[str, Any]:
        """Carry out one request; an error becomes an answer."""
        async with self._turn:
            try:
                return {"ok": True, **await self._carry_out(question)}
            except LaboratoryError as error:
                return {"ok": False, "error": str(error)}

    async def _carry_out(self, question: str) -> dict[str, Any]:
        operator = self._laboratory.op
        match question:
            case "down":
                self.closed.set()
            case "operator kill":
                await operator.kill()
            case "operator start":
                await operator.start()
            case "operator restart":
                await operator.restart()
            case "status":
                return self._status()
            case _:
                raise LaboratoryError(f"nothing known of {question!r}")
        return {}

    def _status(self) -> dict[str, Any]:
        plane, sim, op = self._laboratory.cp, self._laboratory.sim, self._laboratory.op
        processes = [plane.etcd, plane.apiserver, plane.controller_manager, sim.process]
        rows = [{"name": process.name, "alive": process.alive, "pid": process.pid, "log": str(process.log_path)} for process in processes]
        memory = f"{op.memory_mib():.0f} MiB" if op.alive else ""
        rows.append(
            {"name": "ecs-operator", "alive": op.alive, "pid": op.pid if op.alive else None, "log": str(op.log_path), "note": memory}
        )
        return {"processes": rows}


@asynccontextmanager
async def desk(laboratory: Laboratory) -> AsyncIterator[Desk]:
    """Serve a laboratory's desk on a socket that only the user can open, and write down where everything is."""
    clerk = Desk(laboratory)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            question = (await reader.readline()).decode().strip()
            writer.write(json.dumps(await clerk.answer(question)).encode() + b"\n")
            await writer.drain()
        finally:
            writer.close()

    # Not in the laboratory's directory: a socket's path may have 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="ecs-lab-") as private:
        socket = Path(private) / "desk.sock"
        server = await asyncio.start_unix_server(serve, path=socket)
        state = State(
            socket=str(socket),
            kubeconfig=str(laboratory.cp.admin_kubeconfig),
            programs=str(laboratory.cp.binaries.folder),
            simulator_url=laboratory.sim.url,
            simulator_admin_url=laboratory.sim.admin_url,
            operator_log=str(laboratory.op.log_path),
        )
        write_private(laboratory.directory / _STATE, json.dumps(asdict(state), indent=2))
        try:
            yield clerk
        finally:
            server.close()
            await server.wait_closed()


async def ask(directory: Path, question: str) -> dict[str, Any]:
    """Ask the laboratory in a directory; raises LaboratoryError when it refuses, or when none runs there."""
    state = State.read(directory)
    async with asyncio.timeout(_ANSWER_SECONDS):
        reader, writer = await asyncio.open_unix_connection(state.socket)
        try:
            writer.write(question.encode() + b"\n")
            await writer.drain()
            answer = json.loads(await reader.readline() or b'{"ok": false, "error": "the laboratory has ended"}')
        finally:
            writer.close()
            await writer.wait_closed()
    if not answer.pop("ok"):
        raise LaboratoryError(answer["error"])
    return dict(answer)
