"""Metadata of servers (ECS API reference 6.9)."""

from __future__ import annotations

from collections.abc import Mapping

from ecs_operator.cloud.models.access import Metadata
from ecs_operator.cloud.models.servers import SECRET_METADATA
from ecs_operator.cloud.operation import Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check, metadata_pairs
from ecs_operator.cloud.session import Session

_SERVER = "/v2.1/{project_id}/servers/{server_id}"

MERGE_METADATA = Operation(
    section="6.9.1",
    name="updateServerMetadata",
    method="POST",
    path=f"{_SERVER}/metadata",
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
)
REMOVE_METADATA = Operation(
    section="6.9.3",
    name="deleteServerMetadataItem",
    method="DELETE",
    path=f"{_SERVER}/metadata/{{key}}",
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
)
SHOW_METADATA = Operation(section="6.9.4", name="listServerMetadata", method="GET", path=f"{_SERVER}/metadata", family=Family.NOVA)


class ServerMetadata:
    """Metadata of servers. All raise CloudError.

    Writable only while vm_state is active, stopped, paused or suspended. 6.9.2, which replaces all pairs, is left out on purpose.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def merge(self, server_id: str, pairs: Mapping[str, str]) -> Mapping[str, str]:
        """6.9.1: set these pairs and leave the others as they are."""
        body = {"metadata": metadata_pairs(MERGE_METADATA, pairs)}
        check(MERGE_METADATA, "metadata", "must not be empty", holds=bool(pairs))
        answer = await self._session.call(MERGE_METADATA, path={"server_id": server_id}, body=body)
        return _without_secrets(answer.read(Metadata).metadata)

    async def remove(self, server_id: str, key: str) -> None:
        """6.9.3: remove one pair."""
        await self._session.call(REMOVE_METADATA, path={"server_id": server_id, "key": key})

    async def get(self, server_id: str) -> Mapping[str, str]:
        """6.9.4: all pairs, without those that hold a password."""
        answer = await self._session.call(SHOW_METADATA, path={"server_id": server_id})
        return _without_secrets(answer.read(Metadata).metadata)


def _without_secrets(pairs: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in pairs.items() if key.lower() not in SECRET_METADATA}
