"""The world as a whole: is it there, its time, its manners, starting over, going back."""

from __future__ import annotations

import argparse
from pathlib import Path

from ecs_simulator.cli.command import Commands, add_command, add_group, given, pairs, plain
from ecs_simulator.cli.remote import Answer, Remote, RemoteError


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    add_command(commands, "health", "tell whether it runs, its version and its API's URL", _health, example="health")
    add_command(commands, "state", "count everything, per project", lambda _, remote: remote.call("GET", "state"), example="state")
    _add_time(commands)
    behaviour = add_command(
        commands,
        "behaviour",
        "show or change what real endpoints do differently",
        _behaviour,
        more="Without arguments it shows every switch\nand its value; the README says what each means.",
        example="behaviour\nbehaviour clientToken=ignore listLag=5\nbehaviour maxMicroversion=2.26 serverIds=false",
    )
    behaviour.add_argument("switch", nargs="*", metavar="NAME=VALUE")
    reset = add_command(
        commands,
        "reset",
        "start over with a fresh world, from the seed it had",
        lambda _, remote: remote.call("POST", "reset", {}),
        example="reset --yes",
    )
    reset.add_argument("--yes", action="store_true", required=True, help="confirm: everything in the world is lost")
    _add_seed(commands)
    add_command(
        commands,
        "snapshot",
        "keep the world as it is now; the answer's id brings it back",
        lambda _, remote: remote.call("POST", "snapshot", {}),
        example="snapshot",
    )
    add_command(
        commands, "snapshots", "list the snapshots that are kept", lambda _, remote: remote.call("GET", "snapshots"), example="snapshots"
    )
    restore = add_command(
        commands,
        "restore",
        "go back to a snapshot; tokens and faults stay",
        lambda chosen, remote: remote.call("POST", "restore", {"id": chosen.id}),
        example="restore snapshot-1",
    )
    restore.add_argument("id", help="what `ecs-simulator snapshot` answered")


def _add_time(commands: Commands) -> None:
    clock = add_command(
        commands,
        "clock",
        "show or set the world's time",
        _clock,
        more="Time never goes back.",
        example="clock\nclock --mode frozen\nclock --advance 86400        a day later, tokens have run out\nclock --scale 60",
    )
    clock.add_argument("--mode", choices=("real", "scaled", "frozen"))
    clock.add_argument("--scale", type=float, metavar="N", help="how many times as fast as real time")
    clock.add_argument("--advance", type=float, metavar="SECONDS", help="jump ahead")
    clock.add_argument("--gateway-skew", type=float, metavar="SECONDS", help="how far the gateway's clock, which judges signatures, is off")
    durations = add_command(
        commands,
        "durations",
        "show or change how long transitions take, in seconds of the world",
        _durations,
        more="Without arguments it\nshows all of them. jitter is a share of each, from 0 to 1.",
        example="durations\ndurations create_server=30 delete_server=5 jitter=0.2",
    )
    durations.add_argument("duration", nargs="*", metavar="NAME=SECONDS")


def _add_seed(commands: Commands) -> None:
    kinds = add_group(commands, "seed", "the world to start with", "print or load")
    show = add_command(
        kinds,
        "print",
        "print the default seed, to be copied and changed",
        None,
        more="No simulator needs to run for that.",
        example="seed print > my-cloud.yaml\nserve --seed my-cloud.yaml",
        local=True,
    )
    show.set_defaults(run=_print_seed)
    load = add_command(kinds, "load", "start over with the world a file describes", _load_seed, example="seed load my-cloud.yaml --yes")
    load.add_argument("file", type=Path, metavar="FILE", help="a YAML file as `seed print` shows it")
    load.add_argument("--yes", action="store_true", required=True, help="confirm: everything in the world is lost")


def _health(_: argparse.Namespace, remote: Remote) -> Answer:
    return remote.call("GET", "health")


def _clock(chosen: argparse.Namespace, remote: Remote) -> Answer:
    body = given(mode=chosen.mode, scale=chosen.scale, advance=chosen.advance, gatewaySkew=chosen.gateway_skew)
    return remote.call("POST", "clock", body) if body else remote.call("GET", "clock")


def _durations(chosen: argparse.Namespace, remote: Remote) -> Answer:
    changes = {name: plain(value) for name, value in pairs(chosen.duration, option="durations").items()}
    return remote.call("POST", "durations", changes) if changes else remote.call("GET", "durations")


def _behaviour(chosen: argparse.Namespace, remote: Remote) -> Answer:
    changes = {
        name: value if name == "maxMicroversion" else plain(value) for name, value in pairs(chosen.switch, option="behaviour").items()
    }
    return remote.call("POST", "behaviour", changes) if changes else remote.call("GET", "behaviour")


def _print_seed(_: argparse.Namespace) -> int:
    from ecs_simulator.seed import default_seed_text  # noqa: PLC0415 -- only here

    print(default_seed_text(), end="")
    return 0


def _load_seed(chosen: argparse.Namespace, remote: Remote) -> Answer:
    from ecs_simulator.start import StartError, read_seed  # noqa: PLC0415 -- only here: it brings the whole world along

    try:
        return remote.call("POST", "seed", read_seed(chosen.file))
    except StartError as error:
        raise RemoteError(str(error), 2) from error
