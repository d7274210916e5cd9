"""Sends single requests, judges their answers and reports each one to log and metrics."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from ecs_operator.cloud.breaker import Breaker, Hold, Sign, sign_of
from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.counters import CallCounters
from ecs_operator.cloud.errors import CloudError, Meaning, Outcome
from ecs_operator.cloud.failures import Call, RawAnswer, held_back, lost, refusal
from ecs_operator.cloud.operation import Family, Operation
from ecs_operator.cloud.transport import READ_SECONDS, HttpRequest, exchange

_LOG = logging.getLogger("ecs_operator.cloud")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One finished request, for metrics. ``outcome`` is None for a success; ``seconds`` is from sending to the whole answer."""

    operation: str
    method: str
    status: int | None
    code: str | None
    outcome: Outcome | None
    request_id: str
    cloud_request_id: str
    seconds: float


Observer = Callable[[CallRecord], None]


class Dispatcher:
    """The way out. Every request gets an id of ours and ends in a record, whatever becomes of it.

    Behind it are two endpoints, each with a breaker: while IAM is away, calls with a token that holds go on.
    """

    def __init__(self, http: httpx.AsyncClient, *, clock: Clock, rng: random.Random, observer: Observer | None = None) -> None:
        self._http = http
        self._clock = clock
        self._rng = rng
        self._observer = observer
        self.counters = CallCounters()
        self.breakers = {endpoint: Breaker(clock=clock) for endpoint in ("ecs", "iam")}

    def new_call(self, operation: Operation, *, secrets: tuple[str, ...] = ()) -> Call:
        """A call with a fresh request id."""
        return Call(operation=operation, request_id=f"req-{uuid.UUID(int=self._rng.getrandbits(128), version=4)}", secrets=secrets)

    def check(self, call: Call, *, url: httpx.URL) -> None:
        """Raises CloudError (not sent) when the call would be held back now, so that it need not wait for its turn first."""
        hold = self._breaker(call).hold()
        if hold is not None:
            raise self._held_back(call, hold, url)

    async def send(self, call: Call, request: HttpRequest, *, read_seconds: float = READ_SECONDS) -> RawAnswer:
        """The answer to a request that succeeded. Raises CloudError for every other end."""
        breaker = self._breaker(call)
        permit = breaker.enter()
        if isinstance(permit, Hold):
            raise self._held_back(call, permit, request.url)
        sign, cause = Sign.NONE, ""
        try:
            answer = await self._send(call, request, read_seconds=read_seconds)
        except CloudError as error:
            sign, cause = sign_of(error), f"HTTP {error.status}" if error.status else error.message
            raise
        else:
            sign = Sign.ALIVE
            return answer
        finally:
            breaker.ended(permit, sign, cause=cause)

    async def _send(self, call: Call, request: HttpRequest, *, read_seconds: float) -> RawAnswer:
        self.counters.sent += 1
        started = self._clock.monotonic()
        try:
            answer = await exchange(self._http, call, request, read_seconds=read_seconds)
        except CloudError as error:
            self._report(call, started, error=error)
            raise
        except asyncio.CancelledError:
            self._report(call, started, error=lost(call, TimeoutError(), url=request.url))
            raise
        refused = refusal(call, answer, now=self._clock.now())
        self._report(call, started, error=refused, answer=answer)
        if refused is not None:
            raise refused
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _breaker(self, call: Call) -> Breaker:
        return self.breakers["iam" if call.operation.family is Family.IAM else "ecs"]

    def _held_back(self, call: Call, hold: Hold, url: httpx.URL) -> CloudError:
        self.counters.held_back += 1
        return held_back(call, hold, url=url)

    def _report(self, call: Call, started: float, *, error: CloudError | None, answer: RawAnswer | None = None) -> None:
        record = CallRecord(
            operation=call.operation.name,
            method=call.operation.method,
            status=answer.status if answer else error.status if error else None,
            code=error.code if error else None,
            outcome=error.outcome if error else None,
            request_id=call.request_id,
            cloud_request_id=answer.cloud_request_id if answer else error.cloud_request_id if error else "",
            seconds=self._clock.monotonic() - started,
        )
        if error is None or error.meaning is Meaning.NOT_FOUND:
            level = logging.DEBUG if call.operation.reads else logging.INFO
        else:
            level = logging.WARNING
        _LOG.log(
            level,
            "%s %s: %s, status %s, code %s, %.3f s, request %s, cloud request %s",
            record.method,
            record.operation,
            record.outcome or "Succeeded",
            record.status,
            record.code,
            record.seconds,
            record.request_id,
            record.cloud_request_id or "-",
            extra={"cloud_request_id": record.cloud_request_id or None},
        )
        if self._observer:
            self._observer(record)
