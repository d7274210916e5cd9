"""``GET /_sim/events``: requests and ledger entries as they happen, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ecs_simulator.simulator import Simulator

LOOK_EVERY_SECONDS = 0.25
# Proxies close a stream that is silent for long.
COMMENT_EVERY_LOOKS = 60


def events(simulator: Simulator) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint; its streams end when the client leaves or the simulator closes."""

    async def stream() -> AsyncGenerator[str, None]:
        request_seq = simulator.log.total
        ledger_seq = simulator.world.ledger.last_seq
        silent = 0
        yield ": listening\n\n"
        while not simulator.closing:
            lines = [_event("request", entry.to_json()) for entry in simulator.log.select(since=request_seq)]
            request_seq = simulator.log.total
            # A reset starts the ledger's numbers again.
            ledger_seq = min(ledger_seq, simulator.world.ledger.last_seq)
            lines += [_event("ledger", entry) for entry in simulator.world.ledger.to_json() if entry["seq"] > ledger_seq]
            ledger_seq = simulator.world.ledger.last_seq
            silent = 0 if lines else silent + 1
            if silent >= COMMENT_EVERY_LOOKS:
                silent = 0
                lines.append(": still here\n\n")
            if lines:
                yield "".join(lines)
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def answer(_: Request) -> Response:
        return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    return answer


def _event(kind: str, data: object) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"
