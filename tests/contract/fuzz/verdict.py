"""What every answer must be, whatever was asked: written from the reference (4.3, 5.1.1, 5.8.1, 10.1, 10.3.1) and Nova's documentation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from tests.contract.in_process import Answer

_CODES = json.loads((Path(__file__).parents[2] / "reference" / "error_codes.json").read_text(encoding="utf-8"))
# Those of X-Client-Token are not in the reference, but in the vendor's public documentation.
CODES = frozenset(row["code"] for row in _CODES) | {"Ecs.0122", "Ecs.0123", "Ecs.0124"}
# 10.1, and what Nova adds to it for bodies.
STATUSES = frozenset({200, 201, 202, 204, 300, 400, 401, 403, 404, 405, 406, 409, 413, 415, 429, 501})
FAULTS: Mapping[str, frozenset[int]] = {
    "badRequest": frozenset({400}),
    "unauthorized": frozenset({401}),
    "forbidden": frozenset({403}),
    "itemNotFound": frozenset({404}),
    "badMethod": frozenset({405}),
    "conflictingRequest": frozenset({409}),
    "overLimit": frozenset({413, 429}),
    "badMediaType": frozenset({415}),
    # Nova calls what has no name of its own so.
    "computeFault": frozenset({406}),
}
# Section 4.3: the gateway in front of the service, whose codes only the vendor's public documentation lists.
_GATEWAY = re.compile(r"APIGW\.0[0-9]{3}")
# What a mistake of a Python program, or a proxy, would let through.
_LEAKS = re.compile(
    r"Traceback|File \"|<html|<!DOCTYPE|object has no attribute|unhashable|takes \d+ positional|KeyError|TypeError|ValueError|NoneType|"
    r"not supported between|Exception\b|site-packages|ecs_simulator",
    re.IGNORECASE,
)


def family(target: str) -> str:
    """Return whose manners a path has: ecs, job, nova, iam or none; odd, if segments are empty, so that nobody can say."""
    path = target.partition("?")[0]
    if "//" in path:
        return "odd"
    parts = path.strip("/").split("/")
    if parts[0] == "v3":
        return "iam"
    if parts[0] in {"v1", "v1.0", "v1.1"}:
        # A path that is no text leads to no operation, and to its shape neither.
        return "job" if parts[2:3] == ["jobs"] and len(parts) == 4 and _is_utf8(path) else "ecs"
    if parts[0] == "v2" and parts[2:3] == ["cloudservers"]:
        return "ecs"
    return "nova" if parts[0] in {"v2", "v2.1"} else "none"


def _is_utf8(path: str) -> bool:
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return True


def problems(target: str, answer: Answer) -> Iterator[str]:
    """Yield a sentence for everything in an answer that must not be."""
    if answer.status not in STATUSES:
        yield f"status {answer.status} is none that section 10.1 lists for a request"
    if not answer.headers.get("x-request-id"):
        yield "there is no request id"
    if answer.status != 204 and answer.headers.get("content-length") != str(len(answer.content)):
        yield f"the content length {answer.headers.get('content-length')} is not that of the body"
    if not answer.content:
        if answer.status >= 400:
            yield "a refusal without a body"
        return
    if not answer.headers.get("content-type", "").startswith("application/json"):
        yield f"the body is {answer.headers.get('content-type')}"
    try:
        body = json.loads(answer.content)
    except ValueError:
        yield f"the body is no JSON: {answer.content[:80]!r}"
        return
    if answer.status >= 400:
        yield from refusal_problems(target, answer.status, body)


def refusal_problems(target: str, status: int, body: Any) -> Iterator[str]:
    """Yield a sentence for everything that is wrong with the body of a refusal."""
    text = json.dumps(body)
    leak = _LEAKS.search(text)
    if leak is not None:
        yield f"the refusal lets {leak[0]!r} through: {text[:200]}"
    kind = family(target)
    shape = shape_of(status, body)
    possible = {
        "ecs": {"error", "gateway", "native"},
        "job": {"flat", "gateway"},
        "nova": {"native", "gateway"} if status == 401 else {"native"},
        "iam": {"identity", "gateway"} if status == 401 else {"identity"},
        "none": {"native", "gateway"},
        "odd": {"native", "gateway", "error", "identity"},
    }[kind]
    if shape not in possible:
        yield f"a refusal of the family {kind} has the shape {shape}: {status} {text[:200]}"
    if kind == "ecs" and shape == "native" and status != 404:
        yield f"under /v1 only what is absent is answered natively: {text[:200]}"
    if status == 501 and "Ecs.0603" not in text:
        yield f"501 is for a server that is busy only: {text[:200]}"


def shape_of(status: int, body: Any) -> str:
    """Name the documented shape of a refusal, or say that it has none."""
    if not isinstance(body, dict):
        return "no object"
    if set(body) == {"error_code", "error_msg", "request_id"}:
        return "gateway" if _GATEWAY.fullmatch(str(body["error_code"])) and _is_text(body["error_msg"]) else "a bad gateway's"
    if set(body) == {"code", "message"}:
        return "flat" if body["code"] in CODES and _is_text(body["message"]) else "a bad flat one"
    if len(body) != 1:
        return "none that is documented"
    name, inner = next(iter(body.items()))
    if name in FAULTS:
        fits = status in FAULTS[name] and isinstance(inner, dict) and set(inner) == {"code", "message"}
        return "native" if fits and inner["code"] == status and _is_text(inner["message"]) else "a bad native one"
    if name != "error" or not isinstance(inner, dict):
        return "none that is documented"
    if set(inner) == {"code", "message", "title"}:
        return "identity" if inner["code"] == status and _is_text(inner["message"]) and _is_text(inner["title"]) else "a bad identity one"
    return "error" if _is_error(inner) else "a bad error"


def _is_error(inner: Mapping[str, Any]) -> bool:
    """Tell whether this is an error of table 10-1, with details of table 10-2."""
    details = inner.get("details", [{"message": "-"}])
    if set(inner) - {"details"} != {"code", "message"} or inner["code"] not in CODES or not _is_text(inner["message"]):
        return False
    if not isinstance(details, list) or not details:
        return False
    return all(
        isinstance(each, dict) and each and set(each) <= {"code", "message"} and each.get("code", "Ecs.0005") in CODES for each in details
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
