"""Consoles of servers (ECS API reference 6.14)."""

from __future__ import annotations

from ecs_operator.cloud.models.instance_actions import ConsoleOutput
from ecs_operator.cloud.operation import Family, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.session import Session

# No microversion is asked for: after 2.5 the reference has this call no more. A POST, but it changes nothing.
SHOW = Operation(
    section="6.14.1",
    name="showConsoleOutput",
    method="POST",
    path="/v2.1/{project_id}/servers/{server_id}/action",
    family=Family.NOVA,
)


class Consoles:
    """Consoles of servers. Raises CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def output(self, server_id: str, *, length: int = -1) -> str:
        """6.14.1: the last lines that a server wrote to its console; -1 is all of them. It may hold secrets."""
        check(SHOW, "os-getConsoleOutput.length", "a number of lines, or -1 for all", holds=length >= -1)
        body = {"os-getConsoleOutput": {"length": length}}
        return (await self._session.call(SHOW, path={"server_id": server_id}, body=body)).read(ConsoleOutput).output
