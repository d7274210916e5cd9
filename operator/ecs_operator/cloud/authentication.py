"""Puts the proof of who we are on a request, and learns from refusals: a new token, or the cloud's idea of the time."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.credentials import AccessKey, CredentialsProvider
from ecs_operator.cloud.signing import sign
from ecs_operator.cloud.tokens import Tokens

_LOG = logging.getLogger("ecs_operator.cloud")
_WARN_SKEW = timedelta(minutes=1)
_LEARN_SKEW = timedelta(seconds=5)
"""The Date header has whole seconds, and the answer took its time: less is no news."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The headers that authenticate one request, and what they were made with."""

    headers: Mapping[str, str] = field(repr=False)
    token: str | None = field(repr=False)
    """None for a signed request."""
    secrets: tuple[str, ...] = field(repr=False)


class Authentication:
    """Authenticates the requests of one project, with whatever credentials the provider has at the moment."""

    def __init__(self, provider: CredentialsProvider, *, tokens: Tokens, clock: Clock) -> None:
        self._provider = provider
        self._tokens = tokens
        self._clock = clock
        self._skew = timedelta()

    async def prove(self, *, method: str, url: str, headers: Mapping[str, str], body: bytes, project_id: str) -> Proof:
        """The headers to add. ``headers`` are those that a signature covers. Raises CloudError when no token can be had."""
        credentials = await self._provider.get()
        if isinstance(credentials, AccessKey):
            scoped = {"X-Project-Id": project_id} if project_id else {}
            moment = self._clock.now() + self._skew
            signed = sign(key=credentials, method=method, url=url, headers={**headers, **scoped}, body=body, now=moment)
            secrets = (credentials.secret_key, credentials.security_token or "", signed["Authorization"])
            return Proof({**scoped, **signed}, None, secrets)
        token = await self._tokens.get(credentials)
        return Proof({"X-Auth-Token": token.value}, token.value, (token.value, credentials.password))

    async def user_id(self) -> str | None:
        """Whose credentials these are, as the token says it; None with an access key, which does not. Raises CloudError."""
        credentials = await self._provider.get()
        return None if isinstance(credentials, AccessKey) else (await self._tokens.get(credentials)).user_id

    def refused(self, proof: Proof, *, date: datetime | None) -> bool:
        """The cloud refused the proof. Whether another try would carry a new one."""
        if proof.token is not None:
            return self._tokens.discard(proof.token)
        if date is None:
            return False
        skew = date - self._clock.now()
        is_news = abs(skew - self._skew) > _LEARN_SKEW
        if is_news:
            self._skew = skew if abs(skew) > _LEARN_SKEW else timedelta()
            if abs(skew) > _WARN_SKEW:
                _LOG.warning("the cloud's clock differs from ours by %.0f s; requests are signed with its time", skew.total_seconds())
        return is_news
