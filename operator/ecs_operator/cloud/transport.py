"""One exchange over HTTP: an answer of bounded size in bounded time, or a CloudError."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from ecs_operator.cloud.errors import CloudError, Failure, Meaning, Outcome
from ecs_operator.cloud.failures import Call, RawAnswer, failed, lost

CONNECT_SECONDS = 5.0
READ_SECONDS = 15.0
BODY_LIMIT = 1024 * 1024
LIST_LIMIT = 32 * 1024 * 1024
CONNECTIONS = 20
_KEEP_ALIVE_SECONDS = 3.0
"""Below the idle time of common servers, so that a connection is hardly ever used just when the other side drops it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request as it is sent."""

    url: httpx.URL
    headers: Mapping[str, str]
    content: bytes


def open_http(*, ca_bundle: str | None, encrypted: bool, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    """A pool of connections. ``ca_bundle`` is PEM text, trusted instead of the public authorities. Raises CloudError when it is none.

    No redirect is followed and no proxy is taken from the environment.
    """
    verify: ssl.SSLContext | bool = True
    if ca_bundle:
        try:
            verify = ssl.create_default_context(cadata=ca_bundle)
        except (ssl.SSLError, ValueError, TypeError):
            raise CloudError(
                Failure(
                    operation="connect",
                    method="",
                    outcome=Outcome.NOT_SENT,
                    meaning=Meaning.INVALID,
                    message="caBundle: must be PEM certificates",
                )
            ) from None
    elif not encrypted:
        verify = False  # loading the authorities takes 20 ms and a megabyte, for nothing
    return httpx.AsyncClient(
        verify=verify,
        transport=transport,
        follow_redirects=False,
        trust_env=False,
        headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "ecs-operator"},
        timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS),
        limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=_KEEP_ALIVE_SECONDS),
    )


async def exchange(http: httpx.AsyncClient, call: Call, request: HttpRequest, *, read_seconds: float = READ_SECONDS) -> RawAnswer:
    """Send a request and read its answer. Raises CloudError without an answer, and for one that is too long."""
    limit = LIST_LIMIT if call.operation.lists else BODY_LIMIT
    timeout = httpx.Timeout(read_seconds, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
    content = bytearray()
    if http.is_closed:
        raise failed(call, outcome=Outcome.NOT_SENT, meaning=Meaning.UNREACHABLE, message="the client was closed")
    try:
        async with http.stream(
            call.operation.method, request.url, headers=dict(request.headers), content=request.content, timeout=timeout
        ) as response:
            answer = RawAnswer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, b"")
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > limit:
                    raise failed(
                        call,
                        outcome=Outcome.UNKNOWN,
                        meaning=Meaning.INTERNAL,
                        message=f"the answer is longer than {limit // 1024} KiB",
                        answer=answer,
                    )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise lost(call, error, url=request.url) from None
    except RuntimeError:
        if not http.is_closed:
            raise
        raise failed(call, outcome=Outcome.UNKNOWN, meaning=Meaning.UNREACHABLE, message="the client was closed meanwhile") from None
    return RawAnswer(answer.status, answer.headers, bytes(content))
