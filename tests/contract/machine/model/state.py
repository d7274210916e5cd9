"""What the model knows of the cloud: plain values, never changed, only replaced. Things go by short names, as the commands call them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Flavor:
    """``ram`` in MiB."""

    vcpus: int
    ram: int
    nics: int
    data_disks: int
    recovers: bool = False
    sold_out: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """``ram`` in MiB, ``gigabytes`` of all volumes."""

    instances: int
    cores: int
    ram: int
    volumes: int
    gigabytes: int
    groups: int
    members: int
    floating_ips: int
    snapshots: int
    key_pairs: int
    security_groups: int


@dataclass(frozen=True, slots=True)
class Nic:
    """An interface: ``address`` is the one asked for, or ``auto``, or ``spare`` for the port that outlives servers."""

    address: str = "auto"
    groups: frozenset[str] = frozenset({"web"})


@dataclass(frozen=True, slots=True)
class Server:
    """``nics`` begin with the primary one.

    ``system`` and ``disks`` are names of volumes. ``stuck`` counts the slots that a detach by force left taken. ``former`` is the flavor
    a resized server could go back to, ``coming`` the one it is getting; ``resumes`` what it is once that is settled.
    """

    flavor: str
    image: str
    vm_state: str = "building"
    name: str | None = None
    locked: bool = False
    system: str | None = None
    disks: tuple[str, ...] = ()
    stuck: int = 0
    nics: tuple[Nic, ...] = (Nic(),)
    group: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: frozenset[str] = frozenset()
    coming: str | None = None
    former: str | None = None
    resumes: str = ""
    recovers: bool = False


@dataclass(frozen=True, slots=True)
class Volume:
    """``status`` as the API tells it. ``goes``: it is deleted with the server it is on."""

    size: int
    zone: str = "a"
    status: str = "available"
    server: str | None = None
    bootable: bool = False
    goes: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    volume: str
    size: int
    status: str = "creating"


@dataclass(frozen=True, slots=True)
class Image:
    """``min_disk`` in GiB, ``min_ram`` in MiB. Those that somebody made are private."""

    min_disk: int
    min_ram: int = 0
    status: str = "ACTIVE"
    private: bool = False
    cloud_init: bool = True


@dataclass(frozen=True, slots=True)
class FloatingIp:
    server: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """What 5.8.1 may say now."""

    may_be: frozenset[str]


@dataclass(frozen=True, slots=True)
class Work:
    """Something under way, of which ``age`` halves have passed; after two it has happened.

    ``tasks`` are the task states of which one shows meanwhile, none if there is none for it, and ``vm_state`` what goes with them. Until
    the first half has passed, the cloud may not have begun. ``broken`` is what becomes of it if its server is deleted natively.
    """

    what: str
    end: Callable[[State], State] = field(repr=False)
    server: str | None = None
    volumes: tuple[str, ...] = ()
    moves_nics: bool = False
    job: str | None = None
    vm_state: str | None = None
    tasks: frozenset[str] = frozenset()
    age: int = 0
    broken: Callable[[State], State] = field(default=lambda state: state, repr=False)


@dataclass(frozen=True)
class State:
    """The whole. What is made later goes by a letter for its kind and a number: s1, v3, p1, i1, g1, f2, j4.

    ``spare`` are the groups of the port that is on no server at first, and outlives those it is put on.
    """

    flavors: Mapping[str, Flavor]
    quota: Quota
    servers: Mapping[str, Server] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    snapshots: Mapping[str, Snapshot] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    floating_ips: Mapping[str, FloatingIp] = field(default_factory=dict)
    key_pairs: frozenset[str] = frozenset()
    security_groups: frozenset[str] = frozenset()
    spare: frozenset[str] = frozenset({"default"})
    jobs: Mapping[str, Job] = field(default_factory=dict)
    works: tuple[Work, ...] = ()
    made: Mapping[str, int] = field(default_factory=dict)

    def put(self, kind: str, name: str, thing: object) -> State:
        """Add or replace one thing of a kind, such as ``servers``."""
        changes: dict[str, Any] = {kind: {**getattr(self, kind), name: thing}}
        return replace(self, **changes)

    def drop(self, kind: str, name: str) -> State:
        """Take one thing away."""
        changes: dict[str, Any] = {kind: {key: thing for key, thing in getattr(self, kind).items() if key != name}}
        return replace(self, **changes)

    def change(self, kind: str, name: str, /, **changes: object) -> State:
        """Change fields of one thing, if it is there."""
        thing = getattr(self, kind).get(name)
        return self if thing is None else self.put(kind, name, replace(thing, **changes))

    def next_name(self, letter: str) -> tuple[State, str]:
        """Return the name of the next thing of a kind, and the state in which it is used up."""
        number = self.made.get(letter, 0) + 1
        return replace(self, made={**self.made, letter: number}), f"{letter}{number}"

    def begin(self, work: Work) -> State:
        """Have something under way; its job, if it has one, is there from now on."""
        state = replace(self, works=(*self.works, work))
        return state if work.job is None else state.put("jobs", work.job, Job(frozenset({"INIT"})))

    def work_on(self, server: str) -> Work | None:
        """Return what a server is busy with."""
        return next((work for work in self.works if work.server == server), None)

    def addresses(self) -> frozenset[str]:
        """Return the addresses that were asked for, and ``spare`` if that port is on a server."""
        return frozenset(nic.address for server in self.servers.values() for nic in server.nics)

    def let_go(self, nics: Iterable[Nic]) -> State:
        """Take interfaces off their server: of the spare port it is remembered what it has."""
        kept = [nic.groups for nic in nics if nic.address == "spare"]
        return replace(self, spare=kept[0]) if kept else self

    def members(self, group: str) -> list[str]:
        """Return the servers of a group."""
        return [name for name, server in self.servers.items() if server.group == group]

    def has_snapshots(self, volume: str) -> bool:
        """Tell whether a volume has snapshots, be they half made or half deleted."""
        return any(snapshot.volume == volume for snapshot in self.snapshots.values())


Effect = Callable[[State], State]
"""What becomes of the cloud when something is over."""
