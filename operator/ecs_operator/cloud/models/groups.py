"""Server groups (ECS API reference 5.10, 6.12)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from ecs_operator.cloud.models.wire import Answer, MaybeText, Text


def _none(value: object) -> object:
    return () if value is None else value


class ServerGroup(Answer):
    """A group. ``members`` are ids of servers. Names need not be unique. Project and user are told by 6.12 only."""

    id: str
    name: Text = ""
    policies: Annotated[tuple[str, ...], BeforeValidator(_none)] = ()
    members: Annotated[tuple[str, ...], BeforeValidator(_none)] = ()
    project_id: Text = ""
    user_id: Text = ""


class ServerGroupAnswer(Answer):
    """The answer of 5.10.1, 5.10.6, 6.12.1 and 6.12.3."""

    server_group: ServerGroup


class PageInfo(Answer):
    """Where the next page starts (table 5-102)."""

    next_marker: MaybeText = None


class ServerGroupPage(Answer):
    """One page of 5.10.5, or the answer of 6.12.2."""

    server_groups: tuple[ServerGroup, ...]
    page_info: PageInfo | None = Field(default=None)
