"""Pages whose consoles are real: what stands in them was typed, and what was answered is what stands below.

A page is played from its top to its end. Of its fenced blocks

- ``yaml`` that begins with a comment such as ``# web-0.yaml`` is a file of that name;
- ``console`` holds commands, each after ``$ ``, continued where a line ends with a backslash, and below each what it answers.

A comment ``<!-- run: COMMAND -->`` is a command that readers do not need: it makes the cloud slow, or waits. It must succeed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PARTS = re.compile(r"^```(\w*)\n(.*?)^```$|^<!-- run: (.*?) -->$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w.-]+\.yaml)\n")
_ONLY_LOOKS = re.compile(r"kubectl (get|describe|explain|wait|events)\b")


@dataclass(frozen=True, slots=True)
class File:
    """A manifest of the page."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One command. ``start`` and ``end`` are where its answer stands in the page."""

    command: str
    answer: str
    start: int
    end: int

    @property
    def only_looks(self) -> bool:
        """It changes nothing, so it may be repeated until it answers what is expected."""
        return _ONLY_LOOKS.match(self.command) is not None


@dataclass(frozen=True, slots=True)
class Hidden:
    """A command that readers do not see, and whose answer does not matter."""

    command: str


def steps(text: str) -> Iterator[File | Entry | Hidden]:
    """What the page does, in its order."""
    for part in _PARTS.finditer(text):
        language, body, hidden = part.groups()
        if hidden is not None:
            yield Hidden(hidden)
        elif language == "yaml" and (named := _FILE.match(body)):
            yield File(named[1], body)
        elif language == "console":
            yield from _entries(body, offset=part.start(2))


def _entries(body: str, *, offset: int) -> Iterator[Entry]:
    command: list[str] = []
    start = position = 0
    lines = body.splitlines(keepends=True)
    is_open = False
    for line in [*lines, "$ "]:
        if line.startswith("$ ") and not is_open:
            if command:
                yield Entry("\n".join(command), body[start:position], offset + start, offset + position)
            command, start = [line[2:].rstrip("\n")], position + len(line)
            is_open = line.endswith("\\\n")
        elif is_open:
            command.append(line.rstrip("\n"))
            start = position + len(line)
            is_open = line.endswith("\\\n")
        position += len(line)


def with_answers(text: str, answers: list[tuple[Entry, str]]) -> str:
    """The page with other answers."""
    for entry, answer in reversed(answers):
        text = text[: entry.start] + answer + text[entry.end :]
    return text
