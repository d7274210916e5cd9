"""Operating systems and hosts of servers (ECS API reference 5.2.1 to 5.2.3)."""

from __future__ import annotations

from collections.abc import Mapping

from ecs_operator.cloud.models.jobs import JobAccepted, JobAcceptedAnswer
from ecs_operator.cloud.models.systems import ChangeSystem, ReinstallSystem
from ecs_operator.cloud.operation import Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.session import Session

_INSTALL = "/v2/{project_id}/cloudservers/{server_id}"

REINSTALL = Operation(
    section="5.2.1", name="reinstallServer", method="POST", path=f"{_INSTALL}/reinstallos", kind=Kind.WRITE, lane=Lane.URGENT
)
CHANGE = Operation(section="5.2.2", name="changeServerImage", method="POST", path=f"{_INSTALL}/changeos", kind=Kind.WRITE, lane=Lane.URGENT)
MIGRATE = Operation(
    section="5.2.3",
    name="migrateServer",
    method="POST",
    path="/v1/{project_id}/cloudservers/{server_id}/migrate",
    kind=Kind.WRITE,
    lane=Lane.URGENT,
)


class ServerSystems:
    """What servers run and where. All raise CloudError.

    The server must be stopped. Both installations give it a new system disk with a new id, and may be repeated after they failed.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def reinstall(self, server_id: str, request: ReinstallSystem) -> JobAccepted:
        """5.2.1: start installing the image a server has once more. Data disks stay as they are."""
        return await self._job(REINSTALL, server_id, request.body(), secrets=request.secrets())

    async def change(self, server_id: str, request: ChangeSystem) -> JobAccepted:
        """5.2.2: start installing another image. Data disks stay as they are."""
        return await self._job(CHANGE, server_id, request.body(), secrets=request.secrets())

    async def migrate(self, server_id: str, dedicated_host_id: str | None) -> JobAccepted:
        """5.2.3: start moving a server to a dedicated host, or with None from one to the shared pool."""
        fits = dedicated_host_id is None or 1 <= len(dedicated_host_id) <= 64
        check(MIGRATE, "migrate.dedicated_host_id", "1 to 64 characters, or null for the shared pool", holds=fits)
        target = None if dedicated_host_id is None else {"dedicated_host_id": dedicated_host_id}
        return await self._job(MIGRATE, server_id, {"migrate": target})

    async def _job(self, operation: Operation, server_id: str, body: Mapping[str, object], *, secrets: tuple[str, ...] = ()) -> JobAccepted:
        answer = await self._session.call(operation, path={"server_id": server_id}, body=body, secrets=secrets)
        return answer.read(JobAcceptedAnswer).accepted()
