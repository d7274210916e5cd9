"""What is injected into a server when its system is installed (ECS API reference, tables 5-3, 5-13 and 5-17)."""

from __future__ import annotations

import base64
import binascii

from ecs_simulator.routes.fields import Fields

MAX_USER_DATA = 32 * 1024
"""Bytes before base64."""


def read_user_data(fields: Fields) -> str | None:
    """Return the base64 text of a field ``user_data``, None if it is missing; refused if it is something else or too long."""
    text = fields.text("user_data")
    if text is None:
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise fields.bad("user_data", "is not base64") from None
    if len(raw) > MAX_USER_DATA:
        raise fields.bad("user_data", f"is longer than {MAX_USER_DATA} bytes before base64")
    return text
