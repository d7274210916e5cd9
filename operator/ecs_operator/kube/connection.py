"""Requests to the API server: plain dicts in and out, errors as the engine knows them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from ecs_operator.engine.ports import ConflictError, GoneError, RefusedError, StoreError, UnavailableError
from ecs_operator.kube.credentials import Access, Credentials

APPLY = "application/apply-patch+yaml"
JSON = "application/json"
JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"

DEFAULT_TIMEOUT = 10.0
USER_AGENT = "ecs-operator"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read to its end. ``body`` is empty when it was no JSON object."""

    status: int
    body: Mapping[str, Any]


def translate(answer: Answer, *, subject: str) -> StoreError:
    """The error that an answer of 300 or more stands for. Of the body only the reason and the names of fields are used, never a value."""
    body = answer.body
    reason = body.get("reason") if isinstance(body.get("reason"), str) else ""
    fields = _causes(body)
    text = f"{subject}: {answer.status} {reason}".rstrip()
    if fields:
        text += f" ({', '.join(fields)})"
    match answer.status:
        case 404:
            return GoneError(text)
        case 409:
            return ConflictError(text)
        case 422 if "metadata.uid" in fields:
            return ConflictError(text)
        case 429 | 410:
            return UnavailableError(text)
        case status if status >= 500 or status < 400:
            return UnavailableError(text)
        case _:
            return RefusedError(text)


def _causes(body: Mapping[str, Any]) -> list[str]:
    details = body.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return [str(each["field"])[:100] for each in causes or () if isinstance(each, dict) and each.get("field")][:5]


class Connection:
    """One pool of connections, for one event loop."""

    def __init__(self, credentials: Credentials) -> None:
        """Opens nothing yet."""
        self._credentials = credentials
        self._clients: dict[tuple[str, str | None], ApiClient] = {}

    async def close(self) -> None:
        """Close the pool."""
        while self._clients:
            _, client = self._clients.popitem()
            await client.close()  # type: ignore[no-untyped-call]

    async def request(
        self,
        method: str,
        path: str,
        *,
        subject: str | None = None,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        content_type: str = JSON,
        accept: str = JSON,
        timeout: float = DEFAULT_TIMEOUT,  # noqa: ASYNC109 - the library's own deadline closes the connection as well
    ) -> Mapping[str, Any]:
        """The answer's JSON object. ``timeout`` is the deadline of the whole exchange in seconds.

        Raises StoreError: ``subject`` (what the call is about, with its verb) stands in its message, or method and path.
        Nothing is sent twice, except after 401 with a token that has been renewed: then nothing was carried out.
        """
        what = subject or f"{method} {path}"
        target = f"{path}?{urlencode(query)}" if query else path
        headers = {"Accept": accept, "Content-Type": content_type, "User-Agent": USER_AGENT}
        access = self._credentials.current()
        answer = await self._exchange(access, method, target, headers=headers, body=body, timeout=timeout, what=what)
        if answer.status == 401 and (renewed := self._credentials.current()).token != access.token:
            answer = await self._exchange(renewed, method, target, headers=headers, body=body, timeout=timeout, what=what)
        if answer.status >= 300:
            raise translate(answer, subject=what)
        return answer.body

    async def _exchange(
        self,
        access: Access,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str],
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None,
        timeout: float,  # noqa: ASYNC109
        what: str,
    ) -> Answer:
        authorised = {**headers, "Authorization": f"Bearer {access.token}"} if access.token else dict(headers)
        try:
            response = await self._client(access).call_api(method, access.server + target, authorised, body, _request_timeout=timeout)
            content = await response.read()  # type: ignore[no-untyped-call]
        except TimeoutError:
            raise UnavailableError(f"{what}: no answer within {timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            # The library's text may hold the address with its query, never the body; the kind of failure is enough.
            raise UnavailableError(f"{what}: {type(error).__name__}") from error
        return Answer(status=response.status, body=_object(content, response.status, what=what))

    def _client(self, access: Access) -> ApiClient:
        """The client for this server and authority. The authority can be renewed while we run; what uses the old one may end in peace."""
        wanted = (access.server, access.authority)
        if wanted not in self._clients:
            self._clients[wanted] = ApiClient(Configuration(host=access.server, ca_cert_data=access.authority, connection_pool_maxsize=0))
        return self._clients[wanted]


def _object(content: bytes, status: int, *, what: str) -> Mapping[str, Any]:
    try:
        parsed = json.loads(content)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        return parsed
    if 200 <= status < 300:
        raise UnavailableError(f"{what}: {status} with an answer that is not a JSON object")
    return {}
