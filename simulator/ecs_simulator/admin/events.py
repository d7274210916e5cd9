"""``GET /_sim/events``: requests and ledger entries as they happen, as server-sent events.

An event ``world`` says that the world was reset or restored, and after which ledger number it goes on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ecs_simulator.simulator import Simulator
from ecs_simulator.world.ledger import Ledger

LOOK_EVERY_SECONDS = 0.25
# Proxies close a stream that is silent for long.
COMMENT_EVERY_LOOKS = 60
# A reader that fell behind catches up in portions: nothing is queued for it, it reads on in the logs where it was.
PORTION = 500
# How long a browser waits before it connects anew, in milliseconds.
RETRY = 2000


@dataclass(slots=True)
class _Reader:
    """How far one stream has read in both logs."""

    simulator: Simulator
    request_seq: int = field(init=False)
    ledger: Ledger = field(init=False)
    ledger_seq: int = field(init=False)

    def __post_init__(self) -> None:
        self.request_seq = self.simulator.log.total
        self.ledger = self.simulator.world.ledger
        self.ledger_seq = self.ledger.last_seq

    def next(self) -> str:
        """Return the events since the last time, a portion of them at most."""
        simulator = self.simulator
        lines = []
        if self.ledger is not simulator.world.ledger:
            self.ledger, self.ledger_seq = simulator.world.ledger, simulator.entered_at
            lines.append(_event("world", {"ledger": self.ledger_seq}))
        requests = simulator.log.after(self.request_seq, limit=PORTION)
        if requests:
            self.request_seq = requests[-1].seq
        entries = self.ledger.to_json(since=self.ledger_seq, limit=PORTION)
        self.ledger_seq += len(entries)
        lines += [_event("request", entry.to_json()) for entry in requests]
        lines += [_event("ledger", entry) for entry in entries]
        return "".join(lines)


def events(simulator: Simulator) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint; its streams end when the client leaves or the simulator closes."""

    async def stream() -> AsyncGenerator[str, None]:
        reader = _Reader(simulator)
        silent = 0
        yield f": listening\nretry: {RETRY}\n\n"
        while not simulator.closing:
            text = reader.next()
            if text:
                silent = 0
                yield text
                continue
            silent += 1
            if silent >= COMMENT_EVERY_LOOKS:
                silent = 0
                yield ": still here\n\n"
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def answer(_: Request) -> Response:
        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    return answer


def _event(kind: str, data: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"
