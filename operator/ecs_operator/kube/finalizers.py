"""Taking a finalizer off an object: by a JSON patch that tests whose it is, because an apply without it may silently do nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ecs_operator.engine.ports import ConflictError, GoneError, RefusedError
from ecs_operator.kube.connection import JSON_PATCH, Connection

_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Holders:
    """Which object it is, and which finalizers are on it."""

    uid: str
    finalizers: tuple[str, ...]


async def remove(
    connection: Connection, path: str, finalizer: str, *, seen: Holders, look: Callable[[], Awaitable[Holders | None]], subject: str
) -> None:
    """Take the finalizer off the object of exactly the uid that was seen; ``look`` reads it again.

    Gone, another uid, or no such finalizer counts as done. Raises ConflictError when others keep changing the list, and other StoreErrors.
    """
    current: Holders | None = seen
    for _ in range(_ATTEMPTS):
        if current is None or current.uid != seen.uid or finalizer not in current.finalizers:
            return
        try:
            await connection.request("PATCH", path, subject=subject, body=_removal(current, finalizer), content_type=JSON_PATCH)
        except GoneError:
            return
        except (ConflictError, RefusedError) as error:
            # A failed test is answered like an invalid object. Look again: the index, or the object, is another one now.
            now = await look()
            if isinstance(error, RefusedError) and now == current:
                # Nothing changed, so the refusal was meant.
                raise
            current = now
        else:
            return
    raise ConflictError(f"{subject}: the list of finalizers kept changing")


def _removal(seen: Holders, finalizer: str) -> Sequence[dict[str, Any]]:
    at = f"/metadata/finalizers/{seen.finalizers.index(finalizer)}"
    return [
        {"op": "test", "path": "/metadata/uid", "value": seen.uid},
        {"op": "test", "path": at, "value": finalizer},
        {"op": "remove", "path": at},
    ]
