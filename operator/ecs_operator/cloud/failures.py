"""Turns everything that can go wrong with a call into a CloudError: answers of every error shape, and no answer at all."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import httpx

from ecs_operator.cloud.breaker import Hold
from ecs_operator.cloud.codes import CodeEntry, lookup
from ecs_operator.cloud.errors import MESSAGE_LIMIT, CloudError, Failure, Meaning, Outcome
from ecs_operator.cloud.operation import Family, Operation

REQUEST_ID_HEADERS = ("x-request-id", "x-openstack-request-id", "x-compute-request-id")
RETRY_AFTER_LIMIT = 300.0
"""Seconds: a longer wish is cut down."""
CAUSE_LIMIT = 200
"""Characters of the failure that is named where a call is held back."""

_CODE = re.compile(r"^[A-Za-z]{2,8}\.[0-9]{3,5}$")
_NOT_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.ProxyError)
_NOVA_FAULTS: Mapping[str, Meaning] = {
    "badRequest": Meaning.INVALID,
    "unauthorized": Meaning.AUTH,
    "forbidden": Meaning.FORBIDDEN,
    "itemNotFound": Meaning.NOT_FOUND,
    "conflictingRequest": Meaning.CONFLICT,
    "overLimit": Meaning.THROTTLED,
    "tooManyRequests": Meaning.THROTTLED,
}
_OTHER_PROJECT = "doesn't match Context's project_id"
"""How Nova puts what the ECS calls answer with Ecs.0023: the token is for another project."""
_STATUSES: Mapping[int, Meaning] = {
    401: Meaning.AUTH,
    403: Meaning.FORBIDDEN,
    404: Meaning.NOT_FOUND,
    409: Meaning.CONFLICT,
    413: Meaning.INVALID,
    429: Meaning.THROTTLED,
}
"""Statuses that refuse by themselves, whatever the body says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call on its way. ``secrets`` are masked in whatever the cloud answers."""

    operation: Operation
    request_id: str
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as it came. ``headers`` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def cloud_request_id(self) -> str:
        """The cloud's id of the call, empty when it gave none."""
        found = next((self.headers[name] for name in REQUEST_ID_HEADERS if name in self.headers), "")
        return re.sub(r"[^A-Za-z0-9_.:-]", "", found)[:80]

    @property
    def date(self) -> datetime | None:
        """The cloud's clock."""
        return _http_date(self.headers.get("date", ""))


@dataclass(frozen=True, slots=True)
class _Trouble:
    """What an error body says. ``codes``: the most specific first. ``fault`` is the name of a Nova fault."""

    codes: tuple[str, ...]
    message: str
    fault: str = ""


def refusal(call: Call, answer: RawAnswer, *, now: datetime) -> CloudError | None:
    """The error an answer stands for, None when it is a success. The body of a 2xx is read too: flow control comes as 202."""
    body, is_json = _parse(answer.content)
    succeeded = 200 <= answer.status < 300 or (answer.status == 300 and call.operation.family is Family.ROOT)
    trouble = _success_in_name_only(body) if succeeded else _trouble(body)
    if succeeded and trouble is None:
        return None
    trouble = trouble or _Trouble((), "")
    known = tuple(entry for entry in map(lookup, trouble.codes) if entry)
    retry_after = _retry_after(answer.headers.get("retry-after", ""), now=now)
    outcome, meaning = _verdict(call.operation, answer.status, trouble, known, speaks_api=is_json, retry_after=retry_after)
    text = trouble.message or (known[0].text if known else _unreadable(answer, is_json=is_json))
    return CloudError(
        Failure(
            operation=call.operation.name,
            method=call.operation.method,
            outcome=outcome,
            meaning=meaning,
            message=_clean(text, call.secrets),
            status=answer.status,
            code=_clean(trouble.codes[0], call.secrets)[:40] if trouble.codes else None,
            request_id=call.request_id,
            cloud_request_id=answer.cloud_request_id,
            retry_after=retry_after,
            cloud_time=answer.date,
        )
    )


