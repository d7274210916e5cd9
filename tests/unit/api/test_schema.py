"""What a model must have before it becomes a schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from ecs_operator.api.common import LIST_ATOMIC, LIST_SET, ApiModel, list_map, text
from ecs_operator.api.schema import SchemaError, structural_schema


class Item(ApiModel):
    """An item."""

    name: Annotated[str, text(10)]
    """Its name."""
    size: Annotated[int, Field(ge=1, le=5)] | None = None
    """Its
    size."""


class Part(ApiModel):
    """A part."""

    flag: bool = False
    """A flag."""


class Whole(ApiModel):
    """Everything at once."""

    one: Literal["Only"]
    """One value."""
    mode: Literal["A", "B"] = "A"
    """A mode."""
    big: Annotated[int, Field(ge=0, le=2**40)] | None = None
    """A big number."""
    items: Annotated[tuple[Item, ...], Field(max_length=3, json_schema_extra=list_map("name"))] = ()
    """Items."""
    ids: Annotated[tuple[Annotated[str, text(5)], ...], Field(max_length=3, json_schema_extra=LIST_SET)] | None = None
    """Ids."""
    labels: Annotated[dict[str, Annotated[str, Field(max_length=9)]], Field(max_length=4)] = Field(default_factory=dict)
    """Labels."""
    part: Part = Field(default_factory=Part, json_schema_extra={"default": {}})
    """What is said here wins."""


def test_a_whole_model() -> None:
    assert structural_schema(Whole, "spec") == {
        "type": "object",
        "description": "Everything at once.",
        "required": ["one"],
        "properties": {
            "one": {"type": "string", "enum": ["Only"], "description": "One value."},
            "mode": {"type": "string", "enum": ["A", "B"], "default": "A", "description": "A mode."},
            "big": {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**40, "description": "A big number."},
            "items": {
                "type": "array",
                "description": "Items.",
                "maxItems": 3,
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
                "items": {
                    "type": "object",
                    "description": "An item.",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "minLength": 1, "maxLength": 10, "description": "Its name."},
                        "size": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 5, "description": "Its size."},
                    },
                },
            },
            "ids": {
                "type": "array",
                "description": "Ids.",
                "maxItems": 3,
                "x-kubernetes-list-type": "set",
                "items": {"type": "string", "minLength": 1, "maxLength": 5},
            },
            "labels": {
                "type": "object",
                "description": "Labels.",
                "maxProperties": 4,
                "additionalProperties": {"type": "string", "maxLength": 9},
            },
            "part": {
                "type": "object",
                "description": "What is said here wins.",
                "default": {},
                "properties": {"flag": {"type": "boolean", "default": False, "description": "A flag."}},
            },
        },
    }


class UnboundedText(ApiModel):
    """A mistake."""

    field: str
    """A text."""


class UnboundedNumber(ApiModel):
    """A mistake."""

    field: Annotated[int, Field(ge=0)]
    """A number."""


class UnboundedList(ApiModel):
    """A mistake."""

    field: Annotated[tuple[bool, ...], Field(json_schema_extra=LIST_ATOMIC)]
    """A list."""


class UnboundedMap(ApiModel):
    """A mistake."""

    field: dict[str, bool]
    """A map."""


class UntypedMap(ApiModel):
    """A mistake."""

    field: Annotated[dict[str, Any], Field(max_length=3)]
    """A map."""


class ListWithoutMerge(ApiModel):
    """A mistake."""

    field: Annotated[tuple[bool, ...], Field(max_length=3)]
    """A list."""


class OptionalKey(ApiModel):
    """An item."""

    name: Annotated[str, text(5)] | None = None
    """A key that may be missing."""


class ListWithOptionalKey(ApiModel):
    """A mistake."""

    field: Annotated[tuple[OptionalKey, ...], Field(max_length=3, json_schema_extra=list_map("name"))]
    """A list."""


class DefaultInList(ApiModel):
    """A mistake."""

    field: Annotated[tuple[Part, ...], Field(max_length=3, json_schema_extra=LIST_ATOMIC)]
    """A list."""


class Undocumented(ApiModel):
    """A mistake."""

    field: bool


class AFraction(ApiModel):
    """A mistake."""

    field: Annotated[float, Field(ge=0, le=1)]
    """A number."""


class AUnion(ApiModel):
    """A mistake."""

    field: Annotated[int, Field(ge=0, le=1)] | Annotated[str, text(5)]
    """Either."""


class Endless(ApiModel):
    """A mistake."""

    field: Endless | None = None
    """Itself."""


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (UnboundedText, "spec.field: string without bounds"),
        (UnboundedNumber, "spec.field: integer without bounds"),
        (UnboundedList, "spec.field: array without bounds"),
        (UnboundedMap, "spec.field: object without bounds"),
        (UntypedMap, "spec.field: a map needs a type for its values"),
        (ListWithoutMerge, "spec.field: a list says how it merges"),
        (ListWithOptionalKey, "spec.field: the keys of a list-map are required fields"),
        (DefaultInList, "spec.field[].flag: no default inside list items"),
        (Undocumented, "spec.field: no description"),
        (AFraction, "spec.field: the type number is not used here"),
        (AUnion, "spec.field: anyOf is not structural"),
        (Endless, "spec.field: Endless contains itself"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_mistakes_are_refused(model: type[ApiModel], says: str) -> None:
    with pytest.raises(SchemaError) as refusal:
        structural_schema(model, "spec")
    assert says in str(refusal.value)
