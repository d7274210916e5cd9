"""What commands answer, without what is another one each time: ages, times, ids that were drawn.

What is put in its place looks like it and is the same in every run: ids by the order in which they are seen on a page, times and ages all
the same. Tables are set anew, because an age or an address may be wider or narrower than what stands for it.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

AGE = "1m"
_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_CLOCK = re.compile(r"\b\d\d:\d\d:\d\d UTC")
_VERSION = re.compile(r"(Resource Version: +)\d+")
_IDS = (
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b",
    r"\b[0-9a-f]{32,64}\b",
    r"\bfa(?::[0-9a-f]{2}){5}\b",
    r"(?<=[a-z]-)[0-9a-f]{8}\b(?!-)",  # what the operator appends to the name of a group
)
_ID = re.compile("|".join(_IDS))
_DURATION = re.compile(r"\b(?:\d+[smhd])+\b|<unknown>")
_TABLE = re.compile(r"^(NAME|NAMESPACE)\s{2,}\S")
_EVENTS = re.compile(r"^  Type\s+Reason\s+Age\s+From\s+Message$")


@dataclass(kw_only=True)
class Names:
    """What stands for the drawn ids of a page. Those in ``known`` are not drawn: they stand in manifests."""

    page: str
    known: frozenset[str]
    given: Mapping[str, str] = field(default_factory=dict)

    def after(self, text: str) -> Names:
        """With names for the ids of this text, too."""
        given = dict(self.given)
        for found in _ID.findall(text):
            if found not in self.known and found not in given:
                given[found] = _like(found, f"{self.page} {len(given)}")
        return Names(page=self.page, known=self.known, given=given)

    def put_in(self, text: str) -> str:
        """The text with these names."""
        return _ID.sub(lambda found: self.given.get(found[0], found[0]), text)


def ids_in(text: str) -> frozenset[str]:
    """All ids of a text."""
    return frozenset(_ID.findall(text))


def normal(text: str, *, names: Names, addresses: Mapping[str, str]) -> str:
    """The answer as it stands in the page. ``addresses`` are those of this machine, and what stands for them."""

    def shown(part: str) -> str:
        for address, instead in addresses.items():
            part = part.replace(address, instead)
        part = _CLOCK.sub("09:05:00 UTC", _TIME.sub("2026-03-02T09:00:00Z", part))
        return names.put_in(_VERSION.sub(r"\g<1>1000", part)).rstrip()

    return "\n".join(_set_anew(text.split("\n"), shown)).rstrip() + "\n"


def _like(drawn: str, seed: str) -> str:
    """Another id of the same form."""
    digits = hashlib.sha256(seed.encode()).hexdigest()
    if ":" in drawn:
        return "fa:16:3e:" + ":".join(digits[at : at + 2] for at in (0, 2, 4))
    if "-" in drawn:
        return str(uuid.UUID(digits[:32]))
    return digits[: len(drawn)]


def _set_anew(lines: Sequence[str], shown: Callable[[str], str]) -> Iterable[str]:
    """Tables with all their ages alike, and columns as wide as they need to be for what is shown."""
    at = 0
    while at < len(lines):
        if _TABLE.match(lines[at]):
            end, gap = _end(lines, at), 3
        elif _EVENTS.match(lines[at]):
            end, gap = _end(lines, at), 2
        else:
            yield shown(lines[at])
            at += 1
            continue
        yield from _table(lines[at:end], shown, gap=gap)
        at = end


def _end(lines: Sequence[str], start: int) -> int:
    return next((at for at in range(start, len(lines)) if not lines[at].strip()), len(lines))


def _table(lines: Sequence[str], shown: Callable[[str], str], *, gap: int) -> Iterable[str]:
    header = lines[0]
    indent = len(header) - len(header.lstrip())
    starts = [found.start() for found in re.finditer(r"\S+(?: \S+)*", header)]
    bounds = [*zip(starts, [*starts[1:], None], strict=True)]
    rows = [[shown(line[start:end].strip()) for start, end in bounds] for line in lines]
    is_age = [name.upper() == "AGE" for name in rows[0]]
    cells = [[_DURATION.sub(AGE, cell) if old else cell for cell, old in zip(row, is_age, strict=True)] for row in rows]
    widths = [max(len(row[column]) for row in cells if set(row[column]) != {"-"}) for column in range(len(starts))]
    for row in cells:
        yield " " * indent + (" " * gap).join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
