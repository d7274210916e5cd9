"""``serve``, which runs the simulator, ``env``, which points other tools at it, and the seed it starts with."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from ecs_simulator.cli.command import Commands, add_command
from ecs_simulator.cli.remote import Remote
from ecs_simulator.environment import environment

_SERVE_MORE = """It prints one JSON line with its two URLs once it listens, and ends
cleanly on SIGTERM and Ctrl-C.

With --state the world and its tokens are written to the file within a second of a change (of a world of ten thousand servers, within
some seconds) and once more at the end; after kill -9 only what was changed since then is lost. The next start goes on from there:
jobs that were running run on, in real time as if the simulator had been there all the while, in scaled or frozen time from where it
was. Fault rules, snapshots and the request log are not kept. --seed counts only while there is no state file yet, and for `reset`."""
_SERVE_EXAMPLES = """\
serve
serve --port 0 --admin-port 0                  free ports; read them from the line it prints
serve --state ~/cloud.json --time-scale 60     an hour a minute, kept over restarts
serve --seed my-cloud.yaml                     `ecs-simulator seed print` shows one to begin with
serve --host 0.0.0.0                           for other machines too; the admin port stays on this one"""


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    serve = add_command(
        commands, "serve", "run the simulator until it is told to end", None, more=_SERVE_MORE, example=_SERVE_EXAMPLES, local=True
    )
    serve.add_argument("--host", default="127.0.0.1", help="address of the API port (default: %(default)s)")
    serve.add_argument("--port", type=_port, default=8774, help="the API port; 0 takes a free one (default: %(default)s)")
    serve.add_argument("--admin-host", default="127.0.0.1", help="address of the admin port; it knows no password (default: %(default)s)")
    serve.add_argument("--admin-port", type=_port, default=8775, help="the admin port; 0 takes a free one (default: %(default)s)")
    serve.add_argument("--seed", type=Path, metavar="FILE", help="YAML file that describes the world to start with")
    serve.add_argument("--state", type=Path, metavar="FILE", help="keep the world in this file over restarts; it holds secrets")
    serve.add_argument("--time-scale", type=_scale, metavar="N", help="let the world's time run N times as fast as real time")
    serve.add_argument("--ready-file", type=Path, metavar="PATH", help="write the JSON line with the URLs to this file as well")
    serve.set_defaults(run=_serve)
    env = add_command(
        commands,
        "env",
        "print shell exports for an account of the running simulator",
        None,
        more="""They have the names
that the OpenStack command line and the vendor's SDK read. In a shell: eval "$(ecs-simulator env)".""",
        example="env\nenv --project t-1\nenv --admin http://127.0.0.1:18775",
    )
    env.add_argument("--project", metavar="ID", help="id or name of the project (default: the first)")
    env.set_defaults(run=_env)


def _port(value: str) -> int:
    if not (value.isascii() and value.isdigit()) or int(value) > 65535:
        raise argparse.ArgumentTypeError(f"{value!r} is no port; give a number from 0 to 65535, 0 takes a free one")
    return int(value)


def _scale(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1e6:
        raise argparse.ArgumentTypeError(f"{value!r} is no pace; give a number above 0 and up to 1000000, such as 60")
    return number


def _serve(chosen: argparse.Namespace) -> int:
    # Imported here, so that the other commands start without the server's modules.
    from ecs_simulator.cli import serving  # noqa: PLC0415

    return serving.serve(chosen)


def _env(chosen: argparse.Namespace, remote: Remote) -> int:
    answer = remote.call("GET", "accounts", query={"project": chosen.project})
    account = answer["accounts"][0]
    for name, value in environment(account, api=answer["api"]).items():
        print(f"export {name}={shlex.quote(value)}")
    if not account["accessKey"]:
        print(f"ecs-simulator: the account of {account['projectName']} has no access key", file=sys.stderr)
    return 0


def ready_line(api: str, admin: str) -> str:
    """Return the line that ``serve`` prints once it listens."""
    return json.dumps({"api": api, "admin": admin})
