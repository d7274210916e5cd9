"""A process of the laboratory: its log, its signals, its end."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ecs_lab.errors import LaboratoryError

_LAUNCH = Path(__file__).with_name("launch.py")
# What a child needs of our environment. Not KUBECONFIG: nothing here may ever reach a cluster that it did not start.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_CACHE_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR")


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a child: the few inherited variables and `extra`."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | dict(extra or {})


class Process:
    """One program, started and stopped any number of times with the same command line, appending to one log.

    It has its own session, so Ctrl-C on the terminal reaches only the laboratory, which stops things in order.
    It is killed by the kernel when the thread that started it ends: start it from a thread that lives on.
    The object belongs to no event loop.
    """

    def __init__(self, name: str, command: Sequence[str | Path], *, log_path: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.command = tuple(str(part) for part in command)
        self.log_path = log_path
        self._env = child_environment(env)
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the program; raises LaboratoryError when it runs already."""
        if self.alive:
            raise LaboratoryError(f"{self.name} runs already, as process {self.pid}")
        launch = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), *self.command]
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._popen = subprocess.Popen(
                launch, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self._env, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """The process id; raises LaboratoryError before the first start."""
        if self._popen is None:
            raise LaboratoryError(f"{self.name} was never started")
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; else its exit code, or minus the signal that ended it."""
        return None if self._popen is None else self._popen.poll()

    @property
    def alive(self) -> bool:
        """Whether it was started and has not ended."""
        return self._popen is not None and self._popen.poll() is None

    def check_alive(self) -> None:
        """Raise LaboratoryError, with the end of the log, if it has ended."""
        if not self.alive:
            raise LaboratoryError(f"{self.name} ended with {self.returncode}; the end of {self.log_path}:\n{self.log_tail()}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the process has ended."""
        if self._popen is not None and self._popen.poll() is None:
            self._popen.send_signal(number)

    async def wait(self, *, seconds: float) -> int | None:
        """The exit code, or None when it still runs after that time."""
        deadline = time.monotonic() + seconds
        while True:
            if not self.alive or time.monotonic() >= deadline:
                return self.returncode
            await asyncio.sleep(0.01)

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        await self.wait(seconds=10)
        if self.alive:
            raise LaboratoryError(f"{self.name} (process {self.pid}) outlives SIGKILL")

    async def stop(self, *, grace_seconds: float) -> int | None:
        """SIGTERM, after the grace period SIGKILL. Returns the exit code, None when it was never started."""
        self.signal(signal.SIGTERM)
        await self.wait(seconds=grace_seconds)
        await self.kill()
        return self.returncode

    def log_tail(self, *, lines: int = 20) -> str:
        """The last lines of its log."""
        if not self.log_path.exists():
            return "(no log)"
        return "\n".join(self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
