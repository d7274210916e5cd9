"""What a list of the project's servers proves about one object: which servers carry its marker, and that no others do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ecs_operator.cloud.models.servers import Server
from ecs_operator.resources.ownership import MARKER_KEY, ClusterIdentity, Owner

GONE_STATUSES = frozenset({"DELETED"})
"""A row of a server that is no more. SOFT_DELETED is not among them: it can come back and still costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The servers of one object in one list, oldest first."""

    found: tuple[Found, ...]
    complete: bool
    """Every page came and every row was readable: only then is the rest absent."""
    started_at: datetime
    """When the list was begun. What was made later may be missing."""

    def of_incarnation(self, incarnation: int) -> tuple[Found, ...]:
        """The servers of one incarnation."""
        return tuple(each for each in self.found if each.owner.incarnation == incarnation)

    def proves_absence(self, *, after: datetime) -> bool:
        """No server of the object was there at ``after``, or came since."""
        return self.complete and not self.found and self.started_at >= after


@dataclass(frozen=True, slots=True)
class Found:
    """A server with a good marker of the object."""

    server: Server
    owner: Owner


def owner_of(server: Server, identity: ClusterIdentity) -> Owner | None:
    """Whom the server's marker names, None without a good one of this cluster."""
    return identity.read(server.metadata.get(MARKER_KEY))


def is_ours(server: Server, identity: ClusterIdentity, uid: str) -> bool:
    """The server carries a good marker of exactly this object."""
    owner = owner_of(server, identity)
    return owner is not None and owner.uid == uid


def is_gone(server: Server | None) -> bool:
    """It is not there, or only as the trace of a deleted one."""
    return server is None or server.status in GONE_STATUSES


def look_among(servers: Iterable[Server], *, uid: str, identity: ClusterIdentity, complete: bool, started_at: datetime) -> Look:
    """Pick the object's servers out of a list."""
    found = [
        Found(server, owner) for server in servers if not is_gone(server) and (owner := owner_of(server, identity)) and owner.uid == uid
    ]
    found.sort(key=lambda each: (each.server.created, each.server.id))
    return Look(found=tuple(found), complete=complete, started_at=started_at)
