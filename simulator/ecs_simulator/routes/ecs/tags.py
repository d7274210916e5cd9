"""ECS API reference 5.9: tags as keys and values. Those of 6.15 are shown as pairs, split at their first ``=``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, ecs
from ecs_simulator.routes.fields import Fields
from ecs_simulator.routes.queries import MAX_LIMIT
from ecs_simulator.world import tagging, visibility
from ecs_simulator.world.refusal import Refusal, invalid
from ecs_simulator.world.resources import Server
from ecs_simulator.world.tagging import TagFilter, TagQuery

_SERVERS = "/v1/{project_id}/servers"
_TAGS = f"{_SERVERS}/{{server_id}}/tags"
_QUERY = f"{_SERVERS}/resource_instances/action"
_KEY = re.compile(r"[A-Za-z0-9_\-\u4e00-\u9fff]*")
_VALUE = re.compile(r"[A-Za-z0-9_.\-\u4e00-\u9fff]*")
_MAX_KEY, _MAX_VALUE = 36, 43
_MAX_ASKED_KEY, _MAX_ASKED_VALUE = 127, 255
_MAX_OFFSET = 10**9


def filter_servers(call: Call) -> Reply:
    """5.9.2: the servers themselves, newest first."""
    body = Fields(call.body)
    limit = body.integer("limit", 0, MAX_LIMIT)
    offset = body.integer("offset", 0, _MAX_OFFSET) or 0
    found = _matching(call)
    page = found[offset : offset + (MAX_LIMIT if limit is None else limit)]
    return Reply(200, {"resources": [_row(server) for server in page], "total_count": len(found)})


def count_servers(call: Call) -> Reply:
    """5.9.2: how many there are; ``limit`` and ``offset`` mean nothing."""
    return Reply(200, {"total_count": len(_matching(call))})


def add_tags(call: Call) -> Reply:
    """5.9.3: what is there already is fine, and another value replaces it."""
    server = call.project.server(call.path["server_id"])
    pairs: dict[str, str] = {}
    for tag in _tags(call):
        key = _key(tag, _MAX_KEY)
        if not _KEY.fullmatch(key):
            raise tag.bad("key", "has characters that are not allowed", "Ecs.0907")
        value = _value(tag, _MAX_VALUE)
        if value is None:
            raise tag.bad("value", "is missing", "Ecs.0906")
        if not _VALUE.fullmatch(value):
            raise tag.bad("value", "has characters that are not allowed", "Ecs.0907")
        _only_once(tag, key, pairs)
        pairs[key] = value
    tagging.set_pairs(call.world, call.project, server, pairs, cause=cause_of(call))
    return Reply(204)


def remove_tags(call: Call) -> Reply:
    """5.9.4: what is not there is fine. With a value only the tag that has it goes."""
    server = call.project.server(call.path["server_id"])
    pairs: dict[str, str | None] = {}
    for tag in _tags(call):
        key = _key(tag, _MAX_ASKED_KEY)
        _only_once(tag, key, pairs)
        pairs[key] = _value(tag, _MAX_ASKED_VALUE)
    if len(pairs) > tagging.MAX_PAIRS:
        raise Refusal("Ecs.0905", f"The number of tags exceeds the maximum allowed limit: {len(pairs)} of {tagging.MAX_PAIRS}.")
    tagging.remove_pairs(call.world, call.project, server, pairs, cause=cause_of(call))
    return Reply(204)


def list_project_tags(call: Call) -> Reply:
    """5.9.5."""
    found = tagging.of_project(visibility.listed(call.world, call.project))
    return Reply(200, {"tags": [{"key": key, "values": values} for key, values in found.items()]})


def list_tags(call: Call) -> Reply:
    """5.9.6."""
    return Reply(200, {"tags": _pairs(visibility.shown(call.world, call.project, call.path["server_id"]))})


def _row(server: Server) -> dict[str, Any]:
    return {"resource_id": server.id, "resource_detail": None, "resource_name": server.name, "tags": _pairs(server)}


def _pairs(server: Server) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tagging.pairs_of(server)]


def _matching(call: Call) -> list[Server]:
    body = Fields(call.body)
    query = TagQuery(
        every=_filters(body, "tags"),
        some=_filters(body, "tags_any"),
        not_every=_filters(body, "not_tags"),
        none=_filters(body, "not_tags_any"),
        name=_name(body),
    )
    return [server for server in visibility.listed(call.world, call.project) if query.holds(server)]


def _filters(body: Fields, name: str) -> tuple[TagFilter, ...]:
    """Read filters. Table 5-68 calls those of ``not_tags`` strings, and describes them as all others: a string is a key."""
    value = body.data.get(name)
    if isinstance(value, list):
        value = [{"key": item} if isinstance(item, str) else item for item in value]
    found: dict[str, TagFilter] = {}
    for tag in Fields({name: value}).parts(name):
        key = _key(tag, _MAX_ASKED_KEY)
        _only_once(tag, key, found)
        found[key] = TagFilter(key, frozenset(_values(tag)))
    return tuple(found.values())


def _values(tag: Fields) -> list[str]:
    values = tag.data.get("values")
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise tag.bad("values", "is no list of texts")
    if any(len(value) > _MAX_ASKED_VALUE for value in values):
        raise tag.bad("values", f"has one with more than {_MAX_ASKED_VALUE} characters", "Ecs.0906")
    if len(set(values)) != len(values):
        raise tag.bad("values", "has one twice", "Ecs.0906")
    return values


def _name(body: Fields) -> str | None:
    found: str | None = None
    for match in body.parts("matches"):
        if match.need_text("key") != "resource_name":
            raise match.bad("key", "must be resource_name")
        if found is not None:
            raise match.bad("key", "is there twice")
        found = match.need_text("value")
        if len(found) > _MAX_ASKED_VALUE:
            raise match.bad("value", f"has more than {_MAX_ASKED_VALUE} characters")
    return found


def _tags(call: Call) -> list[Fields]:
    tags = Fields(call.body).parts("tags")
    if not tags:
        raise invalid("tags is missing or empty", "Ecs.0906")
    return tags


def _key(tag: Fields, longest: int) -> str:
    key = tag.text("key")
    if key is None:
        raise tag.bad("key", "is missing or empty", "Ecs.0906")
    if len(key) > longest:
        raise tag.bad("key", f"has more than {longest} characters", "Ecs.0906")
    return key


def _value(tag: Fields, longest: int) -> str | None:
    """Return a value, which may be empty; None if it is missing."""
    value = tag.data.get("value")
    if value is None or value == "":
        return value
    if not isinstance(value, str):
        raise tag.bad("value", "is no text", "Ecs.0906")
    if len(value) > longest:
        raise tag.bad("value", f"has more than {longest} characters", "Ecs.0906")
    return value


def _only_once(tag: Fields, key: str, known: Mapping[str, object]) -> None:
    if key in known:
        raise tag.bad("key", f"{key[:_MAX_KEY]!r} is there twice", "Ecs.0908")


OPERATIONS = (
    Operation("5.9.2", "filterServersByTag", "POST", _QUERY, ecs(filter_servers), "filter", selector="action"),
    Operation("5.9.2", "countServersByTag", "POST", _QUERY, ecs(count_servers), "count", selector="action"),
    Operation("5.9.3", "createServerTags", "POST", f"{_TAGS}/action", ecs(add_tags), "create", selector="action"),
    Operation("5.9.4", "deleteServerTags", "POST", f"{_TAGS}/action", ecs(remove_tags), "delete", selector="action"),
    Operation("5.9.5", "listProjectTags", "GET", f"{_SERVERS}/tags", ecs(list_project_tags)),
    Operation("5.9.6", "showServerTags", "GET", _TAGS, ecs(list_tags)),
)
