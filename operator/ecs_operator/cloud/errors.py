"""The one error of the client: what failed, what is known of the outcome, and what the refusal means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

MESSAGE_LIMIT = 400
"""Characters of the cloud's own text that are kept."""


class Outcome(StrEnum):
    """What is known of a call that did not succeed."""

    NOT_SENT = "NotSent"
    """It never left: repeat at will."""
    REFUSED = "Refused"
    """The cloud said no, and did nothing: act on the meaning."""
    UNKNOWN = "Unknown"
    """It may have been carried out. Reads may be repeated; a write must be found out first."""


class Meaning(StrEnum):
    """Why a call failed, as far as a caller acts on it."""

    QUOTA = "quota"
    CAPACITY = "capacity"
    CONFLICT = "conflict"
    """The resource's state does not allow it."""
    INVALID = "invalid"
    """The request itself must change."""
    AUTH = "auth"
    """The credentials are refused."""
    FORBIDDEN = "forbidden"
    """The credentials are good, their rights do not suffice."""
    FROZEN = "frozen"
    """The account or resource is frozen or restricted."""
    TRANSIENT = "transient"
    THROTTLED = "throttled"
    BUSY = "busy"
    """Another command runs on this server: again in a minute."""
    NOT_FOUND = "not_found"
    UNREACHABLE = "unreachable"
    """The endpoint does not answer, or only a gateway does."""
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The facts of one failed call. Texts are single lines without secrets."""

    operation: str
    """Lower-camel name of the operation, e.g. ``createServers``."""
    method: str
    outcome: Outcome
    meaning: Meaning
    message: str
    status: int | None = None
    code: str | None = None
    """The most specific code of the cloud, e.g. ``Ecs.0319``."""
    request_id: str = ""
    """Ours, sent with the call."""
    cloud_request_id: str = ""
    retry_after: float | None = None
    """Seconds the cloud asked to wait."""
    cloud_time: datetime | None = None
    """The cloud's clock when it answered."""


class CloudError(Exception):
    """A call that did not succeed. ``str()`` is one line, fit for a condition message."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure

    def __str__(self) -> str:
        failure = self.failure
        if failure.outcome is Outcome.NOT_SENT:
            head = f"{failure.operation} was not sent"
        elif failure.outcome is Outcome.REFUSED:
            head = f"{failure.operation} was refused"
        else:
            head = f"{failure.operation}: the outcome is unknown"
        cause = " ".join(part for part in (f"HTTP {failure.status}" if failure.status else "", failure.code or "") if part)
        text = f"{head} ({cause}): {failure.message}" if cause else f"{head}: {failure.message}"
        ids = [f"request {failure.request_id}"] if failure.request_id else []
        if failure.cloud_request_id and failure.cloud_request_id != failure.request_id:
            ids.append(f"cloud request {failure.cloud_request_id}")
        return f"{text} [{', '.join(ids)}]" if ids else text

    def changed(self, *, outcome: Outcome | None = None, operation: str | None = None) -> CloudError:
        """A new error of the same facts, seen from an outer call."""
        failure = self.failure
        return CloudError(replace(failure, outcome=outcome or failure.outcome, operation=operation or failure.operation))

    @property
    def operation(self) -> str:
        """Name of the operation that failed."""
        return self.failure.operation

    @property
    def method(self) -> str:
        """HTTP method."""
        return self.failure.method

    @property
    def status(self) -> int | None:
        """HTTP status, None when there was no answer."""
        return self.failure.status

    @property
    def code(self) -> str | None:
        """The cloud's most specific code."""
        return self.failure.code

    @property
    def message(self) -> str:
        """The cloud's text, or ours when it gave none."""
        return self.failure.message

    @property
    def request_id(self) -> str:
        """Our id of the call."""
        return self.failure.request_id

    @property
    def cloud_request_id(self) -> str:
        """The cloud's id of the call, empty when it gave none."""
        return self.failure.cloud_request_id

    @property
    def retry_after(self) -> float | None:
        """Seconds the cloud asked to wait."""
        return self.failure.retry_after

    @property
    def outcome(self) -> Outcome:
        """What is known of the call."""
        return self.failure.outcome

    @property
    def meaning(self) -> Meaning:
        """Why it failed."""
        return self.failure.meaning


def invalid(*, operation: str, field: str, problem: str) -> CloudError:
    """The error for a request that breaks a documented limit, found before anything was sent."""
    return CloudError(
        Failure(operation=operation, method="", outcome=Outcome.NOT_SENT, meaning=Meaning.INVALID, message=f"{field}: {problem}")
    )
