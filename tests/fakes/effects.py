"""Everything a pass changes, in order, and a process that dies right before or right after any of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

When = Literal["before", "after"]


class KilledError(BaseException):
    """The process died here. Not an Exception: nothing may catch it and go on."""


@dataclass
class Effects:
    """Shared by the fakes of one test. ``log`` holds what was carried out, e.g. ``apply_status`` or ``createServerGroup``."""

    log: list[str] = field(default_factory=list)
    _deadly: tuple[int, When] | None = None

    def kill(self, number: int, when: When) -> None:
        """Die before or after the effect of this number, counted from 0 over the whole test."""
        self._deadly = (number, when)

    @contextmanager
    def carried_out(self, name: str) -> Iterator[None]:
        """Put around the change itself."""
        number = len(self.log)
        self._die(number, "before")
        yield
        self.log.append(name)
        self._die(number, "after")

    def _die(self, number: int, when: When) -> None:
        if self._deadly == (number, when):
            self._deadly = None
            raise KilledError(f"{when} effect {number}")
