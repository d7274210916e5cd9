"""Every effect of a pass, numbered, with what is to go wrong at some of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

When = Literal["before", "after"]
T = TypeVar("T")


class Crash(BaseException):
    """The process is killed here."""


@dataclass
class Mishap:
    """At the ``nth`` effect of this name (``*`` is any): raise ``error`` before it is carried out, or after."""

    name: str
    when: When
    error: BaseException
    nth: int = 1
    hits: int = 0
    seen: int = 0


@dataclass
class Effects:
    """What was done, in order."""

    log: list[str] = field(default_factory=list)
    mishaps: list[Mishap] = field(default_factory=list)
    hooks: dict[str, Callable[[], None]] = field(default_factory=dict)
    """Run once before the effect of this name: somebody else acts at this very moment."""

    def plan(self, name: str, when: When, error: BaseException, *, nth: int = 1) -> Mishap:
        mishap = Mishap(name, when, error, nth)
        self.mishaps.append(mishap)
        return mishap

    def perform(self, name: str, do: Callable[[], T]) -> T:
        self.log.append(name)
        if (hook := self.hooks.pop(name, None)) is not None:
            hook()
        due = []
        for mishap in self.mishaps:
            if mishap.name in {name, "*"}:
                mishap.seen += 1
                if mishap.seen == mishap.nth:
                    due.append(mishap)
        for mishap in due:
            mishap.hits += 1
            if mishap.when == "before":
                raise mishap.error
        try:
            return do()
        finally:
            for mishap in due:
                raise mishap.error

    def count(self, name: str) -> int:
        return self.log.count(name)
