"""The passwords that Windows servers make up themselves (ECS API reference 6.11.5, 6.11.6)."""

from __future__ import annotations

from ecs_operator.cloud.models.key_pairs import SealedPassword
from ecs_operator.cloud.operation import Family, Kind, Lane, Operation
from ecs_operator.cloud.session import Session

_PASSWORD = "/v2.1/{project_id}/servers/{server_id}/os-server-password"  # noqa: S105 -- a path

SHOW = Operation(section="6.11.5", name="showServerPassword", method="GET", path=_PASSWORD, family=Family.NOVA)
CLEAR = Operation(
    section="6.11.6",
    name="clearServerPassword",
    method="DELETE",
    path=_PASSWORD,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
)


class ServerPasswords:
    """Passwords of Windows servers with Cloudbase-init that were made with a key pair. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, server_id: str) -> SealedPassword:
        """6.11.5: the administrator's password, readable with the private key only. Empty for Linux, and for 5 to 10 minutes at first."""
        return (await self._session.call(SHOW, path={"server_id": server_id})).read(SealedPassword)

    async def clear(self, server_id: str) -> None:
        """6.11.6: let the cloud forget the password; in the server it stays as it is."""
        await self._session.call(CLEAR, path={"server_id": server_id})
