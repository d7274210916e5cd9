"""Reading request bodies: what is wrong is refused with the field's name. Numbers and Booleans may come as text, as in the examples."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ecs_simulator.world.refusal import Refusal, invalid

_WHOLE = re.compile(r"-?[0-9]{1,15}")


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of a body and where it stands, such as ``server.nics[0]``. null and missing are the same."""

    data: Mapping[str, Any]
    where: str = ""

    @classmethod
    def of(cls, body: object, name: str) -> Fields:
        """Return a body's one object."""
        return cls(body if isinstance(body, Mapping) else {}).part(name)

    def place(self, name: str) -> str:
        """Return the path of a field."""
        return f"{self.where}.{name}" if self.where else name

    def bad(self, name: str, problem: str, code: str | None = None) -> Refusal:
        """Return the refusal of a field."""
        return invalid(f"{self.place(name)} {problem}", code)

    def only(self, names: Collection[str]) -> None:
        """Refuse fields that are none of these, in Nova's words."""
        unknown = sorted(str(name)[:64] for name in self.data if name not in names)
        if unknown:
            raise invalid(f"{self.where}: Additional properties are not allowed ({unknown[0]!r} was unexpected)")

    def has(self, name: str) -> bool:
        """Tell whether a field is there."""
        return self.data.get(name) is not None

    def part(self, name: str) -> Fields:
        """Return a mandatory object."""
        value = self.data.get(name)
        if not isinstance(value, Mapping):
            raise self.bad(name, "is missing or no object")
        return Fields(value, self.place(name))

    def optional_part(self, name: str) -> Fields | None:
        """Return an object or None."""
        return self.part(name) if self.has(name) else None

    def parts(self, name: str) -> list[Fields]:
        """Return a list of objects, an empty one if it is missing."""
        value = self.data.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            raise self.bad(name, "is no list of objects")
        return [Fields(item, f"{self.place(name)}[{index}]") for index, item in enumerate(value)]

    def text(self, name: str) -> str | None:
        """Return a text, None if it is missing or empty."""
        value = self.data.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.bad(name, "is no text")
        return value

    def need_text(self, name: str) -> str:
        """Return a mandatory text."""
        value = self.text(name)
        if value is None:
            raise self.bad(name, "is missing")
        return value

    def integer(self, name: str, low: int, high: int, *, code: str | None = None) -> int | None:
        """Return a whole number within bounds, None if it is missing."""
        value = self.data.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.bad(name, "is no whole number")
        if not low <= value <= high:
            raise self.bad(name, f"{value} is not within [{low}, {high}]", code)
        return value

    def need_integer(self, name: str, low: int, high: int) -> int:
        """Return a mandatory whole number within bounds."""
        value = self.integer(name, low, high)
        if value is None:
            raise self.bad(name, "is missing")
        return value

    def flag(self, name: str) -> bool | None:
        """Return a Boolean, None if it is missing."""
        value = self.data.get(name)
        if isinstance(value, str) and value.lower() in {"true", "false"}:
            return value.lower() == "true"
        if value is None or isinstance(value, bool):
            return value
        raise self.bad(name, "is neither true nor false")

    def choice(self, name: str, choices: tuple[str, ...]) -> str | None:
        """Return one of a few texts, None if it is missing."""
        value = self.text(name)
        if value is not None and value not in choices:
            raise self.bad(name, f"must be one of {', '.join(choices)}")
        return value

    def ids(self, name: str) -> list[str]:
        """Return the ids of a mandatory list of ``{"id": …}``."""
        return [item.need_text("id") for item in self.parts(name)]
