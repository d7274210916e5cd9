"""The command `ecs-lab`."""

import argparse
import asyncio
import shlex
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from ecs_lab.binaries import find_binaries
from ecs_lab.demo import apply_examples, examples_folder, play_on, standings, until_closed, wait_ready
from ecs_lab.errors import LaboratoryError
from ecs_lab.laboratory import Laboratory, laboratory
from ecs_lab.progress import Reporter
from ecs_lab.repository import made
from ecs_lab.supervisor import Desk, State, ask, desk, held, is_running
from ecs_lab.waiting import until

_DEFAULT = Path(".lab")
_DOWN_SECONDS = 60.0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="ecs-lab", description="Control plane, simulated cloud and operator on this machine.")
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument(
        "--dir",
        type=Path,
        default=argparse.SUPPRESS,
        help="the laboratory's directory (default: .lab; for demo, and while only a demo runs: .lab/demo)",
    )
    top.add_argument("--dir", type=Path, default=None, help=argparse.SUPPRESS)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    up = commands.add_parser("up", parents=[where], help="start a laboratory and stay until Ctrl-C or `ecs-lab down`")
    up.add_argument("--no-operator", action="store_true", help="leave the operator to `ecs-lab operator start`")
    up.add_argument("--detach", action="store_true", help="start it in the background and return")
    up.add_argument("--time-scale", type=float, help="how many times faster the simulated cloud's clock runs")

    demo = commands.add_parser(
        "demo", parents=[where], help="start everything afresh with the example manifests, and see them become Ready"
    )
    demo.add_argument("--stay", action=argparse.BooleanOptionalAction, default=None, help="stay until Ctrl-C (default: on a terminal)")
    demo.add_argument("--timeout", type=float, default=300.0, help="seconds until every example must be Ready")
    demo.add_argument("--time-scale", type=float, help="how many times faster the simulated cloud's clock runs")

    commands.add_parser("status", parents=[where], help="what runs")
    commands.add_parser("env", parents=[where], help='shell exports: eval "$(ecs-lab env)"')
    operator = commands.add_parser("operator", parents=[where], help="kill, start or restart the operator, or show its log")
    operator.add_argument("what", choices=["kill", "start", "restart", "logs"])
    operator.add_argument("--follow", "-f", action="store_true", help="with logs: go on")
    commands.add_parser("down", parents=[where], help="stop the laboratory")
    commands.add_parser("build", help="build the control plane's programs, unless they are in the cache; prints their folder")
    return top


async def _up(options: argparse.Namespace, console: Console) -> int:
    directory = options.dir.resolve()
    reporter = Reporter(console)
    async with AsyncExitStack() as stack:
        stack.enter_context(held(directory))
        with reporter.shown():
            with_operator = not options.no_operator
            starting = laboratory(directory=directory, with_operator=with_operator, time_scale=options.time_scale, on_progress=reporter)
            lab = await stack.enter_async_context(starting)
            clerk = await stack.enter_async_context(desk(lab))
        _say(
            console,
            f'The laboratory runs. In another terminal: eval "$(ecs-lab env --dir {directory})"; it ends with Ctrl-C or `ecs-lab down`.',
        )
        await _stay(lab, clerk, console)
    return 0


async def _demo(options: argparse.Namespace, console: Console) -> int:
    directory = options.dir.resolve()
    reporter = Reporter(console)
    examples_folder()
    async with AsyncExitStack() as stack:
        stack.enter_context(held(directory, afresh=True))
        with reporter.shown():
            lab = await stack.enter_async_context(laboratory(directory=directory, time_scale=options.time_scale, on_progress=reporter))
            clerk = await stack.enter_async_context(desk(lab))
            await apply_examples(lab, on_progress=reporter)
            not_ready = await wait_ready(lab, seconds=options.timeout, on_progress=reporter)
        _say(console, "\n$ kubectl get ecs -A\n" + await lab.cp.kubectl("get", "ecs", "--all-namespaces"))
        if not_ready:
            _say(console, f"Not Ready after {options.timeout:g} s:\n" + "\n".join(f"  {one}" for one in not_ready))
        if options.stay if options.stay is not None else sys.stdout.isatty():
            _say(console, play_on(options.dir, seen=await standings(lab)))
            _say(console, "It stays up until Ctrl-C.")
            await _stay(lab, clerk, console)
    return 1 if not_ready else 0


async def _stay(lab: Laboratory, clerk: Desk, console: Console) -> None:
    """Until Ctrl-C, SIGTERM or `ecs-lab down`."""
    with suppress(asyncio.CancelledError):
        await until_closed(lab, clerk)
    _say(console, "Stopping.")


