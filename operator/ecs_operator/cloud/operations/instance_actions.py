"""What was done to a server (ECS API reference 6.13)."""

from __future__ import annotations

from collections.abc import Mapping

from ecs_operator.cloud.models.instance_actions import InstanceAction, InstanceActionAnswer, InstanceActionPage
from ecs_operator.cloud.operation import Family, Operation
from ecs_operator.cloud.operations.paging import next_marker
from ecs_operator.cloud.session import Session

_PATH = "/v2.1/{project_id}/servers/{server_id}/os-instance-actions"
_PAGED = (2, 58)
"""From 2.58 on actions come in pages and tell when they changed, from 2.21 on deleted servers have them too."""

LIST = Operation(section="6.13.1", name="listServerActions", method="GET", path=_PATH, family=Family.NOVA, lists=True, microversion=_PAGED)
SHOW = Operation(
    section="6.13.2", name="showServerAction", method="GET", path=f"{_PATH}/{{request_id}}", family=Family.NOVA, microversion=_PAGED
)


class InstanceActions:
    """What was done to servers, those that are deleted included. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self, server_id: str) -> tuple[InstanceAction, ...]:
        """6.13.1: everything that was done to a server, the newest first."""
        found: dict[str, InstanceAction] = {}
        query: Mapping[str, str] = {}
        while True:
            answer = await self._session.call(LIST, path={"server_id": server_id}, query=query)
            page = answer.read(InstanceActionPage)
            known = len(found)
            found.update((action.request_id, action) for action in page.actions)
            marker = next_marker(page.links)
            if not marker or len(found) == known:
                return tuple(found.values())
            query = {"marker": marker}

    async def get(self, server_id: str, request_id: str) -> InstanceAction:
        """6.13.2: what one request did, with its events. ``request_id`` is the cloud's, as 6.13.1 and errors tell it."""
        answer = await self._session.call(SHOW, path={"server_id": server_id, "request_id": request_id})
        return answer.read(InstanceActionAnswer).action
