"""How an example is replayed: which request, in which world, and which printed response its answer is held against."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.contract.examples.scene import Scene

REFERENCE = Path(__file__).parents[2] / "reference"
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    row["section"]: row for row in json.loads((REFERENCE / "examples.json").read_text(encoding="utf-8"))
}
# The id that stands for the server where no example of a section names one.
SERVER = "616fb98f-46ca-475e-917e-2563e5a8cd19"
OK = frozenset({200, 201, 202, 204})


def nothing(_: Scene) -> None:
    """Suppose nothing but the world of the examples."""


@dataclass(frozen=True)
class Case:
    """One call of one section.

    ``request`` and ``response`` are numbers in the list of the section's examples, None for no body. ``path`` are the path's variables in
    the example's own ids. ``parts`` puts examples that are parts of a body, by number, where they belong: ``{"server.nics": [5]}``;
    ``filled`` puts other values there, which the reference prints outside of what the extraction took for the example, or masked.
    ``sends`` is a raw body, to provoke the error that is printed.
    """

    section: str
    request: int | None = None
    response: int | None = None
    before: Callable[[Scene], object] = nothing
    path: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    query: str = ""
    version: str | None = None
    statuses: frozenset[int] = OK
    parts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    filled: Mapping[str, Any] = field(default_factory=dict)
    sends: bytes | None = None
    action: str | None = None

    def __str__(self) -> str:
        return f"{self.section} {self.name}".strip()

    @property
    def body(self) -> Any:
        """The example's request, parts and fillings put in."""
        requests = EXAMPLES[self.section]["requests"]
        if self.request is None:
            return None
        body = json.loads(json.dumps(requests[self.request]))
        for place, numbers in self.parts.items():
            _put(body, place, [requests[number] for number in numbers])
        for place, value in self.filled.items():
            _put(body, place, value)
        return body

    @property
    def example(self) -> Any:
        """The response that is printed, None for none."""
        return EXAMPLES[self.section]["responses"][self.response] if self.response is not None else None

    @property
    def used(self) -> set[tuple[str, str, int]]:
        """Which examples are replayed in it: section, kind and number."""
        numbers = {number for part in self.parts.values() for number in part} | ({self.request} if self.request is not None else set())
        found = {(self.section, "request", number) for number in numbers}
        return found | ({(self.section, "response", self.response)} if self.response is not None else set())


def _put(body: Any, place: str, value: Any) -> None:
    """Put a value where it belongs; a name that ends with an exclamation mark takes the one element of a list."""
    *way, last = place.split(".")
    for name in way:
        body = body.setdefault(name, {})
    if last.endswith("!"):
        last, value = last[:-1], value[0]
    body[last] = value
