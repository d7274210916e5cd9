"""Native actions on one server (ECS API reference 6.3)."""

from __future__ import annotations

from ecs_operator.cloud.operation import Family, Kind, Lane, Operation
from ecs_operator.cloud.session import Session

_ACTION = "/v2.1/{project_id}/servers/{server_id}/action"

LOCK = Operation(
    section="6.3.4",
    name="lockServer",
    method="POST",
    path=_ACTION,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
)
UNLOCK = Operation(
    section="6.3.5",
    name="unlockServer",
    method="POST",
    path=_ACTION,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
)


class ServerActions:
    """Native actions on one server. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def lock(self, server_id: str) -> None:
        """6.3.4: lock a server, so that nothing about its life, disks, interfaces and password can be changed."""
        await self._session.call(LOCK, path={"server_id": server_id}, body={"lock": None})

    async def unlock(self, server_id: str) -> None:
        """6.3.5: unlock it."""
        await self._session.call(UNLOCK, path={"server_id": server_id}, body={"unlock": None})
