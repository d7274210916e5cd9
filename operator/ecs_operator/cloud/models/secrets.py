"""Rules of what must stay secret: passwords and user data (ECS API reference, tables 5-3, 5-13 and 5-17)."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import AfterValidator, SecretStr

USER_DATA_LIMIT = 32 * 1024
"""Bytes before base64."""
_SPECIALS = "!@$%^-_=+[]{}:,./~?*;"


def _strong(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    kinds = (str.isupper, str.islower, str.isdigit, _SPECIALS.__contains__)
    known = all(character.isascii() and (character.isalnum() or character in _SPECIALS) for character in text)
    if not 8 <= len(text) <= 26 or not known or sum(any(map(kind, text)) for kind in kinds) < 3:
        raise ValueError(f"8 to 26 characters of at least three kinds: upper case, lower case, digits, {_SPECIALS}")
    return value


def _fitting(value: SecretStr) -> SecretStr:
    try:
        raw = base64.b64decode(value.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("must be base64") from None
    if len(raw) > USER_DATA_LIMIT:
        raise ValueError("at most 32 KiB before base64")
    return value


StrongPassword = Annotated[SecretStr, AfterValidator(_strong)]
"""A password within the rules. Whether it holds the user's name only the cloud can tell."""
UserData = Annotated[SecretStr, AfterValidator(_fitting)]
"""User data as base64 text of at most 32 KiB before it."""
