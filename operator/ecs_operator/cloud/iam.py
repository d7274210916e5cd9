"""Fetching tokens from IAM (ECS API reference 4.1, 4.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime

import httpx
from pydantic import Field, ValidationError

from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.credentials import PasswordCredentials
from ecs_operator.cloud.dispatch import Dispatcher
from ecs_operator.cloud.errors import Meaning, Outcome, invalid
from ecs_operator.cloud.failures import failed, lost
from ecs_operator.cloud.models.wire import Answer, Text
from ecs_operator.cloud.operation import Family, Kind, Lane, Operation
from ecs_operator.cloud.times import parse_time
from ecs_operator.cloud.tokens import FetchToken, Token
from ecs_operator.cloud.transport import HttpRequest

CREATE_TOKEN = Operation(
    section="4.1", name="createToken", method="POST", path="/v3/auth/tokens", family=Family.IAM, kind=Kind.WRITE, lane=Lane.URGENT
)
_SECONDS = 30.0
_LIFETIME_UNTOLD = 3600.0
_LONGEST_LIFETIME = 86400.0


class _Named(Answer):
    id: Text = ""


class _TokenBody(Answer):
    expires_at: Text = ""
    issued_at: Text = ""
    project: _Named = Field(default_factory=_Named)
    user: _Named = Field(default_factory=_Named)


class _TokenAnswer(Answer):
    token: _TokenBody = Field(default_factory=_TokenBody)


def token_source(dispatcher: Dispatcher, *, iam_endpoint: str, project_id: str, project_name: str, clock: Clock) -> FetchToken:
    """A function that asks IAM for a token of one project, named by id, else by name. It raises CloudError."""
    scope = {"id": project_id} if project_id else {"name": project_name}
    url = httpx.URL(iam_endpoint.rstrip("/") + CREATE_TOKEN.path)

    async def fetch(credentials: PasswordCredentials) -> Token:
        if not iam_endpoint:
            raise invalid(operation=CREATE_TOKEN.name, field="endpoints.iam", problem="is needed with a user and password")
        call = dispatcher.new_call(CREATE_TOKEN, secrets=(credentials.password,))
        headers = {"Content-Type": "application/json", "X-Request-Id": call.request_id}
        request = HttpRequest(url=url, headers=headers, content=_body(credentials, scope))
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await dispatcher.send(call, request)
        except TimeoutError as timeout:
            raise lost(call, timeout, url=url) from None
        value = answer.headers.get("x-subject-token", "")
        if not value:
            problem = "an answer without a token (X-Subject-Token)"
            raise failed(call, outcome=Outcome.UNKNOWN, meaning=Meaning.INTERNAL, message=problem, answer=answer)
        try:
            body = _TokenAnswer.model_validate_json(answer.content).token
        except ValidationError:
            body = _TokenBody()
        return Token(value=value, lifetime=_lifetime(body, now=clock.now()), project_id=body.project.id, user_id=body.user.id)

    return fetch


def _body(credentials: PasswordCredentials, scope: Mapping[str, str]) -> bytes:
    user = {"name": credentials.username, "password": credentials.password, "domain": {"name": credentials.domain_name}}
    identity = {"methods": ["password"], "password": {"user": user}}
    return json.dumps({"auth": {"identity": identity, "scope": {"project": dict(scope)}}}, ensure_ascii=False).encode()


def _lifetime(body: _TokenBody, *, now: datetime) -> float:
    """Seconds between the two times of the answer, both by the cloud's clock; ours only where it does not tell the first."""
    end = parse_time(body.expires_at)
    if end is None:
        return _LIFETIME_UNTOLD
    return min(max((end - (parse_time(body.issued_at) or now)).total_seconds(), 0.0), _LONGEST_LIFETIME)
