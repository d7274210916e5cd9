"""How the world says no: with a code of table A.2. What HTTP makes of it is up to the routes."""

from __future__ import annotations


class Refusal(Exception):  # noqa: N818
    """A documented refusal: nothing was changed. ``details`` are specific codes under a general one, as 5.1.1's example shows."""

    def __init__(self, code: str, message: str, *, details: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details


class Absent(Refusal):
    """What the request is about does not exist (any more). ``kind`` names it in words: server, volume, server group."""

    def __init__(self, kind: str, identity: str, *, code: str) -> None:
        super().__init__(code, f"{kind[0].upper()}{kind[1:]} {identity} could not be found.")
        self.kind = kind


class Taken(Refusal):
    """There is one of this name already, and there may be only one."""

    def __init__(self, message: str) -> None:
        super().__init__("Ecs.0005", message)


def invalid(message: str, code: str | None = None) -> Refusal:
    """Return the refusal of a wrong request: the general code, with the specific one, if there is one, in the details."""
    return Refusal("Ecs.0005", message, details=(code,) if code is not None else ())
