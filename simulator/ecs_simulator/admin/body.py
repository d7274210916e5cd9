"""Reading the JSON bodies of the admin API, with messages that name the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class AdminError(Exception):
    """An admin call that cannot be done: 400 for a wrong body, 404 for something unknown."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def bad(message: str) -> AdminError:
    """Return a 400."""
    return AdminError(400, message)


def known(body: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """Return the body if it has no other fields than these; a misspelt one must not be ignored."""
    unknown = sorted(set(body) - set(names))
    if unknown:
        raise bad(f"unknown field {unknown[0]!r}; known are {', '.join(names) or 'none'}")
    return body


def text(body: Mapping[str, Any], name: str, *, default: str | None = None) -> str:
    """Return a text field."""
    value = body.get(name, default)
    if not isinstance(value, str) or not value:
        raise bad(f"{name} must be a text")
    return value


def optional_text(body: Mapping[str, Any], name: str) -> str | None:
    """Return a text field or None."""
    return None if body.get(name) is None else text(body, name)


def one_of(body: Mapping[str, Any], name: str, choices: tuple[str, ...], *, default: str | None = None) -> str:
    """Return a text field out of a few."""
    value = body.get(name, default)
    if value not in choices:
        raise bad(f"{name} must be one of {', '.join(choices)}")
    return str(value)


def flag(body: Mapping[str, Any], name: str) -> bool | None:
    """Return a Boolean field or None."""
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise bad(f"{name} must be true or false")


def number(body: Mapping[str, Any], name: str, *, least: float = 0.0) -> float | None:
    """Return a number or None; it must not be below ``least``."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value < float("inf"):
        return float(value)
    raise bad(f"{name} must be a number from {least:g} on")


def texts(body: Mapping[str, Any], name: str) -> list[str]:
    """Return a list of texts."""
    value = body.get(name)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise bad(f"{name} must be a list of texts")


def whole_numbers(body: Mapping[str, Any], name: str) -> dict[str, int] | None:
    """Return an object of whole numbers (-1 for unlimited) or None."""
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, dict) and all(isinstance(item, int) and not isinstance(item, bool) and item >= -1 for item in value.values()):
        return value
    raise bad(f"{name} must be an object of whole numbers from -1 on")


def text_pairs(body: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return an object of texts, an empty one if the field is missing."""
    value = body.get(name) or {}
    if isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        return value
    raise bad(f"{name} must be an object of texts")
