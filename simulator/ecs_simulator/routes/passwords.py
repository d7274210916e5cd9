"""The rules of passwords (ECS API reference, table 5-3)."""

from __future__ import annotations

from ecs_simulator.world.refusal import invalid

SPECIALS = "!@$%^-_=+[]{}:,./~?*;"


def require_strong(password: str, *, where: str, user: str, windows: bool) -> None:
    """Refuse a weak password (Ecs.0011); the text never repeats it."""
    kinds = (str.isupper, str.islower, str.isdigit, SPECIALS.__contains__)
    allowed = all(character.isascii() and (character.isalnum() or character in SPECIALS) for character in password)
    if not 8 <= len(password) <= 26 or not allowed or sum(any(map(kind, password)) for kind in kinds) < 3:
        raise invalid(f"{where} must have 8 to 26 characters of three kinds at least: upper, lower, digits, {SPECIALS}", "Ecs.0011")
    lowered, name = password.lower(), user.lower()
    if name in lowered or name[::-1] in lowered:
        raise invalid(f"{where} must not have the user name in it, nor its reverse", "Ecs.0011")
    if windows and any(user[index : index + 3] in password for index in range(len(user) - 2)):
        raise invalid(f"{where} must not have more than two consecutive characters of the user name in it", "Ecs.0011")
