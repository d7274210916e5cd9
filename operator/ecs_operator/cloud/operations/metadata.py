"""Metadata of servers (ECS API reference 6.9)."""

from __future__ import annotations

from collections.abc import Mapping

from ecs_operator.cloud.errors import Meaning, Outcome
from ecs_operator.cloud.failures import failed
from ecs_operator.cloud.models.access import Metadata, MetadataItem
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
REPLACE_METADATA = Operation(
    section="6.9.2",
    name="replaceServerMetadata",
    method="PUT",
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
SHOW_ITEM = Operation(section="6.9.5", name="showServerMetadataItem", method="GET", path=f"{_SERVER}/metadata/{{key}}", family=Family.NOVA)
SET_ITEM = Operation(
    section="6.9.6",
    name="setServerMetadataItem",
    method="PUT",
    path=f"{_SERVER}/metadata/{{key}}",
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
)


class ServerMetadata:
    """Metadata of servers. All raise CloudError.

    Writable only while vm_state is active, stopped, paused or suspended.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def merge(self, server_id: str, pairs: Mapping[str, str]) -> Mapping[str, str]:
        """6.9.1: set these pairs and leave the others as they are."""
        body = {"metadata": metadata_pairs(MERGE_METADATA, pairs)}
        check(MERGE_METADATA, "metadata", "must not be empty", holds=bool(pairs))
        answer = await self._session.call(MERGE_METADATA, path={"server_id": server_id}, body=body)
        return _without_secrets(answer.read(Metadata).metadata)

    async def replace(self, server_id: str, pairs: Mapping[str, str]) -> Mapping[str, str]:
        """6.9.2: take all pairs away and set these. Mind what goes with them: an owner's marker, and the cloud's own pairs.

        A server without its marker is nobody's: whoever manages servers by it would leave this one alone and make another. Use ``merge``.
        """
        body = {"metadata": metadata_pairs(REPLACE_METADATA, pairs)}
        answer = await self._session.call(REPLACE_METADATA, path={"server_id": server_id}, body=body)
        return _without_secrets(answer.read(Metadata).metadata)

    async def remove(self, server_id: str, key: str) -> None:
        """6.9.3: remove one pair."""
        await self._session.call(REMOVE_METADATA, path={"server_id": server_id, "key": key})

    async def get(self, server_id: str) -> Mapping[str, str]:
        """6.9.4: all pairs, without those that hold a password."""
        answer = await self._session.call(SHOW_METADATA, path={"server_id": server_id})
        return _without_secrets(answer.read(Metadata).metadata)

    async def item(self, server_id: str, key: str) -> str:
        """6.9.5: the value of one key; CloudError (not found) if there is none. Passwords are not handed on."""
        check(SHOW_ITEM, "key", "passwords are not handed on", holds=key.lower() not in SECRET_METADATA)
        answer = await self._session.call(SHOW_ITEM, path={"server_id": server_id, "key": key})
        meta = answer.read(MetadataItem).meta
        if key not in meta:
            problem = "an answer about another key"
            raise failed(answer.call, outcome=Outcome.UNKNOWN, meaning=Meaning.INTERNAL, message=problem, answer=answer.raw)
        return meta[key]

    async def set_item(self, server_id: str, key: str, value: str) -> None:
        """6.9.6: set one pair and leave the others as they are."""
        body = {"meta": metadata_pairs(SET_ITEM, {key: value}, where="meta")}
        await self._session.call(SET_ITEM, path={"server_id": server_id, "key": key}, body=body)


def _without_secrets(pairs: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in pairs.items() if key.lower() not in SECRET_METADATA}
