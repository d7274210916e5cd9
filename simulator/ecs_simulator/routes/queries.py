"""Query parameters and pages of native lists, as Nova treats them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar
from urllib.parse import urlencode

from ecs_simulator.call import Call
from ecs_simulator.routes import links
from ecs_simulator.world.refusal import invalid

MAX_LIMIT = 1000
DEFAULT_LIMIT = 25


class Identified(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str:
        """Its id."""


Row = TypeVar("Row", bound=Identified)


def first(call: Call, name: str) -> str | None:
    """Return a parameter's first value, None if it is missing or empty."""
    values = call.query.get(name)
    return values[0] if values and values[0] else None


def whole(call: Call, name: str, default: int) -> int:
    """Return a parameter that must be a whole number from 0 on."""
    text = first(call, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise invalid(f"{name} must be a whole number from 0 on, not {text!r}")
    return int(text)


def page(call: Call, rows: Sequence[Row], *, default: int = DEFAULT_LIMIT) -> tuple[Sequence[Row], bool]:
    """Return one page of rows after the marker, and whether a next link belongs to it: Nova gives one to every full page."""
    limit = min(whole(call, "limit", default), MAX_LIMIT)
    marker = first(call, "marker")
    start = 0
    if marker is not None:
        try:
            start = [row.id for row in rows].index(marker) + 1
        except ValueError:
            raise invalid(f"marker [{marker}] not found") from None
    chosen = rows[start : start + limit]
    return chosen, bool(chosen) and len(chosen) == limit


def next_links(call: Call, path: str, last_id: str) -> list[dict[str, str]]:
    """Return the link to the page after a row: the same query with another marker."""
    query: Mapping[str, list[str]] = {**call.query, "marker": [last_id]}
    return [{"rel": "next", "href": f"{links.native(call)}/{path}?{urlencode(query, doseq=True)}"}]
