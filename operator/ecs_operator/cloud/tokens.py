"""IAM tokens: fetched once however many callers wait, renewed in time, dropped when refused (ECS API reference 4.1, 4.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from ecs_operator.cloud.clock import Clock
from ecs_operator.cloud.credentials import PasswordCredentials
from ecs_operator.cloud.errors import CloudError, Meaning, Outcome

RENEW_AT = 0.8
"""Part of a token's life after which it is renewed,"""
RENEW_LEFT = 1800.0
"""or when so many seconds are left, whichever comes first."""
REFUSAL_HOLDS = 30.0
"""Seconds for which refused credentials are not tried again: IAM locks accounts that fail too often."""
_TOO_YOUNG = 5.0
"""Seconds: a token so new is not renewed because of a 401; the trouble is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token and what it is good for. ``lifetime`` in seconds from when it was made."""

    value: str = field(repr=False)
    lifetime: float
    project_id: str
    user_id: str


FetchToken = Callable[[PasswordCredentials], Awaitable[Token]]


@dataclass(frozen=True, slots=True)
class _Held:
    token: Token
    credentials: PasswordCredentials
    since: float

    def is_usable(self, now: float) -> bool:
        return now - self.since < self.token.lifetime

    def is_fresh(self, now: float) -> bool:
        life = self.token.lifetime
        renew_after = min(RENEW_AT * life, life - RENEW_LEFT) if life > 2 * RENEW_LEFT else RENEW_AT * life
        return now - self.since < renew_after


@dataclass(frozen=True, slots=True)
class _Refused:
    error: CloudError
    credentials: PasswordCredentials
    at: float


class Tokens:
    """The token of one user for one project."""

    def __init__(self, fetch: FetchToken, *, clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = asyncio.Lock()
        self._held: _Held | None = None
        self._refused: _Refused | None = None

    async def get(self, credentials: PasswordCredentials) -> Token:
        """A token that holds. Raises CloudError (not sent) when none can be had.

        While a renewal is under way, or fails, a token that still holds is used on.
        """
        asked_at = self._clock.monotonic()
        held = self._of(credentials)
        if held and (held.is_fresh(asked_at) or (held.is_usable(asked_at) and self._lock.locked())):
            return held.token
        async with self._lock:
            held = self._of(credentials)
            if held and held.is_fresh(self._clock.monotonic()):
                return held.token
            self._raise_recent_refusal(credentials, asked_at=asked_at, held=held)
            try:
                token = await self._fetch(credentials)
            except CloudError as error:
                self._refused = _Refused(error, credentials, self._clock.monotonic())
                if held and held.is_usable(self._clock.monotonic()):
                    return held.token
                raise error.changed(outcome=Outcome.NOT_SENT) from None
            self._held = _Held(token, credentials, self._clock.monotonic())
            self._refused = None
            return token

    def discard(self, value: str) -> bool:
        """The cloud refused this token. Whether asking for another makes sense: not when it is brand-new."""
        held = self._held
        if held is None or held.token.value != value:
            return True
        if self._clock.monotonic() - held.since < _TOO_YOUNG:
            return False
        self._held = None
        return True

    def _of(self, credentials: PasswordCredentials) -> _Held | None:
        return self._held if self._held and self._held.credentials == credentials else None

    def _raise_recent_refusal(self, credentials: PasswordCredentials, *, asked_at: float, held: _Held | None) -> None:
        """Whoever waited while another failed shares its error; refused credentials rest for a while."""
        refused = self._refused
        if refused is None or refused.credentials != credentials:
            return
        now = self._clock.monotonic()
        rests = refused.error.meaning in {Meaning.AUTH, Meaning.FORBIDDEN} and now - refused.at < REFUSAL_HOLDS
        if (rests or refused.at > asked_at) and not (held and held.is_usable(now)):
            raise refused.error.changed(outcome=Outcome.NOT_SENT)
