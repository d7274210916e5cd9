"""The two manners of models: answers are read tolerantly, requests are checked before they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from ecs_operator.cloud.errors import invalid

UUID_PATTERN = r"^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$"
METADATA_KEY_PATTERN = r"^[A-Za-z0-9_:.-]{1,255}$"
"""Without the space that 5.1.1 allows: 6.9 refuses it, and what is created must remain changeable."""


def _text(value: object) -> object:
    return "" if value is None else value


def _number(value: object) -> object:
    return 0 if value is None or value == "" else value


def _absent(value: object) -> object:
    return None if value == "" else value


def _mapping(value: object) -> object:
    """Drop what has no value; numbers and Booleans become text, as the rest of a metadata map is."""
    if not isinstance(value, Mapping):
        return value
    return {str(key): item if isinstance(item, str) else str(item) for key, item in value.items() if item is not None}


Text = Annotated[str, BeforeValidator(_text)]
"""A string; null is empty."""
Number = Annotated[int, BeforeValidator(_number)]
"""An integer, also as text; null and "" are 0."""
MaybeText = Annotated[str | None, BeforeValidator(_absent)]
MaybeNumber = Annotated[int | None, BeforeValidator(_absent)]
Pairs = Annotated[dict[str, str], BeforeValidator(_mapping)]
"""A metadata map; null is none, because null could hide what is in it."""
Uuid = Annotated[str, StringConstraints(pattern=UUID_PATTERN)]


class Answer(BaseModel):
    """Part of an answer: unknown fields are ignored, numbers may come as text."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True, coerce_numbers_to_str=True, hide_input_in_errors=True)


class Request(BaseModel):
    """Part of a request. Making one raises CloudError (not sent, invalid) that names the field by the reference's path."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)

    operation: ClassVar[str] = "request"
    place: ClassVar[str] = ""
    """Where it stands in the body, e.g. ``server.nics[]``."""

    def __init__(self, **fields: object) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            path = "".join(self._step(step) for step in first["loc"])
            field = f"{self.place}{path}".lstrip(".") or "body"
            raise invalid(operation=self.operation, field=field, problem=first["msg"].removeprefix("Value error, ")) from None

    @classmethod
    def _step(cls, step: str | int) -> str:
        """One step of the path, by the reference's name."""
        if isinstance(step, int):
            return f"[{step}]"
        known = cls.model_fields.get(step)
        return f".{known.alias if known and known.alias else step}"
