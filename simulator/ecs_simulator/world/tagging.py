"""Tags of servers. Both families see the same ones: the pair k, v of 5.9 is the tag ``k=v`` of 6.15, and one without a value is ``k``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecs_simulator.world import commands
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Refusal, invalid
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

Pair = tuple[str, str]

MAX_PAIRS = 10
MAX_TAGS = 50
MAX_LENGTH = 80
RESERVED = "__type_"
"""How the tags begin that say what kind of server it is (table 6-223); users have nothing to do with them."""
_STATES = frozenset({"active", "stopped", "paused", "suspended"})


def tag_of(key: str, value: str) -> str:
    """Return a pair as a tag."""
    return f"{key}={value}" if value else key


def pair_of(tag: str) -> Pair:
    """Return a tag as a pair."""
    key, _, value = tag.partition("=")
    return key, value


def pairs_of(server: Server) -> list[Pair]:
    """Return a server's tags as pairs, without those that are reserved."""
    return list(dict.fromkeys(pair_of(tag) for tag in server.tags if not tag.startswith(RESERVED)))


@dataclass(frozen=True, slots=True)
class TagFilter:
    """A key, with one of the values; without values it may have any (table 5-69)."""

    key: str
    values: frozenset[str] = frozenset()

    def holds(self, pairs: Collection[Pair]) -> bool:
        """Tell whether one of the pairs is meant."""
        return any(key == self.key and (not self.values or value in self.values) for key, value in pairs)


@dataclass(frozen=True, slots=True)
class TagQuery:
    """Which servers 5.9.2 is about: those with all tags of ``every``, one of ``some``, not all of ``not_every``, none of ``none``.

    ``name`` is a part of their name.
    """

    every: tuple[TagFilter, ...] = ()
    some: tuple[TagFilter, ...] = ()
    not_every: tuple[TagFilter, ...] = ()
    none: tuple[TagFilter, ...] = ()
    name: str | None = None

    def holds(self, server: Server) -> bool:
        """Tell whether a server is meant."""
        if self.name is not None and self.name.lower() not in server.name.lower():
            return False
        pairs = pairs_of(server)
        return (
            all(each.holds(pairs) for each in self.every)
            and (not self.some or any(each.holds(pairs) for each in self.some))
            and (not self.not_every or not all(each.holds(pairs) for each in self.not_every))
            and not any(each.holds(pairs) for each in self.none)
        )


def of_project(servers: Iterable[Server]) -> dict[str, list[str]]:
    """Return all values in use by key (5.9.5), both in alphabetical order."""
    found: dict[str, set[str]] = {}
    for server in servers:
        for key, value in pairs_of(server):
            found.setdefault(key, set()).add(value)
    return {key: sorted(found[key]) for key in sorted(found)}


def set_pairs(world: World, project: Project, server: Server, pairs: Mapping[str, str], *, cause: Cause) -> None:
    """Add pairs; those whose key is there get the new value (5.9.3). Refused above ten pairs (Ecs.0905)."""
    kept = [tag for tag in server.tags if pair_of(tag)[0] not in pairs]
    tags = [*kept, *(tag_of(key, value) for key, value in pairs.items())]
    count, before = (sum(not tag.startswith(RESERVED) for tag in each) for each in (tags, server.tags))
    # There may be more already, given natively: those can still be changed.
    if count > max(MAX_PAIRS, before):
        raise Refusal("Ecs.0905", f"The number of tags exceeds the maximum allowed limit: {count} of {MAX_PAIRS}.")
    if set(tags) != set(server.tags):
        _write(world, project, server, tags, cause)


def remove_pairs(world: World, project: Project, server: Server, pairs: Mapping[str, str | None], *, cause: Cause) -> None:
    """Remove pairs by key, or only if they have this value (5.9.4). What is not there does not matter."""

    def goes(tag: str) -> bool:
        key, value = pair_of(tag)
        return not tag.startswith(RESERVED) and key in pairs and pairs[key] in {None, value}

    _write(world, project, server, [tag for tag in server.tags if not goes(tag)], cause)


def replace(world: World, project: Project, server: Server, tags: Iterable[str], *, cause: Cause) -> None:
    """Replace all tags, none of them twice (6.15.2, 6.15.3). Reserved ones stay."""
    commands.require_state(server, "update_tags", _STATES)
    chosen = list(dict.fromkeys(tags))
    for tag in chosen:
        check(tag)
    if len(chosen) > MAX_TAGS:
        raise invalid(f"The number of tags exceeded the per-server limit {MAX_TAGS}")
    _write(world, project, server, [*(tag for tag in server.tags if tag.startswith(RESERVED)), *chosen], cause)


def add(world: World, project: Project, server: Server, tag: str, *, cause: Cause) -> bool:
    """Add one tag (6.15.4) and tell whether it is new."""
    commands.require_state(server, "add_tag", _STATES)
    check(tag)
    if tag in server.tags:
        return False
    if len(server.tags) >= MAX_TAGS:
        raise invalid(f"The number of tags exceeded the per-server limit {MAX_TAGS}")
    _write(world, project, server, [*server.tags, tag], cause)
    return True


def remove(world: World, project: Project, server: Server, tag: str, *, cause: Cause) -> bool:
    """Remove one tag (6.15.6) and tell whether it was there."""
    commands.require_state(server, "remove_tag", _STATES)
    if tag not in server.tags:
        return False
    if tag.startswith(RESERVED):
        raise invalid(f"Tag {tag} is reserved")
    _write(world, project, server, [each for each in server.tags if each != tag], cause)
    return True


def check(tag: str) -> None:
    """Refuse a text that no user may give a server as tag (6.15.2, 6.15.4; the comma and the slash as in Nova)."""
    if not 1 <= len(tag) <= MAX_LENGTH:
        raise invalid(f"Tag {tag[:MAX_LENGTH]!r} must have 1 to {MAX_LENGTH} characters")
    if "," in tag or "/" in tag:
        raise invalid(f"Tag {tag!r} must have neither ',' nor '/' in it")
    if tag.startswith(RESERVED):
        raise invalid(f"Tag {tag} is reserved")


def _write(world: World, project: Project, server: Server, tags: list[str], cause: Cause) -> None:
    if tags == server.tags:
        return
    server.tags = tags
    world.record(project, server, "tag", cause, tags=list(tags))
