"""Free ports on the loopback interface."""

import random
import socket
from contextlib import ExitStack
from pathlib import Path

from ecs_lab.errors import LaboratoryError

_FIRST = 20_000
_FALLBACK_END = 32_768
_RANGE_FILE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def ephemeral_start(text: str) -> int:
    """The first port the kernel hands to outgoing connections, from the text of ip_local_port_range."""
    try:
        return int(text.split(maxsplit=1)[0])
    except (IndexError, ValueError):
        return _FALLBACK_END


def free_ports(count: int, *, rng: random.Random | None = None) -> tuple[int, ...]:
    """As many different ports nobody listens on at 127.0.0.1.

    They lie below the range of outgoing connections: a server that is killed and started again must find its port
    free, and a client that retries a dead port inside that range can end up connected to itself.
    """
    chooser = rng or random.SystemRandom()
    end = ephemeral_start(_RANGE_FILE.read_text()) if _RANGE_FILE.exists() else _FALLBACK_END
    candidates = range(_FIRST, end) if end - _FIRST >= 1_000 else range(_FIRST, 60_000)
    found: list[int] = []
    with ExitStack() as held:
        for port in chooser.sample(candidates, k=min(len(candidates), count * 50)):
            if len(found) == count:
                break
            listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    if len(found) < count:
        raise LaboratoryError(f"found {len(found)} of {count} free ports between {candidates.start} and {candidates.stop}")
    return tuple(found)
