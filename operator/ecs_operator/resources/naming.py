"""Naming things in a message."""

from __future__ import annotations

from collections.abc import Sequence

MOST_NAMED = 10


def named(names: Sequence[str], *, most: int = MOST_NAMED) -> str:
    """A few of the names, and how many more there are."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