def _detach(options: argparse.Namespace, console: Console) -> int:
    """Start `ecs-lab up` in a session of its own and show its progress until it runs."""
    directory = made(options.dir)
    if is_running(directory):
        raise LaboratoryError(f"a laboratory runs in {directory} already")
    (directory / "lab.json").unlink(missing_ok=True)
    log = directory / "lab.log"
    command = [sys.executable, "-m", "ecs_lab.cli", "up", "--dir", str(directory), *(["--no-operator"] if options.no_operator else [])]
    command += ["--time-scale", str(options.time_scale)] if options.time_scale is not None else []
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    reporter = Reporter(console)
    shown = 0
    with reporter.shown():
        while not (directory / "lab.json").exists():
            lines = log.read_text(errors="replace").splitlines()
            for line in lines[shown:]:
                reporter(line.removeprefix("... "))
            shown = len(lines)
            if child.poll() is not None:
                raise LaboratoryError(f"it did not start; {log} says:\n{log.read_text(errors='replace')}")
            time.sleep(0.1)
    _say(console, f'The laboratory runs, as process {child.pid}. Use it: eval "$(ecs-lab env --dir {directory})"')
    # It outlives this command: nobody waits for it here.
    child.returncode = 0
    return 0


async def _down(options: argparse.Namespace, console: Console) -> int:
    directory = options.dir.resolve()
    await ask(directory, "down")

    async def ended() -> bool:
        return not is_running(directory)

    await until(ended, seconds=_DOWN_SECONDS, every=0.2, what=f"the laboratory in {directory} does not end")
    _say(console, "Stopped.")
    return 0


async def _status(options: argparse.Namespace, console: Console) -> int:
    directory = options.dir.resolve()
    answer = await ask(directory, "status")
    table = Table("process", "state", "pid", "memory", Column("log", overflow="fold"), title=f"laboratory in {directory}")
    for row in answer["processes"]:
        table.add_row(row["name"], "running" if row["alive"] else "stopped", str(row["pid"] or ""), row.get("note", ""), row["log"])
    console.print(table)
    return 0 if all(row["alive"] for row in answer["processes"]) else 1


def _env(options: argparse.Namespace) -> int:
    state = State.read(options.dir.resolve())
    exports = {
        "KUBECONFIG": state.kubeconfig,
        "ECS_SIMULATOR_URL": state.simulator_url,
        "ECS_SIMULATOR_ADMIN_URL": state.simulator_admin_url,
    }
    print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in exports.items()))
    print(f'export PATH={shlex.quote(sysconfig.get_path("scripts"))}:{shlex.quote(state.programs)}:"$PATH"')
    return 0


async def _operator(options: argparse.Namespace, console: Console) -> int:
    directory = options.dir.resolve()
    if options.what == "logs":
        return _logs(Path(State.read(directory).operator_log), follow=lambda: options.follow and is_running(directory))
    await ask(directory, f"operator {options.what}")
    _say(console, f"operator {options.what}: done")
    return 0


def _logs(path: Path, *, follow: Callable[[], bool]) -> int:
    """Print a log and, as long as `follow` says so, what is added to it."""
    with path.open(errors="replace") as log:
        while True:
            sys.stdout.write(log.read())
            sys.stdout.flush()
            if not follow():
                return 0
            time.sleep(0.3)


async def _build(console: Console) -> int:
    reporter = Reporter(Console(stderr=True))
    with reporter.shown():
        found = await find_binaries(on_progress=reporter)
    _say(console, str(found.folder))
    return 0


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _run(task: Coroutine[None, None, int]) -> int:
    """Run to the end; SIGTERM and a closed terminal end it like Ctrl-C, in order."""

    async def with_signals() -> int:
        this = asyncio.current_task()
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, this.cancel if this else sys.exit)
        return await task

    try:
        return asyncio.run(with_signals())
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130


def _directory(command: str) -> Path:
    """Where the laboratory is when nobody says so: a demo that runs alone is meant by every command that asks for one that runs."""
    demo = _DEFAULT / "demo"
    is_meant = command == "demo" or (command != "up" and not is_running(_DEFAULT) and is_running(demo))
    return demo if is_meant else _DEFAULT


def run(options: argparse.Namespace, console: Console) -> int:
    """Carry out a command line that was read; raises LaboratoryError."""
    if options.dir is None:
        options.dir = _directory(options.command)
    match options.command:
        case "up" if options.detach:
            return _detach(options, console)
        case "up":
            return _run(_up(options, console))
        case "demo":
            return _run(_demo(options, console))
        case "status":
            return _run(_status(options, console))
        case "env":
            return _env(options)
        case "operator":
            return _run(_operator(options, console))
        case "down":
            return _run(_down(options, console))
        case _:
            return _run(_build(console))


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point: exit code 0, 1 with a reason on standard error, 130 when interrupted before it ran."""
    options = parser().parse_args(arguments)
    try:
        return run(options, Console())
    except LaboratoryError as error:
        print(f"ecs-lab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
