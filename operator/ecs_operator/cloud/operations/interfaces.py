"""Interfaces of servers (ECS API reference 5.5, 6.7)."""

from __future__ import annotations

from ecs_operator.cloud.models.access import Interface
from ecs_operator.cloud.models.access import Interfaces as InterfacesAnswer
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, Family, Operation
from ecs_operator.cloud.session import Session

_SERVER = "/v2.1/{project_id}/servers/{server_id}"

LIST_INTERFACES = Operation(
    section="6.7.1",
    name="listInterfaces",
    method="GET",
    path=f"{_SERVER}/os-interface",
    family=Family.NOVA,
    microversion=MICROVERSION_HIGHEST,
)


class Interfaces:
    """Interfaces of servers. Raises CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self, server_id: str) -> tuple[Interface, ...]:
        """6.7.1: the interfaces of a server."""
        answer = await self._session.call(LIST_INTERFACES, path={"server_id": server_id})
        return answer.read(InterfacesAnswer).interface_attachments
