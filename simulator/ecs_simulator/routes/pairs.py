"""Metadata pairs: the rules of 5.1.1 and those of 6.9, which differ in the space."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ecs_simulator.world.refusal import invalid

STRICT_KEY = re.compile(r"[A-Za-z0-9_:.\-]{1,255}")
NATIVE_KEY = re.compile(r"[A-Za-z0-9_:. \-]{1,255}")
RESERVED = frozenset({"virtual_env_type"})
"""Keys that users may not add, change or delete (table 8-17)."""
MAX_VALUE = 255


def read_pairs(value: object, *, where: str, key: re.Pattern[str]) -> dict[str, str]:
    """Return metadata pairs; values that are numbers or Booleans become text. Values are not repeated in a refusal: they can be secret."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise invalid(f"{where} is no object")
    pairs: dict[str, str] = {}
    for name, item in value.items():
        if not key.fullmatch(name):
            raise invalid(f"{where} has a key that is not allowed: {name[:64]!r}")
        if name in RESERVED:
            raise invalid(f"{where}.{name} is reserved")
        text = str(item).lower() if isinstance(item, bool) else str(item) if isinstance(item, int | float) else item
        if not isinstance(text, str) or len(text) > MAX_VALUE:
            raise invalid(f"{where}.{name} is no text of at most {MAX_VALUE} characters")
        pairs[name] = text
    return pairs
