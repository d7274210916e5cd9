"""Taking a request in: body, path, operation, JSON. Nothing here trusts the caller, and nothing fails on what he sends."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from ecs_simulator.auth.signature import ALGORITHM, MAX_SIGNED_BODY
from ecs_simulator.call import ApiError, Operation
from ecs_simulator.masking import mask_target
from ecs_simulator.routing import BadPathError, PathMatch, Route, Router, choose, decode_segments, split
from ecs_simulator.shapes import Family, GatewayError, family_of
from ecs_simulator.wire import Receive

# Section 4.2 sends bodies above 12 MB by token; somewhere a simulator must stop reading.
MAX_BODY = 32 * 1024 * 1024
# How much more is read and thrown away before the connection is simply closed.
MAX_DISCARDED = 8 * MAX_BODY
MAX_QUERY_FIELDS = 200


class GoneError(Exception):
    """The client went away before its request was whole."""


@dataclass(slots=True)
class Request:
    """One request as far as it is understood."""

    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]
    request_id: str
    started: float
    repeated: frozenset[str] = frozenset()
    body: bytes = b""
    family: Family = Family.NONE
    match: PathMatch | None = None
    route: Route | None = None
    path: Mapping[str, str] = field(default_factory=dict)
    parsed: Any = None
    # What is wrong with path or body; it is only said once the caller is known.
    complaint: ApiError | GatewayError | None = None
    project: str | None = None
    credential: str | None = None

    @property
    def operation(self) -> Operation | None:
        """The operation, None if the path or the body leads to none."""
        return self.route.operation if self.route is not None else None

    @property
    def target(self) -> str:
        """Path and query as logged, secrets masked."""
        return mask_target(self.raw_path, self.raw_query)

    @property
    def signed(self) -> bool:
        """Whether the request claims to be signed with an access key."""
        return self.headers.get("authorization", "").startswith(ALGORITHM)


def resolve(request: Request, router: Router) -> None:
    """Find the operation and parse the body, as far as both can be done; complaints are kept for later."""
    try:
        segments = decode_segments(request.raw_path)
    except BadPathError:
        request.family = family_of(split(request.raw_path))
        request.complaint = ApiError(400, "Ecs.0005", "The URL is not valid UTF-8.")
        return
    request.family = family_of(segments)
    request.match = router.find(segments)
    if request.match is None:
        request.complaint = not_found(request)
        return
    routes = request.match.methods.get(request.method)
    if routes is None:
        request.complaint = not_allowed(request)
        return
    if len(routes) == 1 and routes[0].operation.action is None:
        request.route = routes[0]
    try:
        request.parsed = _parse(request, routes)
    except ApiError as complaint:
        request.complaint = complaint
    if request.route is None and request.complaint is None:
        request.route = choose(routes, request.parsed)
        if request.route is None:
            request.complaint = no_action(request)
    names = (request.route or routes[0]).names
    request.path = dict(zip(names, request.match.values, strict=True))


async def read_body(receive: Receive) -> bytes:
    """Read the whole body; OverflowError above the limit, GoneError if the client left.

    A body above the limit is still read, though not kept: who answers before the body has come only makes the client see a broken pipe.
    """
    message = await receive()
    chunks: list[bytes] = []
    size = 0
    while message["type"] != "http.disconnect":
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
        else:
            chunks.clear()
        if not message.get("more_body") or size > MAX_DISCARDED:
            break
        message = await receive()
    else:
        raise GoneError
    if size > MAX_BODY:
        raise OverflowError
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def headers_of(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by lower-case name; repeated ones are joined."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def repeated_of(pairs: list[tuple[bytes, bytes]]) -> frozenset[str]:
    """Return the names of the headers that came more than once."""
    counts = Counter(name for name, _ in pairs)
    return frozenset(name.decode("latin-1") for name, count in counts.items() if count > 1) if len(counts) < len(pairs) else frozenset()


def _parse(request: Request, routes: list[Route]) -> dict[str, Any] | None:
    """Return the JSON object of a body, None for no body; ApiError 400, 413 or 415."""
    if request.method not in {"POST", "PUT", "PATCH"}:
        return None
    if request.signed and len(request.body) > MAX_SIGNED_BODY:
        raise too_large(request)
    if not request.body.strip():
        if request.method == "POST" or any(not route.operation.path.endswith("}") for route in routes):
            raise ApiError(400, "Common.0002", "The request body cannot be left blank.")
        return None
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ApiError(415, "Ecs.0005", f"Content type {kind} is not supported, use application/json.")
    try:
        # Left to itself the parser would guess UTF-16 and UTF-32 too; section 4.1 wants UTF-8.
        parsed = json.loads(request.body.decode(), parse_constant=_refuse_constant)
        # A lone half of a surrogate pair is no text; it would come back to bite whoever writes it out.
        if b"\\u" in request.body:
            json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "Ecs.0005", "request body is illegal.") from error
    if not isinstance(parsed, dict):
        raise ApiError(400, "Ecs.0005", "request body is illegal.")
    return parsed


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def query_of(request: Request) -> dict[str, list[str]]:
    """Return the parameters of the query, all values of each; ApiError 400 if it is no UTF-8 or endless."""
    if not request.raw_query:
        return {}
    try:
        return parse_qs(request.raw_query, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_FIELDS)
    except ValueError as error:
        raise ApiError(400, "Ecs.0005", "The query string is illegal.") from error


def not_found(request: Request) -> ApiError | GatewayError:
    """Return the refusal of an unknown path."""
    if request.family in {Family.NOVA, Family.IAM}:
        return ApiError(404, "APIGW.0101", "The resource could not be found.")
    return GatewayError(404, "APIGW.0101", "The API does not exist or has not been published in the environment")


def not_allowed(request: Request) -> ApiError | GatewayError:
    """Return the refusal of a method the path does not have."""
    if request.family in {Family.NOVA, Family.IAM}:
        return ApiError(405, "APIGW.0101", "The method is not allowed for this resource.")
    return GatewayError(405, "APIGW.0101", f"The API has no method {request.method}")


def no_action(request: Request) -> ApiError:
    """Return the refusal of a body that names none of the actions of its path."""
    if request.family is Family.NOVA:
        name = next(iter(request.parsed), "") if isinstance(request.parsed, dict) else ""
        return ApiError(400, "Ecs.0005", f"There is no such action: {name}" if name else "Malformed request body")
    return ApiError(400, "Ecs.0005", "request body is illegal.")


def too_large(request: Request) -> ApiError:
    """Return the refusal of a body above the limit."""
    limit = MAX_SIGNED_BODY if request.signed else MAX_BODY
    return ApiError(413, "Ecs.0005", f"The request body is larger than {limit // (1024 * 1024)} MB.")
