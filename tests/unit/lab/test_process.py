import os
import signal
import sys
from pathlib import Path

import pytest

from ecs_lab.errors import LaboratoryError
from ecs_lab.process import Process, child_environment
from ecs_lab.waiting import until

# A program that writes its process id, then waits for a signal.
_SLEEPER = "import os, signal; print(os.getpid(), flush=True); signal.pause()"


def _sleeper(folder: Path) -> Process:
    return Process("sleeper", [sys.executable, "-c", _SLEEPER], log_path=folder / "log")


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # An orphan that nobody has waited for yet has ended, too.
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


async def _said(process: Process) -> str:
    async def line() -> str | None:
        return process.log_path.read_text() if process.log_path.exists() and process.log_path.read_text().endswith("\n") else None

    return await until(line, seconds=20, check=process.check_alive, what="nothing in the log")


async def test_the_process_id_is_the_program_s_own(tmp_path: Path) -> None:
    process = _sleeper(tmp_path)
    process.start()
    try:
        assert await _said(process) == f"{process.pid}\n"
        with pytest.raises(LaboratoryError, match="runs already"):
            process.start()
    finally:
        await process.kill()

    assert process.returncode == -signal.SIGKILL


async def test_stop_is_a_sigterm(tmp_path: Path) -> None:
    process = _sleeper(tmp_path)
    process.start()
    await _said(process)

    assert await process.stop(grace_seconds=20) == -signal.SIGTERM
    with pytest.raises(LaboratoryError, match="sleeper ended with -15"):
        process.check_alive()


async def test_a_process_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"
    process = Process("deaf", [sys.executable, "-c", deaf], log_path=tmp_path / "log")
    process.start()
    await _said(process)

    assert await process.stop(grace_seconds=0.1) == -signal.SIGKILL


async def test_the_end_of_the_log_tells_why_it_ended(tmp_path: Path) -> None:
    process = Process("broken", [sys.executable, "-c", "import sys; sys.exit('no such flavor')"], log_path=tmp_path / "log")
    process.start()
    assert await process.wait(seconds=20) == 1

    with pytest.raises(LaboratoryError, match="no such flavor"):
        process.check_alive()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel ends children with their parent on Linux only")
async def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, signal, pathlib; from ecs_lab.process import Process\n"
        f"child = Process('child', [sys.executable, '-c', {_SLEEPER!r}], log_path=pathlib.Path(sys.argv[1]))\n"
        "child.start(); signal.pause()"
    )
    log = tmp_path / "log"
    parent = Process("parent", [sys.executable, "-c", script, str(log)], log_path=tmp_path / "parent.log")
    parent.start()
    try:

        async def pid() -> int | None:
            return int(log.read_text()) if log.exists() and log.read_text().endswith("\n") else None

        child = await until(pid, seconds=20, check=parent.check_alive, what="the child did not start")
    finally:
        await parent.kill()

    async def gone() -> bool:
        return not _runs(child)

    await until(gone, seconds=20, what=f"process {child} outlives its parent")


def test_no_kubeconfig_of_the_user_reaches_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/home/me/.kube/production")
    monkeypatch.setenv("PATH", "/bin")

    environment = child_environment({"X": "1"})

    assert "KUBECONFIG" not in environment
    assert (environment["PATH"], environment["X"]) == ("/bin", "1")
