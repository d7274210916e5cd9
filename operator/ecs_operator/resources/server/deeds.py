"""What can be done to a server that is there, and what it costs whoever uses it (design: api.md, the planner's table)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from ecs_operator.api.server import AppliedInterface, Installation


class Cost(IntEnum):
    """What a change costs whoever uses the server, the cheapest first."""

    NONE = 0
    RESTART = 1
    REINSTALL = 2
    REPLACE = 3

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
class LeaveGroup:
    """5.10.4, of a server as it is."""

    group_id: str


@dataclass(frozen=True, slots=True)
class BindAddress:
    """11.5.1: put a public address on the interface with this private one."""

    id: str
    address: str
    fixed_address: str | None


@dataclass(frozen=True, slots=True)
class UnbindAddress:
    """11.5.2: take a public address off the server."""

    address: str


@dataclass(frozen=True, slots=True)
class AddInterface:
    """5.5.1."""

    interface: AppliedInterface


@dataclass(frozen=True, slots=True)
class RemoveInterface:
    """5.5.2."""

    interface: AppliedInterface


@dataclass(frozen=True, slots=True)
class Resize:
    """5.2.4, of a stopped server."""

    flavor: str


@dataclass(frozen=True, slots=True)
class JoinGroup:
    """5.10.3, of a stopped server, after it has left the group it is in."""

    group_id: str
    leaves: str | None = None


@dataclass(frozen=True, slots=True)
class Migrate:
    """5.2.3, of a stopped server; None: to the shared pool."""

    dedicated_host_id: str | None


@dataclass(frozen=True, slots=True)
class Install:
    """5.2.1 or 5.2.2, of a stopped server: a new system disk."""

    installation: Installation


@dataclass(frozen=True, slots=True)
class Replace:
    """5.1.2 and 5.1.1: another server instead of this one."""


Edit = (
    Describe
    | SetMetadata
    | RemoveMetadata
    | SetTags
    | RemoveTags
    | AddSecurityGroup
    | RemoveSecurityGroup
    | SetAutoRecovery
    | SetLock
    | LeaveGroup
    | BindAddress
    | UnbindAddress
)
"""What is done at once, on a server as it is."""
WRITABLE_STATES = frozenset({"active", "stopped", "paused", "suspended"})
"""vm_states in which metadata can be written (ECS API reference 6.9)."""
REFUSED_WHEN_LOCKED = SetMetadata | RemoveMetadata
"""Edits that a locked server refuses, as Nova does."""
Wiring = AddInterface | RemoveInterface
"""What is a job of the cloud, on a server as it is."""
Change = Resize | JoinGroup | Migrate | Install
"""What needs the server stopped."""
