"""Automatic recovery of servers (ECS API reference 11.1, deprecated)."""

from __future__ import annotations

from ecs_operator.cloud.models.wire import Answer
from ecs_operator.cloud.operation import Kind, Lane, Operation
from ecs_operator.cloud.session import Session

_PATH = "/v1/{project_id}/cloudservers/{server_id}/autorecovery"

SHOW = Operation(section="11.1.1", name="showAutoRecovery", method="GET", path=_PATH)
SET = Operation(section="11.1.2", name="setAutoRecovery", method="PUT", path=_PATH, kind=Kind.WRITE, lane=Lane.URGENT)


class _Recovery(Answer):
    """The answer of 11.1.1, which says it as text."""

    support_auto_recovery: bool


class AutoRecovery:
    """Automatic recovery. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, server_id: str) -> bool:
        """11.1.1: whether a server is recovered automatically."""
        answer = await self._session.call(SHOW, path={"server_id": server_id})
        return answer.read(_Recovery).support_auto_recovery

    async def set(self, server_id: str, *, enabled: bool) -> None:
        """11.1.2: let a server be recovered automatically or not. Its flavor must be able to (``Ecs.0036``)."""
        body = {"support_auto_recovery": "true" if enabled else "false"}
        await self._session.call(SET, path={"server_id": server_id}, body=body)
