"""Tokens: issued for 24 hours of the world's clock, revocable, scoped to a project, to the whole account, or to nothing."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

LIFETIME = 24 * 3600.0
# A client that logs in before every call must not fill the memory: the oldest token makes room.
MAX_TOKENS = 50_000


@dataclass(frozen=True, slots=True)
class Token:
    """A token and what it stands for. Times are epoch seconds of the world.

    Its scope is the project of ``project_id``, or the account of ``domain_id``; with neither it is unscoped. Only one scoped to a
    project serves this API (4.2), the others find projects.
    """

    value: str
    user_id: str
    project_id: str | None
    issued_at: float
    expires_at: float
    domain_id: str | None = None


class TokenStore:
    """The tokens that were issued and have not been revoked."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[str, Token] = OrderedDict()

    def __len__(self) -> int:
        return len(self._tokens)

    def issue(self, *, user_id: str, project_id: str | None, now: float, domain_id: str | None = None) -> Token:
        """Issue a token. Those that have run out are forgotten on the way: they are the oldest, all live equally long."""
        while self._tokens and (next(iter(self._tokens.values())).expires_at <= now or len(self._tokens) >= MAX_TOKENS):
            self._tokens.popitem(last=False)
        # Real tokens are long and start alike, which is what a client's limits and logs should be tried with.
        token = Token(
            value="MIIE" + secrets.token_urlsafe(450),
            user_id=user_id,
            project_id=project_id,
            issued_at=now,
            expires_at=now + LIFETIME,
            domain_id=domain_id,
        )
        self._tokens[token.value] = token
        return token

    def find(self, value: str, *, now: float) -> Token | None:
        """Return a token that is in force."""
        token = self._tokens.get(value)
        return token if token is not None and now < token.expires_at else None

    def revoke(self, value: str) -> bool:
        """Revoke one token; False if there was none."""
        return self._tokens.pop(value, None) is not None

    def revoke_where(self, condition: Callable[[Token], bool]) -> int:
        """Revoke the tokens that meet a condition and return how many they were."""
        values = [value for value, token in self._tokens.items() if condition(token)]
        for value in values:
            del self._tokens[value]
        return len(values)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the form kept in a state file; holds the tokens themselves."""
        return [asdict(token) for token in self._tokens.values()]

    def load(self, data: list[dict[str, Any]]) -> None:
        """Replace all tokens by those of a state file."""
        self._tokens = OrderedDict((item["value"], Token(**item)) for item in data)