def lost(call: Call, error: httpx.HTTPError | httpx.InvalidURL | TimeoutError, *, url: httpx.URL) -> CloudError:
    """The error for a call without an answer. Only what failed before the first byte left counts as not sent."""
    place = _place(url)
    outcome = Outcome.NOT_SENT if isinstance(error, _NOT_LEFT) else Outcome.UNKNOWN
    name = type(error).__name__
    detail = "" if isinstance(error, TimeoutError) else _clean(str(error), call.secrets)
    is_late = isinstance(error, TimeoutError | httpx.TimeoutException)
    text = f"no answer in time from {place}" if is_late else f"the connection to {place} failed"
    return failed(
        call, outcome=outcome, meaning=Meaning.UNREACHABLE, message=f"{text} ({name}: {detail})" if detail else f"{text} ({name})"
    )


def held_back(call: Call, hold: Hold, *, url: httpx.URL) -> CloudError:
    """The error for a call that does not leave, because the endpoint did not answer the last ones. It tells when the next one may."""
    text = f"{_place(url)} failed {hold.failures} times in a row, the last time with: {hold.cause[:CAUSE_LIMIT]}"
    return CloudError(
        Failure(
            operation=call.operation.name,
            method=call.operation.method,
            outcome=Outcome.NOT_SENT,
            meaning=Meaning.UNREACHABLE,
            message=f"{text}; the next try is at {hold.until.strftime('%H:%M:%S')} UTC",
            retry_after=hold.seconds,
        )
    )


def failed(call: Call, *, outcome: Outcome, meaning: Meaning, message: str, answer: RawAnswer | None = None) -> CloudError:
    """An error of our own finding, e.g. an answer that cannot be read."""
    return CloudError(
        Failure(
            operation=call.operation.name,
            method=call.operation.method,
            outcome=outcome,
            meaning=meaning,
            message=message[:MESSAGE_LIMIT],
            status=answer.status if answer else None,
            request_id=call.request_id,
            cloud_request_id=answer.cloud_request_id if answer else "",
        )
    )


def _place(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode()}"


def _verdict(
    operation: Operation,
    status: int,
    trouble: _Trouble,
    known: tuple[CodeEntry, ...],
    *,
    speaks_api: bool,
    retry_after: float | None,
) -> tuple[Outcome, Meaning]:
    """The status is not a verdict in this API: a code that proves nothing outweighs it, a code that refuses makes a 400 one."""
    meaning = known[0].meaning if known else _meaning(operation, status, trouble, speaks_api=speaks_api, retry_after=retry_after)
    if any(not entry.is_definite for entry in known):
        return Outcome.UNKNOWN, meaning
    if status in _STATUSES:
        return Outcome.REFUSED, meaning
    if known and (status == 400 or (200 <= status < 300 and meaning is Meaning.THROTTLED) or (status == 501 and meaning is Meaning.BUSY)):
        return Outcome.REFUSED, meaning
    if status == 400 and (operation.family is Family.IAM or (operation.family is Family.NOVA and trouble.fault in _NOVA_FAULTS)):
        return Outcome.REFUSED, meaning
    return Outcome.UNKNOWN, meaning


def _meaning(operation: Operation, status: int, trouble: _Trouble, *, speaks_api: bool, retry_after: float | None) -> Meaning:
    """What a failure without a listed code means."""
    if status == 404 and not _is_about_the_resource(trouble, speaks_api=speaks_api):
        return Meaning.UNREACHABLE
    if status == 403 and "quota" in trouble.message.lower():
        return Meaning.QUOTA
    if status == 413 and retry_after is not None:
        return Meaning.THROTTLED
    if status in _STATUSES:
        return _STATUSES[status]
    if trouble.fault == "badRequest" and _OTHER_PROJECT in trouble.message:
        return Meaning.AUTH
    if trouble.fault in _NOVA_FAULTS and operation.family is Family.NOVA:
        return _NOVA_FAULTS[trouble.fault]
    if status in {400, 405, 406, 415, 422}:
        return Meaning.INVALID
    if 300 <= status < 400 or status in {408, 502, 503, 504}:
        return Meaning.UNREACHABLE
    return Meaning.INTERNAL


