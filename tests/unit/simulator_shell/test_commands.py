"""The commands: each is a call of the admin API, every call has one, each teaches with an example that works."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from ecs_simulator.admin import admin_application
from ecs_simulator.cli.main import main, make_parser
from ecs_simulator.cli.remote import Remote, RemoteError
from ecs_simulator.simulator import Simulator

JOB, PROJECT = "ff80", "9a56"

# The command, the call it does, and the body or query it sends.
CASES: list[tuple[str, str, object]] = [
    ("health", "GET health", None),
    ("state", "GET state", None),
    ("clock", "GET clock", None),
    ("clock --mode frozen --advance 5", "POST clock", {"mode": "frozen", "advance": 5}),
    ("clock --scale 60 --gateway-skew -3", "POST clock", {"scale": 60, "gatewaySkew": -3}),
    ("durations", "GET durations", None),
    ("durations create_server=30 jitter=0.5", "POST durations", {"create_server": 30, "jitter": 0.5}),
    ("behaviour", "GET behaviour", None),
    (
        "behaviour clientToken=ignore listLag=5 serverIds=false maxMicroversion=2.26",
        "POST behaviour",
        {"clientToken": "ignore", "listLag": 5, "serverIds": False, "maxMicroversion": "2.26"},
    ),
    ("reset --yes", "POST reset", {}),
    ("snapshot", "POST snapshot", {}),
    ("snapshots", "GET snapshots", None),
    ("restore snapshot-1", "POST restore", {"id": "snapshot-1"}),
    ("ledger --since 3 --limit 2", "GET ledger", {"project": None, "since": 3, "limit": 2}),
    (f"requests --project {PROJECT}", "GET requests", {"project": PROJECT, "since": None, "limit": None}),
    (
        "fault add --operation createServers --after --status 502 --header Retry-After=3 --times 1",
        "POST faults",
        {
            "match": {"operation": "createServers"},
            "when": "after",
            "do": {"status": 502, "headers": {"Retry-After": "3"}},
            "times": 1,
        },
    ),
    (
        "fault add --method POST --path x --project p --nth 1 --every 2 --probability 0.5 --drop",
        "POST faults",
        {
            "match": {"method": "POST", "path": "x", "project": "p", "nth": 1, "every": 2, "probability": 0.5},
            "when": "before",
            "do": {"drop": True},
        },
    ),
    (
        """fault add --status 400 --body '{"a": 1}'""",
        "POST faults",
        {"match": {}, "when": "before", "do": {"status": 400, "body": {"a": 1}}},
    ),
    ("fault add --delay 2 --truncate 10", "POST faults", {"match": {}, "when": "before", "do": {"delay": 2, "truncate": 10}}),
    ("fault list", "GET faults", None),
    ("fault clear", "DELETE faults", None),
    ("fault clear fault-1", "DELETE faults/fault-1", None),
    (f"job finish {JOB}", f"POST jobs/{JOB}", {"do": "finish"}),
    (f"job fail {JOB} --code Ecs.0401 --reason no", f"POST jobs/{JOB}", {"do": "fail", "code": "Ecs.0401", "reason": "no"}),
    (
        f"job fail-next createServer --project {PROJECT} --leave server",
        "POST next-job",
        {
            "project": PROJECT,
            "type": "createServer",
            "do": "fail",
            "code": "Ecs.0219",
            "reason": "The job was made to fail.",
            "leave": "server",
        },
    ),
    ("server error s", "POST servers/s", {"do": "error"}),
    ("server stop s", "POST servers/s", {"do": "stop"}),
    ("server start s", "POST servers/s", {"do": "start"}),
    ("server delete s", "POST servers/s", {"do": "delete"}),
    (
        f"server plant theirs --project {PROJECT} --metadata a=b=c",
        "POST servers",
        {"project": PROJECT, "name": "theirs", "metadata": {"a": "b=c"}},
    ),
    ("flavor f --sold-out z1 z2", "POST flavors/f", {"soldOut": ["z1", "z2"]}),
    ("flavor f --sold-out", "POST flavors/f", {"soldOut": []}),
    ("project add t --quota instances=3 --quota ram=-1", "POST projects", {"name": "t", "quota": {"instances": 3, "ram": -1}}),
    (
        "project set p --frozen yes --suspended-credentials no",
        "POST projects/p",
        {"frozen": True, "suspendedCredentials": False},
    ),
    ("project list --project t", "GET accounts", {"project": "t"}),
    ("token revoke", "DELETE tokens", {"project": None}),
    (f"token revoke --project {PROJECT}", "DELETE tokens", {"project": PROJECT}),
]
# These have tests of their own.
OTHERS = {"POST seed", "GET events"}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    done: list[tuple[str, object]] = []

    def call(_: Remote, method: str, path: str, body: object = None, *, query: object = None) -> dict[str, Any]:
        done.append((f"{method} {path}", body if query is None else query))
        return {"done": True}

    def lines(_: Remote, path: str) -> Iterator[str]:
        done.append((f"GET {path}", None))
        yield from ("event: world", 'data: {"ledger": 3}', "", "event: ledger", 'data: {"seq": 4}', "")

    monkeypatch.setattr(Remote, "call", call)
    monkeypatch.setattr(Remote, "lines", lines)
    return done


@pytest.mark.parametrize(("line", "call", "sent"), CASES)
def test_a_command_is_a_call(
    line: str, call: str, sent: object, calls: list[tuple[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(shlex.split(line)) == 0
    assert calls == [(call, sent)]
    assert json.loads(capsys.readouterr().out) == {"done": True}


def test_a_seed_is_loaded_from_a_file(calls: list[tuple[str, object]], tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("seed: 7\n")
    assert main(["seed", "load", str(seed), "--yes"]) == 0
    assert calls == [("POST seed", {"seed": 7})]


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["events"], [{"event": "world", "ledger": 3}, {"event": "ledger", "seq": 4}]),
        (["events", "--kind", "ledger"], [{"event": "ledger", "seq": 4}]),
        (["events", "--count", "1"], [{"event": "world", "ledger": 3}]),
    ],
)
def test_events_are_lines(
    arguments: list[str], printed: list[object], calls: list[tuple[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    assert calls == [("GET events", None)]
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == printed


def test_every_call_has_a_command() -> None:
    routes = [route for route in admin_application(Simulator(), api_url="").routes if isinstance(route, Route)]
    offered = {f"{method} {route.path.removeprefix('/_sim/')}" for route in routes for method in route.methods or () if method != "HEAD"}
    done = {call for _, call, _ in CASES} | OTHERS
    # POST jobs/ff80 is POST jobs/{id}.
    assert {re.sub(r"/.+", "/{id}", call) for call in done} == offered


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser of every command that does something."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield parser
    for action in below:
        for child in action.choices.values():
            yield from parsers(child)


ALL = {parser.prog: parser for parser in parsers(make_parser())}


@pytest.mark.parametrize("name", ALL)
def test_help_says_what_it_does_and_shows_it(name: str) -> None:
    parser = ALL[name]
    assert parser.description is not None
    assert parser.description.endswith(".")
    shown = (parser.epilog or "").splitlines()[1:]
    examples = [line.strip() for line in shown if line.startswith("  ecs-simulator ")]
    assert any(line.startswith(name) for line in examples)
    for line in examples:
        command = re.split(r" {4,}| > ", line.removeprefix("ecs-simulator "))[0]
        make_parser().parse_args(shlex.split(command))
    assert name in parser.format_help()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("serve --port 70000", "0 takes a free one"),
        ("serve --port x", "0 takes a free one"),
        ("serve --time-scale -1", "such as 60"),
        ("serve --time-scale fast", "such as 60"),
        ("reset", "--yes"),
        ("seed load x", "--yes"),
        ("fly", "invalid choice"),
        ("job fail-next createServer", "--project"),
    ],
)
def test_wrong_arguments_are_told_the_way_out(line: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(line))
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("", 2, "ecs-simulator serve"),
        ("--admin nonsense state", 2, "http://127.0.0.1:8775"),
        ("durations create_server", 2, "NAME=VALUE"),
        ("fault add --status 429 --header Retry-After", 2, "NAME=VALUE"),
        ("seed load /nowhere/seed.yaml --yes", 2, "seed print"),
        # Nobody listens on the discard port of this machine.
        ("--admin http://127.0.0.1:9 state", 3, "ecs-simulator serve"),
        ("state --admin http://127.0.0.1:9", 3, "--admin"),
    ],
)
def test_failures_have_a_status_and_say_the_way_out(line: str, status: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(shlex.split(line)) == status
    assert said in capsys.readouterr().err


def test_the_printed_seed_is_the_default_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["seed", "print"]) == 0
    copied = tmp_path / "copy.yaml"
    copied.write_text(capsys.readouterr().out)
    assert main(["serve", "--seed", str(copied), "--host", "203.0.113.1"]) == 2
    assert "cannot listen on 203.0.113.1 port 8774" in capsys.readouterr().err


def test_an_interrupted_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Remote, "call", interrupted)
    assert main(["state"]) == 130


def test_a_refused_call_is_status_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*_: object) -> None:
        raise RemoteError("there is no state", 1)

    monkeypatch.setattr(Remote, "call", refused)
    assert main(["state"]) == 1
    assert capsys.readouterr().err == "ecs-simulator: there is no state\n"
