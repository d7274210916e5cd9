"""Checks of arguments that are too small for a model of their own. Each raises CloudError (not sent, invalid) naming the field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ecs_operator.cloud.errors import invalid
from ecs_operator.cloud.models.wire import METADATA_KEY_PATTERN
from ecs_operator.cloud.operation import Operation

BATCH_LIMIT = 1000
_METADATA_KEY = re.compile(METADATA_KEY_PATTERN)


def check(operation: Operation, field: str, problem: str, *, holds: bool) -> None:
    """Raise unless the condition holds."""
    if not holds:
        raise invalid(operation=operation.name, field=field, problem=problem)


def batch(operation: Operation, field: str, server_ids: Iterable[str]) -> list[dict[str, str]]:
    """The ids as the list of objects that batch calls take: 1 to 1000, each once."""
    ids = list(dict.fromkeys(server_ids))
    check(operation, field, f"1 to {BATCH_LIMIT} servers", holds=0 < len(ids) <= BATCH_LIMIT)
    check(operation, field, "must not hold an empty id", holds=all(ids))
    return [{"id": server_id} for server_id in ids]


def metadata_pairs(operation: Operation, pairs: Mapping[str, str], *, where: str = "metadata") -> dict[str, str]:
    """Pairs within the limits of 6.9.1."""
    for key, value in pairs.items():
        check(operation, where, "keys have 1 to 255 letters, digits, '-', '_', ':' and '.'", holds=bool(_METADATA_KEY.fullmatch(key)))
        check(operation, f"{where}.{key}", "at most 255 characters", holds=len(value) <= 255)
    return dict(pairs)
