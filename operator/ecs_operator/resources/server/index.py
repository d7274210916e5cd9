"""Which servers of a list carry whose marker, computed once a list and not once an object."""

from __future__ import annotations

from collections.abc import Mapping

from ecs_operator.cloud import Snapshot
from ecs_operator.resources.server.evidence import is_gone, owner_of
from ecs_operator.resources.tenancy import Tenant


class MarkerIndex:
    """The newest list of each project, by the uid in the markers. MACs cost time, and a project can have ten thousand servers."""

    def __init__(self) -> None:
        self._indexed: dict[str, tuple[Snapshot, Mapping[str, tuple[str, ...]]]] = {}

    def servers_of(self, uid: str, *, tenant: Tenant, snapshot: Snapshot) -> tuple[str, ...]:
        """Ids of all servers in the list that carry the object's marker, sorted."""
        kept = self._indexed.get(tenant.name)
        if kept is None or kept[0] is not snapshot:
            kept = (snapshot, _index(tenant, snapshot))
            self._indexed[tenant.name] = kept
        return kept[1].get(uid, ())


def _index(tenant: Tenant, snapshot: Snapshot) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for server in snapshot.servers.values():
        if not is_gone(server) and (owner := owner_of(server, tenant.identity)) is not None:
            found.setdefault(owner.uid, []).append(server.id)
    return {uid: tuple(sorted(ids)) for uid, ids in found.items()}
