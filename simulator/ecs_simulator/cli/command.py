"""How a command is declared: its name, what it does, an example, and what it runs. And how its arguments are read."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, TypeAlias

from ecs_simulator.cli.remote import Answer, Remote, RemoteError, show

# What ``add_subparsers`` returns; its class has no public name.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
Run: TypeAlias = Callable[[argparse.Namespace, Remote], Answer]


def add_command(
    commands: Commands, name: str, text: str, run: Run | None, *, example: str, more: str = "", local: bool = False
) -> argparse.ArgumentParser:
    """Add a command that does one call and prints the answer; one with more to do comes without ``run``, and sets it itself.

    ``text`` says what it does, ``example`` shows it, one line a command. A ``local`` one calls nobody: its ``run`` gets no Remote.
    """
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}." + (f" {more}" if more else ""),
        epilog="examples:\n" + "\n".join(f"  ecs-simulator {line}" for line in example.strip().splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(is_local=local)
    if not local:
        # Before the command or after it; given nowhere, what the command line's own parser says holds.
        command.add_argument("--admin", metavar="URL", default=argparse.SUPPRESS, help="admin API of the running simulator")
    if run is not None:
        command.set_defaults(run=lambda chosen, remote: show(run(chosen, remote)))
    return command


def add_group(commands: Commands, name: str, text: str, kinds: str) -> Commands:
    """Add a command that only has commands below it: ``kinds`` names them."""
    group = commands.add_parser(name, help=f"{text}: {kinds}", description=f"{text[0].upper()}{text[1:]}.")
    return group.add_subparsers(title="what to do", metavar=kinds.replace(", ", "|").replace(" or ", "|"), required=True)


def given(**values: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """Return what was given of some arguments."""
    return {name: value for name, value in values.items() if value is not None}


def pairs(texts: list[str], *, option: str) -> dict[str, str]:
    """Read NAME=VALUE arguments."""
    for text in texts:
        if "=" not in text:
            raise RemoteError(f"{option} {text}: must be of the form NAME=VALUE", 2)
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


def plain(text: str) -> Any:  # noqa: ANN401 -- JSON
    """Read a value of a NAME=VALUE argument: a number, true, false, or else a text."""
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
