"""By hand, behind everybody's back: jobs, servers, flavors, projects, tokens."""

from __future__ import annotations

import argparse
from typing import Any

from ecs_simulator.cli.command import Commands, Run, add_command, add_group, given, pairs, plain
from ecs_simulator.cli.remote import Answer, Remote

_FAILED = "Ecs.0219"
_PROJECT = "9a56640e5503b8dc39231cdb52a0f3e2"


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    _add_job(commands)
    _add_server(commands)
    flavor = add_command(
        commands,
        "flavor",
        "sell a flavor out in some zones, or make it available again",
        lambda chosen, remote: remote.call("POST", f"flavors/{chosen.id}", {"soldOut": chosen.sold_out}),
        example="flavor s3.large.2 --sold-out eu-west-0a eu-west-0b\nflavor s3.large.2 --sold-out       available everywhere",
    )
    flavor.add_argument("id")
    flavor.add_argument("--sold-out", nargs="*", required=True, metavar="ZONE", help="the zones; none at all makes it available again")
    _add_project(commands)
    kinds = add_group(commands, "token", "tokens of the identity service", "revoke")
    revoke = add_command(
        kinds,
        "revoke",
        "revoke the tokens of a project, or all",
        lambda chosen, remote: remote.call("DELETE", "tokens", query={"project": chosen.project}),
        example=f"token revoke\ntoken revoke --project {_PROJECT}",
    )
    revoke.add_argument("--project", metavar="ID", help="only the tokens scoped to this project")


def _add_job(commands: Commands) -> None:
    kinds = add_group(commands, "job", "decide how a job ends", "fail, finish or fail-next")
    fail = add_command(
        kinds,
        "fail",
        "let a running job fail now",
        lambda chosen, remote: remote.call("POST", f"jobs/{chosen.id}", {"do": "fail", "code": chosen.code, "reason": chosen.reason}),
        example="job fail ff8080824f2cb0f2014f2cd5f46d0037\njob fail ff8080824f2cb0f2014f2cd5f46d0037 --code Ecs.0401",
    )
    fail.add_argument("id")
    finish = add_command(
        kinds,
        "finish",
        "finish a running job at once",
        lambda chosen, remote: remote.call("POST", f"jobs/{chosen.id}", {"do": "finish"}),
        example="job finish ff8080824f2cb0f2014f2cd5f46d0037",
    )
    finish.add_argument("id")
    coming = add_command(
        kinds,
        "fail-next",
        "let the next job of a type fail when it would have ended",
        _fail_next,
        example=f"job fail-next createServer --project {_PROJECT}\njob fail-next createServer --project {_PROJECT} --leave server",
    )
    coming.add_argument("type", help="as 5.8.1 names it: createServer, deleteServer, attachVolume, …")
    coming.add_argument("--project", metavar="ID", required=True)
    coming.add_argument("--leave", choices=("server", "nothing"), default="nothing", help="what a create leaves (default: %(default)s)")
    for command in (fail, coming):
        command.add_argument("--code", default=_FAILED, help="error code of the job (default: %(default)s)")
        command.add_argument("--reason", default="The job was made to fail.", help="its fail_reason")


def _add_server(commands: Commands) -> None:
    kinds = add_group(commands, "server", "do something to a server behind its owner's back", "error, stop, start, delete, move or plant")
    for name, text in (
        ("error", "put a server into ERROR"),
        ("stop", "stop a server"),
        ("start", "start a server"),
        ("delete", "delete a server"),
    ):
        command = add_command(kinds, name, text, _server(name), example=f"server {name} 1d7ba57c-75ec-4a4f-9d04-3ad58d4d1c9f")
        command.add_argument("id")
    move = add_command(
        kinds,
        "move",
        "put a server onto the host of another one",
        lambda chosen, remote: remote.call("POST", f"servers/{chosen.id}", {"do": "move", "beside": chosen.beside}),
        example="server move 1d7ba57c-75ec-4a4f-9d04-3ad58d4d1c9f --beside 616fb98f-46ca-475e-917e-2563e5a8cd19",
    )
    move.add_argument("id")
    move.add_argument("--beside", metavar="ID", required=True)
    plant = add_command(
        kinds,
        "plant",
        "plant a running server nobody asked for",
        lambda chosen, remote: remote.call(
            "POST", "servers", {"project": chosen.project, "name": chosen.name, "metadata": pairs(chosen.metadata, option="--metadata")}
        ),
        example=f"server plant theirs --project {_PROJECT} --metadata owner=somebody",
    )
    plant.add_argument("name")
    plant.add_argument("--project", metavar="ID", required=True)
    plant.add_argument("--metadata", action="append", default=[], metavar="KEY=VALUE")


def _add_project(commands: Commands) -> None:
    kinds = add_group(commands, "project", "projects and their accounts", "add, set or list")
    add = add_command(
        kinds,
        "add",
        "add an isolated project with its own account and network",
        lambda chosen, remote: remote.call("POST", "projects", {"name": chosen.name} | _quota(chosen)),
        more="The answer has everything needed to log in.",
        example="project add t-1\nproject add t-2 --quota instances=20 --quota cores=40",
    )
    add.add_argument("name")
    change = add_command(
        kinds,
        "set",
        "change a quota, freeze the account, suspend its credentials",
        _project_set,
        example=f"project set {_PROJECT} --quota instances=0\nproject set {_PROJECT} --frozen yes",
    )
    change.add_argument("id")
    change.add_argument("--frozen", choices=("yes", "no"), help="a frozen account may not create or start anything")
    change.add_argument("--suspended-credentials", choices=("yes", "no"), help="no token and no signature of it is accepted")
    for command in (add, change):
        command.add_argument("--quota", action="append", default=[], metavar="NAME=NUMBER", help="such as instances=20; -1 is unlimited")
    accounts = add_command(
        kinds,
        "list",
        "list the accounts with their passwords and keys",
        lambda chosen, remote: remote.call("GET", "accounts", query={"project": chosen.project}),
        example="project list\nproject list --project t-1",
    )
    accounts.add_argument("--project", metavar="ID", help="only of this one, by id or name")


def _fail_next(chosen: argparse.Namespace, remote: Remote) -> Answer:
    body = {"project": chosen.project, "type": chosen.type, "do": "fail"}
    return remote.call("POST", "next-job", body | {"code": chosen.code, "reason": chosen.reason, "leave": chosen.leave})


def _server(action: str) -> Run:
    return lambda chosen, remote: remote.call("POST", f"servers/{chosen.id}", {"do": action})


def _project_set(chosen: argparse.Namespace, remote: Remote) -> Answer:
    flags = given(frozen=chosen.frozen, suspendedCredentials=chosen.suspended_credentials)
    return remote.call("POST", f"projects/{chosen.id}", _quota(chosen) | {name: value == "yes" for name, value in flags.items()})


def _quota(chosen: argparse.Namespace) -> dict[str, Any]:
    quota = {name: plain(value) for name, value in pairs(chosen.quota, option="--quota").items()}
    return {"quota": quota} if quota else {}
