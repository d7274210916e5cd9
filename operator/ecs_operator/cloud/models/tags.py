"""Tags of servers: keys and values (ECS API reference 5.9), and plain texts (6.15)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, StringConstraints, field_validator

from ecs_operator.cloud.models.wire import Answer, Number, Request, Text

_Value = Annotated[str, StringConstraints(max_length=255)]


class TagFilter(Request):
    """Servers with this tag: the key with one of the values, or without values whatever its value is (table 5-69)."""

    operation: ClassVar[str] = "filterServersByTag"
    place: ClassVar[str] = "tags[]"

    key: str = Field(min_length=1, max_length=127)
    values: tuple[_Value, ...] = ()

    @field_validator("values")
    @classmethod
    def _are_unique(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(values)) != len(values):
            raise ValueError("each value once")
        return values

    def body(self) -> dict[str, object]:
        """As it is sent: without values, any."""
        return {"key": self.key, "values": list(self.values)} if self.values else {"key": self.key}


class TagQuery(Request):
    """Which servers are looked for: with all of ``tags``, without all of ``not_tags``, and with ``name`` in their names (table 5-68).

    A server that has some of ``not_tags``, and not all of them, is found.
    """

    operation: ClassVar[str] = "filterServersByTag"

    tags: tuple[TagFilter, ...] = ()
    not_tags: tuple[TagFilter, ...] = ()
    name: str | None = Field(alias="matches[].value", default=None, min_length=1, max_length=255)

    @field_validator("tags", "not_tags")
    @classmethod
    def _have_unique_keys(cls, filters: tuple[TagFilter, ...]) -> tuple[TagFilter, ...]:
        if len({each.key for each in filters}) != len(filters):
            raise ValueError("each key once")
        return filters

    def body(self) -> dict[str, object]:
        """The filters as they are sent; those that filter nothing are left out."""
        filters: dict[str, object] = {}
        for field, chosen in (("tags", self.tags), ("not_tags", self.not_tags)):
            if chosen:
                filters[field] = [each.body() for each in chosen]
        if self.name is not None:
            filters["matches"] = [{"key": "resource_name", "value": self.name}]
        return filters


def _none(value: object) -> object:
    return () if value is None else value


class Tag(Answer):
    """One tag of a server."""

    key: str
    value: Text = ""


_Rows = Annotated[tuple[Tag, ...], BeforeValidator(_none)]


class TaggedServer(Answer):
    """A server found by its tags (table 5-72)."""

    id: str = Field(alias="resource_id")
    name: Text = Field(alias="resource_name", default="")
    rows: _Rows = Field(alias="tags", default=())

    @property
    def tags(self) -> Mapping[str, str]:
        """Its tags by key."""
        return {row.key: row.value for row in self.rows}


class TaggedServers(Answer):
    """A page of 5.9.2."""

    resources: tuple[TaggedServer, ...]
    total_count: Number = 0


class TaggedServerCount(Answer):
    """The answer of 5.9.2 to ``count``."""

    total_count: int


class ServerTagsAnswer(Answer):
    """The answer of 5.9.6."""

    tags: _Rows


class ProjectTag(Answer):
    """A key in use, with its values."""

    key: str
    values: Annotated[tuple[str, ...], BeforeValidator(_none)] = ()


class ProjectTagsAnswer(Answer):
    """The answer of 5.9.5."""

    tags: Annotated[tuple[ProjectTag, ...], BeforeValidator(_none)]


class NativeTagsAnswer(Answer):
    """The answer of 6.15.1 and 6.15.2."""

    tags: tuple[str, ...]
