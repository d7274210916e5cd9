"""The command as a process: how it starts, what it keeps, how it ends, and the subcommands that steer it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
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
def process(directory: Path, *arguments: str, own_group: bool = False) -> Generator[Process, None, None]:
    ready = directory / "ready.json"
    ready.unlink(missing_ok=True)
    started = [*COMMAND, "serve", "--port", "0", "--admin-port", "0", "--ready-file", str(ready), *arguments]
    with subprocess.Popen(
        started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0 if own_group else None
    ) as popen:
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
    assert sorted(path.name for path in tmp_path.iterdir()) == [".state.json.lock", "ready.json", "state.json"]
    with process(tmp_path, "--state", str(state)) as running:
        after = running.ask("ledger")["entries"]
        assert after[: len(before["entries"])] == before["entries"]
        assert httpx.get(running.api + LIMITS, headers={"X-Auth-Token": token}, trust_env=False).status_code == 200
        end(running)


def kept(state: Path, text: str) -> None:
    """Wait until a text is in the state file."""
    deadline = time.monotonic() + DEADLINE
    while not state.exists() or text not in state.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_was_written_outlives_a_kill(tmp_path: Path) -> None:
    """Nobody is asked before kill -9. What the dead one left half written goes away, and its lock holds nobody up."""
    state = tmp_path / "state.json"
    with process(tmp_path, "--state", str(state)) as running, running.client() as client:
        token = client.headers["X-Auth-Token"]
        assert client.post(CREATE, json=SERVER).status_code == 200
        kept(state, "web-1")
        running.popen.kill()
        running.popen.wait()
    (tmp_path / ".state.json.abc").write_text("half")
    with process(tmp_path, "--state", str(state)) as running:
        assert any(entry["name"] == "web-1" for entry in running.ask("ledger")["entries"])
        assert httpx.get(running.api + LIMITS, headers={"X-Auth-Token": token}, trust_env=False).status_code == 200
        end(running)
    assert not (tmp_path / ".state.json.abc").exists()


def test_ctrl_c_while_the_state_is_written(tmp_path: Path) -> None:
    """The signal goes to the whole group, the child that writes included; what is written in the end is the last state."""
    state = tmp_path / "state.json"
    with process(tmp_path, "--state", str(state), own_group=True) as running, running.client() as client:
        many = {"server": SERVER["server"] | {"name": "many", "count": 500}}
        for _ in range(2):
            assert client.post(CREATE, json=many).status_code == 200
        children = Path(f"/proc/{running.popen.pid}/task/{running.popen.pid}/children")
        deadline = time.monotonic() + DEADLINE
        while not children.read_text():
            assert time.monotonic() < deadline
        client.post(f"/v2.1/{PROJECT}/os-server-groups", json={"server_group": {"name": "last", "policies": ["anti-affinity"]}})
        os.killpg(running.popen.pid, signal.SIGINT)
        _, said = running.popen.communicate(timeout=DEADLINE)
        assert (running.popen.returncode, said) == (0, "")
    groups = json.loads(state.read_text())["world"]["projects"][PROJECT]["groups"].values()
    assert [group["name"] for group in groups] == ["last"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".state.json.lock", "ready.json", "state.json"]


def test_a_file_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    """The cloud goes on meanwhile, and says what is wrong."""
    folder = tmp_path / "folder"
    with process(tmp_path, "--state", str(folder / "state.json")) as running, running.client() as client:
        kept(folder / "state.json", "lab-user")
        folder.rename(tmp_path / "elsewhere")
        folder.write_text("in the way")
        assert client.post(CREATE, json=SERVER).status_code == 200
        said = running.popen.stderr
        assert said is not None
        assert "state.json could not be written" in said.readline()
        assert client.get(LIMITS).status_code == 200
        folder.unlink()
        kept(folder / "state.json", "web-1")
        running.popen.send_signal(signal.SIGTERM)
        assert running.popen.wait(DEADLINE) == 0


@pytest.mark.parametrize("arguments", [(), ("--time-scale", "2000")], ids=["real time", "scaled time"])
def test_running_jobs_run_on_after_a_restart(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    state = tmp_path / "state.json"
    with process(tmp_path, "--state", str(state), *arguments) as running, running.client() as client:
        seconds = 2.0 if not arguments else 4000.0
        running.ask("durations", f"create_server={seconds}")
        job = client.post(CREATE, json=SERVER).json()["job_id"]
        before = running.ask("clock")
        assert client.get(f"/v1/{PROJECT}/jobs/{job}").json()["status"] in {"INIT", "RUNNING"}
        end(running)
    with process(tmp_path, "--state", str(state)) as running, running.client() as client:
        after = running.ask("clock")
        assert (after["mode"], after["scale"]) == (before["mode"], before["scale"])
        assert after["now"] > before["now"]
        deadline = time.monotonic() + DEADLINE
        while (answer := client.get(f"/v1/{PROJECT}/jobs/{job}").json())["status"] != "SUCCESS":
            assert answer["status"] in {"INIT", "RUNNING"}
            assert time.monotonic() < deadline
            time.sleep(0.05)
        begun, ended = (datetime.fromisoformat(answer[name]).timestamp() for name in ("begin_time", "end_time"))
        assert ended - begun == pytest.approx(seconds, abs=0.01)
        end(running)


def test_frozen_time_stands_still_over_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with process(tmp_path, "--state", str(state)) as running, running.client() as client:
        before = running.ask("clock", "--mode", "frozen")
        job = client.post(CREATE, json=SERVER).json()["job_id"]
        end(running)
    with process(tmp_path, "--state", str(state)) as running, running.client() as client:
        assert running.ask("clock")["now"] == before["now"]
        assert client.get(f"/v1/{PROJECT}/jobs/{job}").json()["status"] == "INIT"
        running.ask("clock", "--advance", "60")
        assert client.get(f"/v1/{PROJECT}/jobs/{job}").json()["status"] == "SUCCESS"
        end(running)


def test_a_state_file_is_kept_by_one_simulator(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with process(tmp_path, "--state", str(state)) as running:
        second = subprocess.run(
            [*COMMAND, "serve", "--port", "0", "--admin-port", "0", "--state", str(state)],
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        assert second.returncode == 2
        assert "another simulator keeps its world there" in second.stderr
        end(running)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--state", "broken"], "broken: is no state file (not JSON); move it away"),
        (["--state", "older"], "older: is no state file of format"),
        (["--state", "strange"], "strange: does not fit this version"),
        (["--state", "broken/state"], "broken/state: cannot be written"),
        (["--state", "."], "name a file in it"),
        (["--seed", "broken"], "broken"),
        (["--seed", "missing"], "`ecs-simulator seed print`"),
        (["--seed", "list.yaml"], "a seed is a YAML mapping"),
        (["--seed", "typo.yaml"], "zoens"),
        (["--port", "99999"], "port"),
        (["--time-scale", "0"], "time-scale"),
        (["--host", "203.0.113.1"], "listen"),
    ],
)
def test_what_it_cannot_start_with(tmp_path: Path, arguments: list[str], named: str) -> None:
    (tmp_path / "broken").write_text("{ nonsense: [")
    (tmp_path / "older").write_text('{"format": 0}')
    (tmp_path / "strange").write_text('{"format": 1, "world": {}, "tokens": []}')
    (tmp_path / "list.yaml").write_text("- a\n")
    (tmp_path / "typo.yaml").write_text("zoens: []\n")
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
        assert running.ask("health")["api"] == running.api
        assert running.ask("durations", "create_server=9")["create_server"] == 9
        assert running.ask("behaviour", "listLag=2", "serverIds=false")["serverIds"] is False
        snapshot = running.ask("snapshot")["id"]
        assert running.ask("snapshots") == {"snapshots": [snapshot]}
        assert running.ask("flavor", "s3.large.2", "--sold-out", "eu-west-0a") == {"id": "s3.large.2"}
        assert running.ask("job", "fail-next", "createServer", "--project", PROJECT) == {"status": "armed"}
        assert running.ask("restore", snapshot) == {"id": snapshot}
        assert running.ask("token", "revoke", "--project", PROJECT) == {"revoked": 1}
        copied = tmp_path / "copy.yaml"
        copied.write_text(running.command("seed", "print").replace("region: eu-west-0", "region: eu-west-9"))
        assert running.ask("seed", "load", str(copied), "--yes")["status"] == "reset"
        assert running.ask("state")["region"] == "eu-west-9"
        assert running.ask("reset", "--yes")["status"] == "reset"
        assert running.ask("ledger")["entries"] == []
        assert "--yes" in running.command("reset", status=2)
        end(running)
        assert "ecs-simulator serve" in running.command("state", status=3)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with process(tmp_path) as running:
        for option, url in (("--port", running.api), ("--admin-port", running.admin)):
            port = url.rpartition(":")[2]
            arguments = {"--port": "0", "--admin-port": "0", option: port}
            done = subprocess.run(
                [*COMMAND, "serve", *(part for pair in arguments.items() for part in pair)],
                capture_output=True,
                text=True,
                timeout=DEADLINE,
                check=False,
            )
            assert done.returncode == 2
            assert f"port {port}" in done.stderr
            assert "0 takes a free one" in done.stderr


def test_help_teaches() -> None:
    for arguments in (["--help"], ["serve", "--help"], ["fault", "add", "--help"]):
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=DEADLINE, check=True)
        assert "ecs-simulator" in done.stdout
    assert "--after" in done.stdout
