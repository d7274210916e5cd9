"""A project: its account, what it may use, and what it has. Projects share nothing but flavors and images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ecs_simulator.world.accounts import User
from ecs_simulator.world.catalog import Flavor, KeyPair, Network, SecurityGroup
from ecs_simulator.world.jobs import Order
from ecs_simulator.world.refusal import Absent, Refusal
from ecs_simulator.world.resources import FloatingIp, Port, Server, ServerGroup, Snapshot, Volume
from ecs_simulator.world.settings import camel_case


@dataclass(slots=True)
class Quota:
    """The most a project may have; -1 is unlimited. ``ram`` in MiB, ``gigabytes`` of all volumes in GiB."""

    instances: int = 1000
    cores: int = 8000
    ram: int = 16 * 1024 * 1024
    server_groups: int = 100
    server_group_members: int = 16
    floating_ips: int = 1000
    volumes: int = 10000
    gigabytes: int = 4_000_000
    snapshots: int = 10000
    key_pairs: int = -1
    security_groups: int = 100
    security_group_rules: int = 5000

    def change(self, changes: Mapping[str, int]) -> None:
        """Change some, by their names or camel-case names; ValueError for an unknown name, and then nothing is changed."""
        names = {alias: item.name for item in fields(self) for alias in (item.name, camel_case(item.name))}
        for name in changes:
            if name not in names:
                raise ValueError(f"unknown quota {name!r}; known are {', '.join(item.name for item in fields(self))}")
        for name, value in changes.items():
            setattr(self, names[name], int(value))


@dataclass(slots=True)
class TokenMemory:
    """A client token that was used: when, for which body, and what was answered."""

    at: float
    digest: str
    job_id: str
    server_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Usage:
    """What of the quota is used."""

    instances: int = 0
    cores: int = 0
    ram: int = 0


@dataclass(slots=True)
class Project:
    """A project and all it owns. Dicts keep the order of creation.

    ``deleted`` holds servers that are gone, for ``changes-since`` and for lists that lag. ``orders`` say which coming jobs fail.
    ``recent`` holds [time, count] of the batches of the last minute by action, for the limit of 5.3.
    """

    id: str
    name: str
    users: dict[str, User] = field(default_factory=dict)
    quota: Quota = field(default_factory=Quota)
    frozen: bool = False
    suspended_credentials: bool = False
    networks: dict[str, Network] = field(default_factory=dict)
    security_groups: dict[str, SecurityGroup] = field(default_factory=dict)
    key_pairs: dict[str, KeyPair] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)
    deleted: dict[str, Server] = field(default_factory=dict)
    volumes: dict[str, Volume] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    ports: dict[str, Port] = field(default_factory=dict)
    floating_ips: dict[str, FloatingIp] = field(default_factory=dict)
    groups: dict[str, ServerGroup] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    tokens: dict[str, TokenMemory] = field(default_factory=dict)
    recent: dict[str, list[list[float]]] = field(default_factory=dict)

    def server(self, server_id: str) -> Server:
        """Return a server; Absent (Ecs.0114) if there is none of this id."""
        server = self.servers.get(server_id)
        if server is None:
            raise Absent("server", server_id, code="Ecs.0114")
        return server

    def group(self, group_id: str) -> ServerGroup:
        """Return a server group; Absent if there is none of this id."""
        group = self.groups.get(group_id)
        if group is None:
            raise Absent("server group", group_id, code="Ecs.0313")
        return group

    def key_pair(self, user_id: str, name: str) -> KeyPair | None:
        """Return a user's key pair of this name, None if he has none: nobody sees another's (6.11.3)."""
        return self.key_pairs.get(f"{user_id}/{name}")

    def add_key_pair(self, pair: KeyPair) -> None:
        """Keep a key pair; names are the user's own."""
        self.key_pairs[f"{pair.user_id}/{pair.name}"] = pair

    def remove_key_pair(self, pair: KeyPair) -> None:
        """Forget a key pair."""
        del self.key_pairs[f"{pair.user_id}/{pair.name}"]

    def usage(self, flavors: Mapping[str, Flavor]) -> Usage:
        """Return what the servers use. One that is being resized, or waits for confirmation, counts with the greatest of its flavors."""
        used = Usage(instances=len(self.servers))
        for server in self.servers.values():
            flavor = flavors[server.flavor_id]
            if server.target_flavor_id is None and server.previous_flavor_id is None:
                used.cores += flavor.vcpus
                used.ram += flavor.ram
                continue
            others = [flavors[each] for each in (server.target_flavor_id, server.previous_flavor_id) if each is not None]
            used.cores += max(each.vcpus for each in (flavor, *others))
            used.ram += max(each.ram for each in (flavor, *others))
        return used

    def require_quota(self, wanted: Usage, flavors: Mapping[str, Flavor]) -> None:
        """Refuse what the quota does not allow (Ecs.0001, with the resource in the message)."""
        used = self.usage(flavors)
        for name in ("instances", "cores", "ram"):
            limit, more, have = getattr(self.quota, name), getattr(wanted, name), getattr(used, name)
            if more > 0 and limit >= 0 and have + more > limit:
                raise Refusal("Ecs.0001", f"Quota exceeded for {name}: Requested {more}, but already used {have} of {limit} {name}")

    def require_unfrozen(self) -> None:
        """Refuse what a suspended account may not do (403 Ecs.0071)."""
        if self.frozen:
            raise Refusal("Ecs.0071", "This operation cannot be performed because your account has been suspended.")

    def counts(self) -> dict[str, Any]:
        """Return how many there are of everything, for ``GET /_sim/state``."""
        by_status: dict[str, int] = {}
        for server in self.servers.values():
            by_status[server.status] = by_status.get(server.status, 0) + 1
        return {
            "name": self.name,
            "frozen": self.frozen,
            "suspendedCredentials": self.suspended_credentials,
            "servers": len(self.servers),
            "serversByStatus": by_status,
            "deletedServers": len(self.deleted),
            "volumes": len(self.volumes),
            "ports": len(self.ports),
            "floatingIps": len(self.floating_ips),
            "serverGroups": len(self.groups),
        }
