"""``ecs-simulator fault``: make things go wrong."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ecs_simulator.cli.command import Commands, add_command, add_group, given, pairs
from ecs_simulator.cli.remote import Answer, Remote

_EXAMPLES = """\
fault add --operation createServers --status 502 --after --times 1    the server is created, the answer is lost
fault add --operation 5.8.1 --status 429 --header Retry-After=5 --every 3
fault add --path '/servers/detail' --delay 20                         a slow list
fault add --method POST --drop --probability 0.1                      one in ten writes ends without an answer
fault add --operation createServers --status 400 --code Ecs.0319      a refusal in the API's own error shape"""


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    kinds = add_group(commands, "fault", "make things go wrong", "add, list or clear")
    add = add_command(
        kinds,
        "add",
        "add a rule that spoils requests",
        _add,
        more="What is given about the request must all hold; the first rule that matches\nand is due strikes.",
        example=_EXAMPLES,
    )
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
    what.add_argument("--body", metavar="BODY", type=_body, help="with --status: exactly this body, JSON or a text")
    what.add_argument("--header", action="append", default=[], metavar="NAME=VALUE", help="with --status: another header")
    what.add_argument("--delay", type=float, metavar="SECONDS", help="wait first; the client may give up meanwhile")
    what.add_argument("--drop", action="store_true", help="close the connection without an answer")
    what.add_argument("--reset", action="store_true", help="reset the connection")
    what.add_argument("--truncate", type=int, metavar="BYTES", help="send only so much of the body")
    what.add_argument("--garbage", action="store_true", help="answer with bytes that are no JSON")
    add.add_argument("--times", type=int, metavar="N", help="strike at most so often (default: without end)")
    add_command(
        kinds, "list", "list the rules and how often each struck", lambda _, remote: remote.call("GET", "faults"), example="fault list"
    )
    clear = add_command(kinds, "clear", "remove one rule or all", _clear, example="fault clear fault-1\nfault clear")
    clear.add_argument("id", nargs="?", help="the rule; all without it")


def _body(text: str) -> Any:  # noqa: ANN401 -- JSON
    try:
        return json.loads(text)
    except ValueError:
        return text


def _add(chosen: argparse.Namespace, remote: Remote) -> Answer:
    match = given(**{name: getattr(chosen, name) for name in ("operation", "method", "path", "project", "nth", "every", "probability")})
    what = given(**{name: getattr(chosen, name) for name in ("status", "code", "message", "body", "delay", "truncate")})
    what |= {name: True for name in ("drop", "reset", "garbage") if getattr(chosen, name)}
    if chosen.header:
        what["headers"] = pairs(chosen.header, option="--header")
    rule = {"match": match, "when": "after" if chosen.after else "before", "do": what}
    return remote.call("POST", "faults", rule | given(times=chosen.times))


def _clear(chosen: argparse.Namespace, remote: Remote) -> Answer:
    return remote.call("DELETE", f"faults/{chosen.id}" if chosen.id else "faults")
