"""What must never be written down: tokens, passwords, keys, signatures, user data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

MASK = "***"

_SECRET_NAME = re.compile(
    r"pass(word|wd)?|secret|token|signature|authorization|credential|user_?data|private|access_?key|(^|[-_])(ak|sk)$", re.IGNORECASE
)
# Named like a secret, but meant to be looked up in the log.
_NOT_SECRET = frozenset({"x-client-token"})


def is_secret(name: str) -> bool:
    """Tell by its name whether a header, parameter or field holds a secret."""
    return name.lower() not in _NOT_SECRET and _SECRET_NAME.search(name) is not None


def mask_target(path: str, query: str) -> str:
    """Return path and query as logged: the values of secret parameters are masked."""
    if not query:
        return path
    if "%" not in query and _SECRET_NAME.search(query) is None:
        return f"{path}?{query}"
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    return path + "?" + "&".join(f"{quote(name)}={MASK if is_secret(name) else quote(value)}" for name, value in pairs)


def mask_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers as shown in a log: secret values are masked."""
    return {name: MASK if is_secret(name) else value for name, value in headers.items()}