def _is_about_the_resource(trouble: _Trouble, *, speaks_api: bool) -> bool:
    """Whether a 404 comes from the API, and not from a gateway that knows no such path: only then is something absent."""
    return speaks_api and not any(code.upper().startswith("APIG") for code in trouble.codes)


def _trouble(body: object) -> _Trouble | None:
    """Read an error of any documented shape."""
    if not isinstance(body, Mapping):
        return None
    error = body.get("error")
    if isinstance(error, Mapping):
        details = error.get("details")
        specific = [detail for detail in details if isinstance(detail, Mapping)] if isinstance(details, list) else []
        pairs = [_pair(detail, "code", "message") for detail in specific]
        outer = _pair(error, "code", "message")
        pairs += [*_internal_errors(body), outer]
        return _from_pairs(pairs, prefer=outer[1] or next((message for _, message in pairs if message), ""))
    if isinstance(body.get("internalError"), list):
        return _from_pairs([*_internal_errors(body)])
    if "error_code" in body or "error_msg" in body:
        return _from_pairs([_pair(body, "error_code", "error_msg")])
    for fault, content in body.items():
        if isinstance(content, Mapping) and "message" in content and len(body) == 1:
            code, message = _pair(content, "code", "message")
            return _Trouble((code,) if code and lookup(code) else (), message, fault=str(fault))
    if isinstance(body.get("code"), str | int) or isinstance(body.get("message"), str):
        return _from_pairs([_pair(body, "code", "message")])
    return None


def _success_in_name_only(body: object) -> _Trouble | None:
    """An error in the body of a 2xx. A job's own ``error_code`` is none: there it describes the job, not the call."""
    if not isinstance(body, Mapping):
        return None
    if isinstance(body.get("error"), Mapping) or isinstance(body.get("internalError"), list):
        return _trouble(body)
    if isinstance(body.get("error_code"), str) and "error_msg" in body:
        return _trouble(body)
    code = body.get("code")
    # 6.15.4 says "201 Created" in its body.
    if isinstance(code, str) and not code.startswith("20") and "message" in body and not body.keys() & {"job_id", "status", "id"}:
        return _trouble(body)
    return None


def _internal_errors(body: Mapping[object, object]) -> Iterator[tuple[str, str]]:
    errors = body.get("internalError")
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, Mapping):
            yield _pair(error, "error_code", "error_message")


def _pair(mapping: Mapping[object, object], code_key: str, message_key: str) -> tuple[str, str]:
    """Code and message; one example of the reference has them swapped."""
    code, message = mapping.get(code_key), mapping.get(message_key)
    code = "" if code is None else str(code)
    message = message if isinstance(message, str) else ""
    return (message, code) if _CODE.match(message) and not _CODE.match(code) else (code, message)


def _from_pairs(pairs: list[tuple[str, str]], *, prefer: str = "") -> _Trouble:
    """Listed codes come first, so that a foreign detail does not hide what the general code says."""
    codes = dict.fromkeys(code for code, _ in pairs if code)
    ordered = sorted(codes, key=lambda code: lookup(code) is None)
    return _Trouble(tuple(ordered), prefer or next((message for _, message in pairs if message), ""))


def _parse(content: bytes) -> tuple[object, bool]:
    if not content.strip():
        return None, False
    try:
        return json.loads(content), True
    except (ValueError, RecursionError):
        return None, False


def _unreadable(answer: RawAnswer, *, is_json: bool) -> str:
    if not answer.content.strip():
        return "an answer without a body"
    return "an answer without an error text" if is_json else "an answer that is not JSON, probably from a gateway"


def _clean(text: str, secrets: tuple[str, ...]) -> str:
    """One printable line without secrets, in plain or encoded form."""
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe="")):
            if len(form) >= 4:
                text = text.replace(form, "***")
    line = " ".join(text.split())
    return "".join(character if character.isprintable() else "?" for character in line)[:MESSAGE_LIMIT]


def _retry_after(value: str, *, now: datetime) -> float | None:
    """Seconds, from a number or a date; bounded."""
    moment = _http_date(value)
    if value.strip().isdigit():
        seconds = float(value)
    elif moment:
        seconds = (moment - now).total_seconds()
    else:
        return None
    return min(max(seconds, 0.0), RETRY_AFTER_LIMIT)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
