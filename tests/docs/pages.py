"""Reading the project's Markdown: fenced blocks, commands, links, anchors."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ecs_lab.repository import repository_root

ROOT = repository_root()
PROGRAMS = ("make", "kubectl", "ecs-lab", "ecs-simulator", "ecs-operator")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_SPAN = re.compile(r"`([^`]+)`")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_INNER = re.compile(r"\$\(([^()]*)\)")


@dataclass(frozen=True, slots=True)
class Command:
    """One command line of the documentation, without what pipes and substitutions add to it."""

    program: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return shlex.join((self.program, *self.arguments))


def pages() -> list[Path]:
    """Every page that a reader may open."""
    folders = [ROOT / "docs", ROOT / "simulator", ROOT / "tools"]
    return sorted([*ROOT.glob("*.md"), *(page for folder in folders for page in folder.rglob("*.md"))])


def blocks(text: str, *languages: str) -> list[str]:
    """Fenced blocks of these languages."""
    return [body for language, body in _FENCE.findall(text) if language in languages]


def commands(text: str) -> Iterator[Command]:
    """The commands of consoles (after the prompt, or every line where there is none), and of spans of code that begin with a program."""
    for block in blocks(text, "console", "sh"):
        lines = block.splitlines()
        prompted = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        for line in prompted or lines:
            if any(program in line for program in PROGRAMS):
                yield from _parsed(re.split(r"\s+#\s", line)[0])
    prose = _FENCE.sub("", text)
    for span in _SPAN.findall(prose):
        if span.split()[0] in PROGRAMS and " " in span and "…" not in span:
            yield from _parsed(span)


def _parsed(line: str) -> Iterator[Command]:
    """The commands in one line: those of `$(…)` first, then those that `&&` and pipes join."""
    for inner in _INNER.findall(line):
        yield from _parsed(inner)
    outer = _INNER.sub("VALUE", line)
    lexer = shlex.shlex(outer, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word in {"|", "&&", "&", ";", "||", ">", "<"}:
            if words and Path(words[0]).name in PROGRAMS:
                yield Command(Path(words[0]).name, tuple(words[1:]))
            words = []
        else:
            words.append(word)


def links(text: str) -> list[str]:
    """Where the page leads to within the repository."""
    return [target for target in _LINK.findall(_FENCE.sub("", text)) if "://" not in target]


def anchors(page: Path) -> set[str]:
    """The headings of a page as a link names them."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text()))
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
