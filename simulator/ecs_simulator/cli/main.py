"""The command line: arguments in, exit status out."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from ecs_simulator import __version__
from ecs_simulator.cli import faults, local, records, things, worlds
from ecs_simulator.cli.remote import DEFAULT_ADMIN, Remote, RemoteError

_DESCRIPTION = """\
A simulated Elastic Cloud Server API: tokens, signatures, servers, jobs, volumes, quotas, faults. No account, no network.

  ecs-simulator serve                                   run it; it prints where it listens
  eval "$(ecs-simulator env)"                           point the OpenStack command line or the vendor's SDK at it
  ecs-simulator fault add --operation createServers --status 502 --after --times 1
  ecs-simulator clock --advance 86400                   a day later, tokens have run out
  ecs-simulator ledger                                  what was really created and deleted

`ecs-simulator COMMAND --help` says what a command does, with an example.
"""
_EPILOG = f"""\
Every command but serve and `seed print` talks to the admin API of a running simulator: --admin URL, or ECS_SIMULATOR_ADMIN_URL,
or {DEFAULT_ADMIN}. Answers are JSON on standard output, messages go to standard error.
Exit status: 0 done, 1 refused by the simulator, 2 wrong arguments or files, 3 no simulator there, 130 interrupted.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = make_parser()
    chosen = parser.parse_args(arguments)
    if chosen.run is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        return int(chosen.run(chosen) if chosen.is_local else chosen.run(chosen, Remote(chosen.admin)))
    except RemoteError as error:
        print(f"ecs-simulator: {error}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        # Somebody read enough: `ecs-simulator ledger | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="ecs-simulator", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"ecs-simulator {__version__}")
    parser.add_argument(
        "--admin",
        metavar="URL",
        default=os.environ.get("ECS_SIMULATOR_ADMIN_URL", DEFAULT_ADMIN),
        help="admin API of the running simulator (default: %(default)s)",
    )
    parser.set_defaults(run=None, is_local=False)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for module in (local, records, worlds, faults, things):
        module.add_commands(commands)
    return parser
