"""``ecs-simulator serve``: the process around a simulator. Imported only for it."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys
from contextlib import nullcontext

from ecs_simulator import statefile
from ecs_simulator.cli.local import ready_line
from ecs_simulator.process import Address, serving
from ecs_simulator.start import StartError, prepare

# Answers are made of many dicts that live shortly, in a world of many that stay. By the usual thresholds it would be looked through
# every few lists.
_COLLECT_AFTER = (50_000, 20, 20)


def serve(chosen: argparse.Namespace) -> int:
    """Run until told to end, and return the exit status."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    try:
        return asyncio.run(_run(chosen))
    except (StartError, statefile.StateError) as error:
        print(f"ecs-simulator: {error}", file=sys.stderr)
    except OSError as error:
        where = f"{error.filename}: " if error.filename is not None else ""
        print(f"ecs-simulator: {where}{error.strerror or error}", file=sys.stderr)
    return 2


async def _run(chosen: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    address = Address(host=chosen.host, port=chosen.port, admin_host=chosen.admin_host, admin_port=chosen.admin_port)
    with statefile.claimed(chosen.state) if chosen.state is not None else nullcontext() as claim:
        # What a world is made of stays: looking through it for garbage takes longer than making it.
        gc.disable()
        simulator = prepare(seed=chosen.seed, state=chosen.state, time_scale=chosen.time_scale)
        gc.freeze()
        gc.set_threshold(*_COLLECT_AFTER)
        gc.enable()
        async with serving(simulator, address, state=claim) as running:
            line = ready_line(running.url, running.admin_url)
            if chosen.ready_file is not None:
                statefile.write_atomically(chosen.ready_file, line + "\n", mode=0o644)
            print(line, flush=True)
            await stop.wait()
    return 0
