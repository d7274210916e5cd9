"""``serve``, which runs the simulator, and ``env``, which points other tools at it."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import shlex
import signal
import sys
from pathlib import Path

from ecs_simulator.cli.remote import Commands, Remote


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    serve = commands.add_parser(
        "serve",
        help="run the simulator until it is told to end",
        description="Run the simulator. It prints one JSON line with its two URLs once it listens, and ends cleanly on SIGTERM and Ctrl-C.",
    )
    serve.add_argument("--host", default="127.0.0.1", help="address of the API port (default: %(default)s)")
    serve.add_argument("--port", type=_port, default=8774, help="the API port; 0 takes a free one (default: %(default)s)")
    serve.add_argument("--admin-host", default="127.0.0.1", help="address of the admin port; it knows no password (default: %(default)s)")
    serve.add_argument("--admin-port", type=_port, default=8775, help="the admin port; 0 takes a free one (default: %(default)s)")
    serve.add_argument(
        "--seed", type=Path, metavar="FILE", help="YAML file of projects, networks, images, flavors and quotas to start with"
    )
    serve.add_argument("--state", type=Path, metavar="FILE", help="keep the world in this file over restarts; it holds secrets")
    serve.add_argument("--time-scale", type=_scale, metavar="N", help="let the world's time run N times as fast as real time")
    serve.add_argument("--ready-file", type=Path, metavar="PATH", help="write the JSON line with the URLs to this file as well")
    serve.set_defaults(run=_serve)
    env = commands.add_parser(
        "env",
        help="print shell exports for an account of the running simulator",
        description='Print exports by the names that tools read. Use it as: eval "$(ecs-simulator env)"',
    )
    env.add_argument("--project", metavar="ID", help="id or name of the project (default: the first)")
    env.set_defaults(run=_env)


def _port(value: str) -> int:
    number = int(value)
    if not 0 <= number <= 65535:
        raise ValueError(value)
    return number


def _scale(value: str) -> float:
    number = float(value)
    if not 0 < number <= 1e6:
        raise ValueError(value)
    return number


def _serve(chosen: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    return asyncio.run(_run(chosen))


async def _run(chosen: argparse.Namespace) -> int:
    # Imported here, so that the other commands start without the server's modules.
    from ecs_simulator import statefile  # noqa: PLC0415
    from ecs_simulator.process import Address, serving  # noqa: PLC0415
    from ecs_simulator.start import StartError, prepare  # noqa: PLC0415

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    address = Address(host=chosen.host, port=chosen.port, admin_host=chosen.admin_host, admin_port=chosen.admin_port)
    try:
        simulator = prepare(seed=chosen.seed, state=chosen.state, time_scale=chosen.time_scale)
        async with serving(simulator, address, state=chosen.state) as running:
            line = json.dumps({"api": running.url, "admin": running.admin_url})
            if chosen.ready_file is not None:
                statefile.write_atomically(chosen.ready_file, line + "\n", mode=0o644)
            print(line, flush=True)
            await stop.wait()
    except StartError as error:
        print(f"ecs-simulator: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"ecs-simulator: cannot listen or write: {error}", file=sys.stderr)
        return 2
    return 0


def _env(chosen: argparse.Namespace, remote: Remote) -> int:
    answer = remote.call("GET", "accounts", query={"project": chosen.project})
    account = answer["accounts"][0]
    for name, value in {
        "OS_AUTH_TYPE": "password",
        "OS_IDENTITY_API_VERSION": "3",
        "OS_AUTH_URL": f"{answer['api']}/v3",
        "OS_USERNAME": account["username"],
        "OS_PASSWORD": account["password"],
        "OS_USER_DOMAIN_NAME": account["domainName"],
        "OS_PROJECT_DOMAIN_NAME": account["domainName"],
        "OS_PROJECT_NAME": account["projectName"],
        "OS_PROJECT_ID": account["projectId"],
        "OS_REGION_NAME": account["region"],
        "HUAWEICLOUD_SDK_AK": account["accessKey"],
        "HUAWEICLOUD_SDK_SK": account["secretKey"],
    }.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0
