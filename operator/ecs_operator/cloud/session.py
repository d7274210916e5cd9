"""One call from its operation to its answer: budget, proof of identity, microversion, deadline, retries of reads."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, ValidationError

from ecs_operator.cloud.authentication import Authentication
from ecs_operator.cloud.breaker import BreakerState
from ecs_operator.cloud.budget import Budget, BudgetExhaustedError
from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.counters import CallCounters
from ecs_operator.cloud.dispatch import Dispatcher
from ecs_operator.cloud.errors import CloudError, Meaning, Outcome, invalid
from ecs_operator.cloud.failures import Call, RawAnswer, failed, lost
from ecs_operator.cloud.microversions import Microversions
from ecs_operator.cloud.operation import Family, Kind, Operation
from ecs_operator.cloud.transport import READ_SECONDS, HttpRequest

CALL_SECONDS = 30.0
CREATE_SECONDS = 60.0
TRIES = 3
_BACKOFF_SECONDS = 0.5
_LONGEST_BACKOFF = 5.0
_LEAST_PART_FOR_A_WRITE = 1 / 3
"""A write is not sent when less of its time is left: it would hardly be answered, and its outcome be unknown."""
_RETRIED = frozenset({Meaning.UNREACHABLE, Meaning.TRANSIENT, Meaning.INTERNAL, Meaning.THROTTLED, Meaning.BUSY})
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the project is. ``project_id`` may be empty until it is looked up."""

    endpoint: str
    iam_endpoint: str
    project_id: str = ""


@dataclass(frozen=True, slots=True)
class CloudAnswer:
    """A successful answer."""

    call: Call
    raw: RawAnswer = field(repr=False)

    def read(self, model: type[_Model]) -> _Model:
        """The body as a model. Raises CloudError (unknown) when it is not what the reference promises."""
        try:
            return model.model_validate_json(self.raw.content)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(map(str, first["loc"])) or "body"
            problem = f"an answer that cannot be read: {place}: {first['msg']}"
            raise failed(self.call, outcome=Outcome.UNKNOWN, meaning=Meaning.INTERNAL, message=problem, answer=self.raw) from None


@dataclass(slots=True)
class _Attempt:
    """A call with all its parts, and whether anything of it was sent yet."""

    call: Call
    url: httpx.URL
    content: bytes
    headers: Mapping[str, str]
    seconds: float
    ends_at: float
    was_sent: bool = False


