"""The command as a process: how it starts, what it keeps, how it ends, and the subcommands that steer it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contract.simulator_http.stage import CREATE, LIMITS, PASSWORD, PROJECT, SERVER

COMMAND = [sys.executable, "-m", "ecs_simulator"]
DEADLINE = 20.0
AUTH = {
    "auth": {
        "identity": {"methods": ["password"], "password": {"user": {"name": "lab-user", "password": PASSWORD, "domain": {"name": "lab"}}}},
        "scope": {"project": {"id": PROJECT}},
    }
}


class Process:
    """A simulator in a process of its own."""

    def __init__(self, popen: subprocess.Popen[str], api: str, admin: str) -> None:
        self.popen, self.api, self.admin = popen, api, admin

    def command(self, *arguments: str, status: int = 0) -> str:
        done = subprocess.run([*COMMAND, "--admin", self.admin, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=False)
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    def ask(self, *arguments: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.command(*arguments))
        return answer

    @contextmanager
    def client(self) -> Generator[httpx.Client, None, None]:
        with httpx.Client(base_url=self.api, trust_env=False) as client:
            client.headers["X-Auth-Token"] = client.post("/v3/auth/tokens", json=AUTH).headers["X-Subject-Token"]
            yield client


@contextmanager
def process(directory: Path, *arguments: str) -> Generator[Process, None, None]:
    ready = directory / "ready.json"
    ready.unlink(missing_ok=True)
    started = [*COMMAND, "serve", "--port", "0", "--admin-port", "0", "--ready-file", str(ready), *arguments]
    with subprocess.Popen(started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as popen:
        try:
            deadline = time.monotonic() + DEADLINE
            while not ready.exists():
                assert popen.poll() is None, popen.stderr.read() if popen.stderr else ""
                assert time.monotonic() < deadline
                time.sleep(0.01)
            line = json.loads(ready.read_text())
            assert popen.stdout is not None
            assert json.loads(popen.stdout.readline()) == line
            yield Process(popen, line["api"], line["admin"])
        finally:
            popen.kill()


def end(running: Process, number: signal.Signals = signal.SIGTERM) -> str:
    """End it, and return what it said on standard error."""
    running.popen.send_signal(number)
    _, said = running.popen.communicate(timeout=DEADLINE)
    assert running.popen.returncode == 0, said
    return said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    with process(tmp_path) as running, running.client() as client:
        assert client.get(LIMITS).status_code == 200
        assert end(running, number) == ""


def test_the_world_is_kept_over_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with process(tmp_path, "--state", str(state)) as running, running.client() as client:
        token = client.headers["X-Auth-Token"]
        assert client.post(CREATE, json=SERVER).status_code == 200
        before = running.ask("ledger")
        end(running)
    assert state.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ready.json", "state.json"]
    with process(tmp_path, "--state", str(state)) as running:
        after = running.ask("ledger")["entries"]
        assert after[: len(before["entries"])] == before["entries"]
        assert httpx.get(running.api + LIMITS, headers={"X-Auth-Token": token}, trust_env=False).status_code == 200
        end(running)


def test_the_state_is_saved_while_it_runs(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with process(tmp_path, "--state", str(state)) as running, running.client() as client:
        assert client.post(CREATE, json=SERVER).status_code == 200
        deadline = time.monotonic() + DEADLINE
        while not state.exists() or "web-1" not in state.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.popen.kill()
    with process(tmp_path, "--state", str(state)) as running:
        assert running.ask("ledger")["entries"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--state", "broken"], "broken"),
        (["--seed", "broken"], "broken"),
        (["--seed", "missing"], "missing"),
        (["--port", "99999"], "port"),
        (["--time-scale", "0"], "time-scale"),
        (["--host", "203.0.113.1"], "listen"),
    ],
)
def test_what_it_cannot_start_with(tmp_path: Path, arguments: list[str], named: str) -> None:
    (tmp_path / "broken").write_text("{ nonsense: [")
    done = subprocess.run(
        [*COMMAND, "serve", "--port", "0", "--admin-port", "0", *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr


def test_the_subcommands(tmp_path: Path) -> None:
    with process(tmp_path, "--time-scale", "1000") as running, running.client() as client:
        assert running.ask("clock")["mode"] == "scaled"
        assert running.ask("clock", "--mode", "frozen", "--advance", "5")["mode"] == "frozen"
        rule = running.ask(
            "fault", "add", "--operation", "createServers", "--after", "--status", "502", "--header", "Retry-After=3", "--times", "1"
        )
        answer = client.post(CREATE, json=SERVER)
        assert (answer.status_code, answer.headers["Retry-After"]) == (502, "3")
        assert [item["hits"] for item in running.ask("fault", "list")["faults"]] == [1]
        assert running.ask("fault", "clear", rule["id"]) == {"removed": 1}
        job = client.post(CREATE, json=SERVER).json()["job_id"]
        assert running.ask("job", "fail", job, "--code", "Ecs.0219") == {"id": job}
        assert client.get(f"/v1/{PROJECT}/jobs/{job}").json()["status"] == "FAIL"
        planted = running.ask("server", "plant", "theirs", "--project", PROJECT, "--metadata", "a=b")["id"]
        for action in ("stop", "start", "error", "delete"):
            assert running.ask("server", action, planted) == {"id": planted}
        assert any(entry["id"] == planted for entry in running.ask("ledger", "--project", PROJECT)["entries"])
        assert running.ask("requests", "--limit", "1")["requests"][0]["operation"] == "showJob"
        account = running.ask("project", "add", "t-1", "--quota", "instances=3")
        assert running.ask("project", "set", account["projectId"], "--frozen", "yes") == {"id": account["projectId"]}
        exports = running.command("env", "--project", "t-1").splitlines()
        assert f"export OS_PROJECT_ID={account['projectId']}" in exports
        assert f"export OS_AUTH_URL={running.api}/v3" in exports
        assert {line.split("=")[0].removeprefix("export ") for line in exports} >= {
            "OS_AUTH_URL",
            "OS_USERNAME",
            "OS_PASSWORD",
            "OS_USER_DOMAIN_NAME",
            "OS_PROJECT_NAME",
            "OS_PROJECT_ID",
            "OS_REGION_NAME",
            "HUAWEICLOUD_SDK_AK",
            "HUAWEICLOUD_SDK_SK",
        }
        assert "nothing happens" in running.command("fault", "add", status=1)
        assert "none" in running.command("job", "finish", "none", status=1)
        assert running.ask("reset", "--yes")["status"] == "reset"
        assert running.ask("ledger")["entries"] == []
        assert "--yes" in running.command("reset", status=2)
        end(running)
        assert "ecs-simulator serve" in running.command("state", status=3)


def test_help_teaches() -> None:
    for arguments in (["--help"], ["serve", "--help"], ["fault", "add", "--help"]):
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=True)
        assert "ecs-simulator" in done.stdout
    assert "--after" in done.stdout
