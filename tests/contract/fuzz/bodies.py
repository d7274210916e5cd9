"""Bodies, field by field."""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

Place = tuple[str | int, ...]


def places(body: Any, before: Place = ()) -> list[Place]:
    """Return where everything in a body is, the body itself left out."""
    items: Sequence[tuple[str | int, Any]] = (
        list(body.items()) if isinstance(body, dict) else list(enumerate(body)) if isinstance(body, list) else []
    )
    return [place for key, value in items for place in ((*before, key), *places(value, (*before, key)))]


def get(body: Any, place: Place) -> Any:
    """Return what is in a place."""
    for key in place:
        body = body[key]
    return body


def put(body: Any, place: Place, value: Any) -> Any:
    """Return a copy with another value in a place."""
    changed = copy.deepcopy(body)
    get(changed, place[:-1])[place[-1]] = value
    return changed


def without(body: Any, place: Place) -> Any:
    """Return a copy without what is in a place."""
    changed = copy.deepcopy(body)
    del get(changed, place[:-1])[place[-1]]
    return changed


def encoded(body: Any) -> bytes:
    """Encode a body; halves of surrogate pairs become escapes."""
    return json.dumps(body).encode("ascii")


def name_of(place: Place) -> str:
    """Return the path of a place, such as server.nics.0."""
    return ".".join(str(each) for each in place) or "the body"