class Session:
    """The calls of one project."""

    def __init__(
        self,
        place: Place,
        *,
        dispatcher: Dispatcher,
        authentication: Authentication,
        budget: Budget,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self.place = place
        self.microversions = Microversions(self)
        self._dispatcher = dispatcher
        self._authentication = authentication
        self._budget = budget
        self._clock = clock
        self._rng = rng

    async def call(
        self,
        operation: Operation,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        secrets: tuple[str, ...] = (),
    ) -> CloudAnswer:
        """Make a call within ``deadline`` seconds, waiting for the budget, tokens and retries included. Raises CloudError.

        The default is 60 s for a create and 30 s for the rest. A write is sent once, never again.
        """
        seconds = deadline or (CREATE_SECONDS if operation.kind is Kind.CREATE else CALL_SECONDS)
        attempt = _Attempt(
            call=self._dispatcher.new_call(operation, secrets=secrets),
            url=self._url(operation, path or {}, query or {}),
            content=_encode(body),
            headers=headers or {},
            seconds=seconds,
            ends_at=self._clock.monotonic() + seconds,
        )
        try:
            async with asyncio.timeout(seconds):
                return await self._try(attempt)
        except TimeoutError as error:
            if attempt.was_sent:
                raise lost(attempt.call, error, url=attempt.url) from None
            message = f"could not be sent within {seconds:.0f} s"
            raise failed(attempt.call, outcome=Outcome.NOT_SENT, meaning=Meaning.UNREACHABLE, message=message) from None

    async def user_id(self) -> str | None:
        """Id of the user whose credentials these are; None with an access key. Raises CloudError."""
        return await self._authentication.user_id()

    @property
    def counters(self) -> CallCounters:
        """What became of the calls so far."""
        return self._dispatcher.counters

    def breakers(self) -> Mapping[str, BreakerState]:
        """Whether calls leave, by endpoint: ``ecs`` and ``iam``."""
        return {endpoint: breaker.state for endpoint, breaker in self._dispatcher.breakers.items()}

    async def close(self) -> None:
        """Close the connections."""
        self._budget.close()
        await self._dispatcher.close()

    async def _try(self, attempt: _Attempt) -> CloudAnswer:
        """Up to three tries of a read, one of a write; one more of a read with a renewed proof of identity."""
        self._budget.earn_retry()
        operation = attempt.call.operation
        chances = TRIES if operation.reads else 1
        tried, renewed = 0, False
        while True:
            tried += 1
            try:
                return await self._once(attempt)
            except _ProofRefusedError as refused:
                if renewed or not refused.is_renewed or not operation.reads:
                    raise refused.error from None
                renewed = True
                chances += 1
            except CloudError as error:
                if tried >= chances or error.meaning not in _RETRIED or _is_known_to_be_in_vain(error):
                    raise
                if not self._budget.may_retry():
                    self.counters.retries_denied += 1
                    raise
                self.counters.retries += 1
                await asyncio.sleep(self._rng.uniform(0.0, min(_BACKOFF_SECONDS * 2**tried, _LONGEST_BACKOFF)))
            attempt.call = self._dispatcher.new_call(operation, secrets=attempt.call.secrets)

    async def _once(self, attempt: _Attempt) -> CloudAnswer:
        operation = attempt.call.operation
        self._dispatcher.check(attempt.call, url=attempt.url)
        try:
            versions = await self.microversions.headers(operation)
        except CloudError as error:
            raise error.changed(outcome=Outcome.NOT_SENT) from None
        try:
            async with self._budget.slot(kind=operation.kind, lane=operation.lane, within=attempt.seconds / 2):
                return await self._exchange(attempt, versions)
        except BudgetExhaustedError as exhausted:
            raise failed(attempt.call, outcome=Outcome.NOT_SENT, meaning=Meaning.THROTTLED, message=str(exhausted)) from None

    async def _exchange(self, attempt: _Attempt, versions: Mapping[str, str]) -> CloudAnswer:
        call, operation = attempt.call, attempt.call.operation
        covered = {"Content-Type": "application/json"} if attempt.content else {}
        proof = await self._authentication.prove(
            method=operation.method,
            url=str(attempt.url),
            headers=covered,
            body=attempt.content,
            project_id=self.place.project_id,
        )
        if not operation.reads and attempt.ends_at - self._clock.monotonic() < attempt.seconds * _LEAST_PART_FOR_A_WRITE:
            message = "too little time was left when its turn came"
            raise failed(call, outcome=Outcome.NOT_SENT, meaning=Meaning.THROTTLED, message=message)
        ids = {"X-Request-Id": call.request_id, "X-OpenStack-Request-ID": call.request_id}
        request = HttpRequest(
            url=attempt.url, headers={**covered, **versions, **attempt.headers, **ids, **proof.headers}, content=attempt.content
        )
        call = Call(operation=operation, request_id=call.request_id, secrets=(*call.secrets, *proof.secrets))
        attempt.was_sent = True
        read_seconds = attempt.seconds if operation.kind is Kind.CREATE else READ_SECONDS
        try:
            return CloudAnswer(call, await self._dispatcher.send(call, request, read_seconds=read_seconds))
        except CloudError as error:
            if error.meaning is Meaning.THROTTLED:
                self._budget.throttled(operation.kind, error.retry_after)
            if error.status == 406:
                self.microversions.forget()
            if error.meaning is Meaning.AUTH:
                is_renewed = self._authentication.refused(proof, date=error.failure.cloud_time)
                raise _ProofRefusedError(error, is_renewed=is_renewed) from None
            raise

    def _url(self, operation: Operation, path: Mapping[str, str], query: Mapping[str, str]) -> httpx.URL:
        start = self.place.iam_endpoint if operation.family is Family.IAM else self.place.endpoint
        if not start:
            raise invalid(operation=operation.name, field="endpoints.iam", problem="is needed for this call")
        address = start.rstrip("/") + operation.url_path({"project_id": self.place.project_id, **path})
        return httpx.URL(f"{address}?{urlencode(sorted(query.items()))}" if query else address)


class _ProofRefusedError(Exception):
    """The credentials were refused. ``is_renewed``: another try would carry another proof."""

    def __init__(self, error: CloudError, *, is_renewed: bool) -> None:
        super().__init__(error)
        self.error = error
        self.is_renewed = is_renewed


def _is_known_to_be_in_vain(error: CloudError) -> bool:
    """It did not even leave, and it is known for how long none will: a try before that is none."""
    return error.outcome is Outcome.NOT_SENT and error.retry_after is not None


def _encode(body: Mapping[str, object] | bytes | None) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
