"""The cloud as a group needs it: one call a step. Everything raises CloudError."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ecs_operator.cloud import CloudError, Server, ServerGroup
from ecs_operator.cloud.observation import WHOLE_EVERY
from ecs_operator.engine.ports import Authority, Clock
from ecs_operator.resources.calls import change, found, is_absent
from ecs_operator.resources.server_group.planner import Look
from ecs_operator.resources.tenancy import Tenant

FRESH_LIST = 10.0
"""Seconds: so many servers may join a group at once that not each of them can be worth a new list."""


class Actuator:
    """Calls for the group of one object, known by its exact name."""

    def __init__(self, tenant: Tenant, *, name: str, authority: Authority, clock: Clock) -> None:
        self.tenant = tenant
        self.name = name
        self._authority = authority
        self._clock = clock

    async def look(self) -> Look:
        """5.10.5: the groups of exactly our name, in a complete list that is begun now."""
        started_at = self._clock.now()
        groups = await self.tenant.client.groups.list()
        return Look(tuple(group for group in groups if group.name == self.name), started_at)

    async def is_listed(self, group_id: str) -> bool:
        """5.10.5: a complete list shows it, whatever its name."""
        return any(group.id == group_id for group in await self.tenant.client.groups.list())

    async def get(self, group_id: str) -> ServerGroup | None:
        """5.10.6; None when there is none of this id."""
        return await found(self.tenant.client.groups.get(group_id))

    async def create(self, policy: str) -> ServerGroup:
        """5.10.1, once."""
        return await change(self._authority, lambda: self.tenant.client.groups.create(self.name, [policy]), operation="createServerGroup")

    async def delete(self, group_id: str) -> None:
        """5.10.2; gone already counts as done."""
        try:
            await change(self._authority, lambda: self.tenant.client.groups.delete(group_id), operation="deleteServerGroup")
        except CloudError as error:
            if not is_absent(error):
                raise

    async def servers(self, wanted: Iterable[str]) -> Mapping[str, Server] | None:
        """The project's servers by id, from the shared list; None when it cannot be had or does not show all.

        One that does not tell the host of each ``wanted`` server is taken anew, unless it is new already.
        """
        shown: Mapping[str, Server] | None = None
        for age in (self.tenant.resync_seconds, min(FRESH_LIST, self.tenant.resync_seconds)):
            try:
                # Hosts, and that servers come and go, are noted by the cloud as changes.
                snapshot = await self.tenant.snapshots.refreshed(age, whole_within=WHOLE_EVERY)
            except CloudError:
                return shown
            shown = snapshot.servers if snapshot.shows_all else None
            if shown is not None and all(each in shown and shown[each].host_id for each in wanted):
                break
        return shown
