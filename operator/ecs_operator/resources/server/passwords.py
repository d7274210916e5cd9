"""The rules for a server's first password (ECS API reference 5.1.1, table 5-3), checked before the cloud sees it."""

from __future__ import annotations

SPECIALS = "!@$%^-_=+[]{};:,./~?*"
SHORTEST, LONGEST, CLASSES = 8, 26, 3


def password_problem(password: str, *, is_windows: bool) -> str | None:
    """What is wrong with the password, without any part of it; None when it may be used."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"the password has {len(password)} characters, {SHORTEST} to {LONGEST} are needed"
    if password != password.strip():
        return "the password begins or ends with white space, perhaps a line break that was stored with it"
    if any(not _is_allowed(character) for character in password):
        return f"the password holds characters other than A-Z a-z 0-9 {SPECIALS}"
    classes = sum(any(kind(character) for character in password) for kind in (str.isupper, str.islower, str.isdigit, SPECIALS.__contains__))
    if classes < CLASSES:
        return f"the password has {classes} of the four classes upper case, lower case, digits and {SPECIALS}; {CLASSES} are needed"
    user = "administrator" if is_windows else "root"
    lowered = password.lower()
    if user in lowered or user[::-1] in lowered:
        return f"the password holds the user's name {user}, forwards or backwards"
    if is_windows and any(user[start : start + 3] in lowered for start in range(len(user) - 2)):
        return "the password holds more than two consecutive characters of the user's name Administrator"
    return None


def _is_allowed(character: str) -> bool:
    return character in SPECIALS or (character.isascii() and character.isalnum())
