"""What the spec wants of a server that is there, and the server does not have: one difference a field, each with its cost. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from ecs_operator.api.server import Applied, ServerSpec, ServerStatus
from ecs_operator.cloud import Server

WRITABLE_STATES = frozenset({"active", "stopped", "paused", "suspended"})
"""vm_states in which metadata can be written (6.9)."""


class Cost(IntEnum):
    """What a change costs whoever uses the server, the cheapest first."""

    NONE = 0
    RESTART = 1

    @classmethod
    def named(cls, name: str) -> Cost:
        """The cost by its name in the spec."""
        return cls[name.upper()]

    @property
    def title(self) -> str:
        """Its name in spec and status."""
        return self.name.capitalize()


@dataclass(frozen=True, slots=True)
class Describe:
    """6.2.2: name and description. None leaves one alone."""

    name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class SetMetadata:
    """6.9.1: write these pairs, leave the others."""

    pairs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RemoveMetadata:
    """6.9.3: remove one pair."""

    key: str


@dataclass(frozen=True, slots=True)
class SetTags:
    """5.9.3: write these tags, leave the others."""

    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RemoveTags:
    """5.9.4: remove these tags."""

    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AddSecurityGroup:
    """6.5.1."""

    group_id: str


@dataclass(frozen=True, slots=True)
class RemoveSecurityGroup:
    """6.5.2."""

    group_id: str


@dataclass(frozen=True, slots=True)
class SetAutoRecovery:
    """11.1.2."""

    on: bool


@dataclass(frozen=True, slots=True)
class SetLock:
    """6.3.4 or 6.3.5."""

    on: bool


@dataclass(frozen=True, slots=True)
class Resize:
    """5.2.4, of a stopped server."""

    flavor: str


Edit = Describe | SetMetadata | RemoveMetadata | SetTags | RemoveTags | AddSecurityGroup | RemoveSecurityGroup | SetAutoRecovery | SetLock
"""What is done at once, on a server as it is."""
Change = Resize
"""What needs the server stopped."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. ``have`` and ``want`` are texts for people; metadata values may be secret to some, so only their keys are shown."""

    path: str
    have: str
    want: str
    deed: Edit | Change = field(repr=False)
    cost: Cost = Cost.NONE


def differences(spec: ServerSpec, server: Server, *, status: ServerStatus, name: str) -> tuple[Difference, ...]:
    """All differences, in the order in which they are best removed: the lock last, because it refuses much of the rest.

    ``status`` holds what the row lacks: security groups by id, automatic recovery, and what was set by us. ``name`` is the wanted name.
    """
    return (
        *_names(spec, server, name),
        *_metadata(spec, server, status.applied),
        *_tags(spec, server, status.applied),
        *_security_groups(spec, status),
        *_auto_recovery(spec, status),
        *_flavor(spec, server),
        *_lock(spec, server),
    )


def settled(spec: ServerSpec) -> Applied:
    """What is ours once nothing differs."""
    return Applied(metadata_keys=tuple(sorted(spec.metadata)), tag_keys=tuple(sorted(spec.tags)))


def claimed(applied: Applied | None, deed: Edit | Change) -> Applied:
    """What is ours from the moment a deed is about to be done: written ahead, so that it can be taken away again whatever happens."""
    before = applied or Applied()
    if isinstance(deed, SetMetadata):
        return before.model_copy(update={"metadata_keys": _union(before.metadata_keys, deed.pairs)})
    if isinstance(deed, SetTags):
        return before.model_copy(update={"tag_keys": _union(before.tag_keys, deed.tags)})
    return before


def tags_of(server: Server) -> dict[str, str]:
    """The tags of a row, where keys and values are one text; texts without a key are native tags that this API cannot change."""
    found: dict[str, str] = {}
    for text in server.tags:
        key, separator, value = text.partition("=")
        if separator:
            found[key] = value
    return found


def _names(spec: ServerSpec, server: Server, name: str) -> Iterable[Difference]:
    if server.name != name:
        yield Difference("spec.name", server.name, name, Describe(name=name))
    if spec.description is not None and server.is_detailed and server.description != spec.description:
        yield Difference("spec.description", server.description, spec.description, Describe(description=spec.description))


def _metadata(spec: ServerSpec, server: Server, applied: Applied | None) -> Iterable[Difference]:
    wrong = {key: value for key, value in spec.metadata.items() if server.metadata.get(key) != value}
    if wrong:
        missing = sorted(key for key in wrong if key not in server.metadata)
        other = sorted(key for key in wrong if key in server.metadata)
        have = ", ".join([*(f"{key} (another value)" for key in other), *(f"{key} (absent)" for key in missing)])
        yield Difference("spec.metadata", have, ", ".join(sorted(wrong)), SetMetadata(wrong))
    ours = applied.metadata_keys if applied is not None else ()
    for key in ours:
        if key not in spec.metadata and key in server.metadata:
            yield Difference(f"spec.metadata.{key}", key, "", RemoveMetadata(key))


def _tags(spec: ServerSpec, server: Server, applied: Applied | None) -> Iterable[Difference]:
    if not server.is_detailed:
        return
    present = tags_of(server)
    wrong = {key: value for key, value in spec.tags.items() if present.get(key) != value}
    ours = applied.tag_keys if applied is not None else ()
    spare = {key: present[key] for key in ours if key not in spec.tags and key in present}
    # First what goes: a server has at most ten tags.
    if spare:
        yield Difference("spec.tags", _tag_text(spare), "", RemoveTags(spare))
    if wrong:
        yield Difference("spec.tags", _tag_text({key: present[key] for key in wrong if key in present}), _tag_text(wrong), SetTags(wrong))


def _tag_text(tags: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(tags.items()))


def _security_groups(spec: ServerSpec, status: ServerStatus) -> Iterable[Difference]:
    """First the new ones: a server is never left without."""
    if spec.security_group_ids is None or not status.security_groups:
        return
    present = {group.id for group in status.security_groups}
    for group_id in sorted(set(spec.security_group_ids) - present):
        yield Difference("spec.securityGroupIds", "", group_id, AddSecurityGroup(group_id))
    for group_id in sorted(present - set(spec.security_group_ids)):
        yield Difference("spec.securityGroupIds", group_id, "", RemoveSecurityGroup(group_id))


def _auto_recovery(spec: ServerSpec, status: ServerStatus) -> Iterable[Difference]:
    wanted = spec.auto_recovery
    if wanted is not None and status.auto_recovery is not None and status.auto_recovery != wanted:
        yield Difference("spec.autoRecovery", _bool(status.auto_recovery), _bool(wanted), SetAutoRecovery(wanted))


def _flavor(spec: ServerSpec, server: Server) -> Iterable[Difference]:
    if server.flavor_id and server.flavor_id != spec.flavor:
        yield Difference("spec.flavor", server.flavor_id, spec.flavor, Resize(spec.flavor), Cost.RESTART)


def _lock(spec: ServerSpec, server: Server) -> Iterable[Difference]:
    if spec.locked is not None and server.is_detailed and spec.locked != server.locked:
        yield Difference("spec.locked", _bool(server.locked), _bool(spec.locked), SetLock(spec.locked))


def _bool(value: bool) -> str:  # noqa: FBT001 - a value, not a switch
    return "true" if value else "false"


def _union(before: Iterable[str], more: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*before, *more}))
