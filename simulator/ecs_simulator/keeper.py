"""Keeping a state file up with the world, without making anybody wait for it.

Taking the world of ten thousand servers apart and writing it down takes more than a second. So it is done by a child: a fork has the
world as it was at that moment, and nobody else writes in it. The parent only pays for the fork, a few milliseconds.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from ecs_simulator import statefile
from ecs_simulator.simulator import Simulator
from ecs_simulator.statefile import Claim

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.5
# After a file that took long to write the core is left to the requests for so many times as long.
REST = 4.0
RETRY_SECONDS = 2.0
_CHILD_LOOK_SECONDS = 0.01


async def keep(simulator: Simulator, claim: Claim) -> None:
    """Write the world to its file soon after every change, until cancelled; what is being written then is written to its end."""
    written = -1
    while True:
        if simulator.changes == written:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            continue
        seen, begun = simulator.changes, time.monotonic()
        if await _write_aside(simulator, claim):
            written = seen
            await asyncio.sleep(max(LOOK_EVERY_SECONDS, REST * (time.monotonic() - begun)))
        else:
            # A full disk must not end the cloud.
            await asyncio.sleep(RETRY_SECONDS)


def write(simulator: Simulator, claim: Claim) -> bool:
    """Write the world to its file now; False, and a line in the log, if that fails."""
    try:
        statefile.save(claim.path, simulator.to_json())
    except Exception:
        logger.exception("%s could not be written", claim.path)
        return False
    return True


async def _write_aside(simulator: Simulator, claim: Claim) -> bool:
    if sys.platform == "win32":
        return write(simulator, claim)
    try:
        child = os.fork()
    except OSError:
        logger.exception("%s could not be written", claim.path)
        return False
    if child == 0:
        _be_the_child(simulator, claim)
    try:
        while (written := _outcome(child, os.WNOHANG)) is None:  # noqa: ASYNC110 -- a child sets no event
            await asyncio.sleep(_CHILD_LOOK_SECONDS)
    except asyncio.CancelledError:
        _outcome(child, 0)
        raise
    return written


def _outcome(child: int, options: int) -> bool | None:
    """Tell whether the child has written the file, None while it is at it."""
    ended, status = os.waitpid(child, options)
    return status == 0 if ended else None


def _be_the_child(simulator: Simulator, claim: Claim) -> NoReturn:
    """Write and end. Nothing of the parent's may be touched: no socket, no signal handler, no exit handler."""
    status = 1
    try:
        # A Ctrl-C goes to the parent too, which waits for this child and then writes the last state itself.
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        gc.disable()
        _let_go_of_everything_but(claim.handle)
        status = 0 if write(simulator, claim) else 1
    finally:
        os._exit(status)


def _let_go_of_everything_but(lock: int) -> None:
    """Close the parent's sockets, or a connection it closes would stay open here. The lock stays as long as this child writes."""
    for entry in list(Path("/dev/fd").iterdir()):
        if int(entry.name) > 2 and int(entry.name) != lock:
            # The descriptor of the listing itself is closed already.
            with suppress(OSError):
                os.close(int(entry.name))
