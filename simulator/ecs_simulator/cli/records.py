"""What happened: the ledger, the requests, and both as they come."""

from __future__ import annotations

import argparse
import json

from ecs_simulator.cli.command import Commands, Run, add_command
from ecs_simulator.cli.remote import Remote


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    for name, text, example in (
        (
            "ledger",
            "show what was created, changed and deleted, ever",
            "ledger\nledger --project 9a56640e5503b8dc39231cdb52a0f3e2 --since 120",
        ),
        ("requests", "show what came in, newest last, secrets masked", "requests --limit 20\nrequests --since 5000"),
    ):
        command = add_command(commands, name, text, _listing(name), example=example)
        command.add_argument("--project", metavar="ID", help="only of this project")
        command.add_argument("--since", type=int, metavar="SEQ", help="only after this number")
        command.add_argument("--limit", type=int, metavar="N", help="only the last N")
    events = add_command(
        commands,
        "events",
        "print requests and ledger entries as they happen, one JSON line each",
        None,
        more="It ends with Ctrl-C,\nor with the simulator.",
        example="events\nevents --kind ledger --count 3",
    )
    events.add_argument("--kind", choices=("request", "ledger", "world"), help="only these")
    events.add_argument("--count", type=int, metavar="N", help="end after so many")
    events.set_defaults(run=_events)


def _listing(name: str) -> Run:
    return lambda chosen, remote: remote.call("GET", name, query={"project": chosen.project, "since": chosen.since, "limit": chosen.limit})


def _events(chosen: argparse.Namespace, remote: Remote) -> int:
    kind, left = "", chosen.count
    for line in remote.lines("events"):
        if line.startswith("event: "):
            kind = line.removeprefix("event: ")
        elif line.startswith("data: ") and chosen.kind in {None, kind}:
            print(json.dumps({"event": kind, **json.loads(line.removeprefix("data: "))}), flush=True)
            left = left - 1 if left is not None else None
            if left == 0:
                break
    return 0
