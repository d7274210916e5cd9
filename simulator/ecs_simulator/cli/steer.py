"""The commands that steer a running simulator: each is one call of the admin API."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ecs_simulator.cli.remote import Answer, Commands, Remote, show

_FAULT_HELP = """\
Add a rule that spoils requests. What is given about the request must all hold; the first rule that matches and is due strikes.

  --operation createServers --status 502 --after --times 1    the server is created, the answer is lost
  --operation 5.8.1 --status 429 --header Retry-After=5 --every 3
  --path '/servers/detail' --delay 20                         a slow list
  --method POST --drop --probability 0.1                      one in ten writes ends without an answer, before it is carried out
"""


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    _add(commands, "state", "counts of everything, per project", lambda _, remote: remote.call("GET", "state"))
    reset = _add(commands, "reset", "start over with a fresh world", _reset)
    reset.add_argument("--yes", action="store_true", required=True, help="confirm: everything in the world is lost")
    for name, text in (
        ("ledger", "what was created, changed and deleted, ever"),
        ("requests", "what came in, newest last; secrets masked"),
    ):
        command = _add(commands, name, text, _listing(name))
        command.add_argument("--project", metavar="ID", help="only of this project")
        command.add_argument("--since", type=int, metavar="SEQ", help="only after this number")
        command.add_argument("--limit", type=int, metavar="N", help="only the last N")
    clock = _add(commands, "clock", "show or set the world's time", _clock)
    clock.add_argument("--mode", choices=("real", "scaled", "frozen"))
    clock.add_argument("--scale", type=float, metavar="N", help="how many times as fast as real time")
    clock.add_argument("--advance", type=float, metavar="SECONDS", help="jump ahead")
    clock.add_argument("--gateway-skew", type=float, metavar="SECONDS", help="how far the gateway's clock, which judges signatures, is off")
    _add_faults(commands)
    _add_job(commands)
    _add_server(commands)
    _add_project(commands)


def _add(commands: Commands, name: str, text: str, run: Callable[[argparse.Namespace, Remote], Answer]) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.set_defaults(run=lambda chosen, remote: show(run(chosen, remote)))
    return command


def _add_faults(commands: Commands) -> None:
    fault = commands.add_parser("fault", help="make things go wrong: add, list or clear rules")
    kinds = fault.add_subparsers(title="what to do", metavar="add|list|clear", required=True)
    add = _add(kinds, "add", "add a rule", _fault_add)
    add.description = _FAULT_HELP
    add.formatter_class = argparse.RawDescriptionHelpFormatter
    which = add.add_argument_group("which requests")
    which.add_argument("--operation", metavar="NAME", help="name or section of the operation: createServers, 5.1.1")
    which.add_argument("--method", metavar="VERB")
    which.add_argument("--path", metavar="REGEX", help="searched in path and query")
    which.add_argument("--project", metavar="ID")
    which.add_argument("--nth", type=int, metavar="N", help="only the n-th of them")
    which.add_argument("--every", type=int, metavar="N", help="each n-th of them")
    which.add_argument("--probability", type=float, metavar="P", help="that share of them, by seeded chance")
    what = add.add_argument_group("what happens")
    what.add_argument("--after", action="store_true", help="carry the request out and spoil only its answer (default: before)")
    what.add_argument("--status", type=int, metavar="CODE", help="answer with this status; alone, as a proxy's HTML page")
    what.add_argument("--code", metavar="CODE", help="with --status: this code in the API's error shape, such as Ecs.0002")
    what.add_argument("--message", metavar="TEXT", help="with --status: this text in the API's error shape")
    what.add_argument("--header", action="append", default=[], metavar="NAME=VALUE", help="with --status: another header")
    what.add_argument("--delay", type=float, metavar="SECONDS", help="wait first; the client may give up meanwhile")
    what.add_argument("--drop", action="store_true", help="close the connection without an answer")
    what.add_argument("--reset", action="store_true", help="reset the connection")
    what.add_argument("--truncate", type=int, metavar="BYTES", help="send only so much of the body")
    what.add_argument("--garbage", action="store_true", help="answer with bytes that are no JSON")
    add.add_argument("--times", type=int, metavar="N", help="strike at most so often (default: without end)")
    _add(kinds, "list", "list the rules and how often each struck", lambda _, remote: remote.call("GET", "faults"))
    clear = _add(kinds, "clear", "remove one rule or all", _fault_clear)
    clear.add_argument("id", nargs="?", help="the rule; all without it")


def _add_job(commands: Commands) -> None:
    job = commands.add_parser("job", help="decide how a job ends")
    kinds = job.add_subparsers(title="what to do", metavar="fail|finish", required=True)
    fail = _add(
        kinds,
        "fail",
        "let a running job fail",
        lambda chosen, remote: _job(chosen, remote, {"do": "fail", "code": chosen.code, "reason": chosen.reason}),
    )
    fail.add_argument("id")
    fail.add_argument("--code", default="Ecs.0219", help="error code of the job (default: %(default)s)")
    fail.add_argument("--reason", default="Creating the server failed.", help="its fail_reason")
    finish = _add(kinds, "finish", "finish a running job at once", lambda chosen, remote: _job(chosen, remote, {"do": "finish"}))
    finish.add_argument("id")


def _add_server(commands: Commands) -> None:
    server = commands.add_parser("server", help="do something to a server behind its owner's back")
    kinds = server.add_subparsers(title="what to do", metavar="error|stop|start|delete|plant", required=True)
    for name, text in (
        ("error", "put a server into ERROR"),
        ("stop", "stop a server"),
        ("start", "start a server"),
        ("delete", "delete a server"),
    ):
        command = _add(kinds, name, text, _server(name))
        command.add_argument("id")
    plant = _add(kinds, "plant", "plant a server nobody asked for", _plant)
    plant.add_argument("name")
    plant.add_argument("--project", metavar="ID", required=True)
    plant.add_argument("--metadata", action="append", default=[], metavar="KEY=VALUE")


def _add_project(commands: Commands) -> None:
    project = commands.add_parser("project", help="add or change a project")
    kinds = project.add_subparsers(title="what to do", metavar="add|set|list", required=True)
    add = _add(kinds, "add", "add an isolated project with its own account and network", _project_add)
    add.add_argument("name")
    add.add_argument("--quota", action="append", default=[], metavar="NAME=NUMBER", help="such as instances=20")
    change = _add(kinds, "set", "shrink a quota, freeze the account, suspend its credentials", _project_set)
    change.add_argument("id")
    change.add_argument("--quota", action="append", default=[], metavar="NAME=NUMBER")
    change.add_argument("--frozen", choices=("yes", "no"))
    change.add_argument("--suspended-credentials", choices=("yes", "no"))
    _add(kinds, "list", "list the accounts with their passwords and keys", lambda _, remote: remote.call("GET", "accounts"))


def _reset(_: argparse.Namespace, remote: Remote) -> Answer:
    return remote.call("POST", "reset", {})


def _listing(name: str) -> Callable[[argparse.Namespace, Remote], Answer]:
    return lambda chosen, remote: remote.call("GET", name, query={"project": chosen.project, "since": chosen.since, "limit": chosen.limit})


def _clock(chosen: argparse.Namespace, remote: Remote) -> Answer:
    wanted = {"mode": chosen.mode, "scale": chosen.scale, "advance": chosen.advance, "gatewaySkew": chosen.gateway_skew}
    body = _given(wanted)
    return remote.call("POST", "clock", body) if body else remote.call("GET", "clock")


def _fault_add(chosen: argparse.Namespace, remote: Remote) -> Answer:
    names = ("operation", "method", "path", "project", "nth", "every", "probability")
    effects = ("status", "code", "message", "delay", "truncate")
    flags = ("drop", "reset", "garbage")
    what = _given({name: getattr(chosen, name) for name in effects}) | {name: True for name in flags if getattr(chosen, name)}
    if chosen.header:
        what["headers"] = _pairs(chosen.header)
    rule = {"match": _given({name: getattr(chosen, name) for name in names}), "when": "after" if chosen.after else "before", "do": what}
    return remote.call("POST", "faults", rule | _given({"times": chosen.times}))


def _fault_clear(chosen: argparse.Namespace, remote: Remote) -> Answer:
    return remote.call("DELETE", f"faults/{chosen.id}" if chosen.id else "faults")


def _job(chosen: argparse.Namespace, remote: Remote, body: dict[str, Any]) -> Answer:
    return remote.call("POST", f"jobs/{chosen.id}", body)


def _server(action: str) -> Callable[[argparse.Namespace, Remote], Answer]:
    return lambda chosen, remote: remote.call("POST", f"servers/{chosen.id}", {"do": action})


def _plant(chosen: argparse.Namespace, remote: Remote) -> Answer:
    return remote.call("POST", "servers", {"project": chosen.project, "name": chosen.name, "metadata": _pairs(chosen.metadata)})


def _project_add(chosen: argparse.Namespace, remote: Remote) -> Answer:
    return remote.call("POST", "projects", {"name": chosen.name} | _quota(chosen))


def _project_set(chosen: argparse.Namespace, remote: Remote) -> Answer:
    body = _quota(chosen)
    for name, value in (("frozen", chosen.frozen), ("suspendedCredentials", chosen.suspended_credentials)):
        if value is not None:
            body[name] = value == "yes"
    return remote.call("POST", f"projects/{chosen.id}", body)


def _quota(chosen: argparse.Namespace) -> dict[str, Any]:
    if not chosen.quota:
        return {}
    return {"quota": {name: int(value) if value.lstrip("-").isdigit() else value for name, value in _pairs(chosen.quota).items()}}


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _pairs(texts: list[str]) -> dict[str, str]:
    return {name: value for name, _, value in (text.partition("=") for text in texts)}
