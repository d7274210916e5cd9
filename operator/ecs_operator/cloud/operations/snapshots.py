"""Snapshots of volumes (ECS API reference 11.6, deprecated)."""

from __future__ import annotations

from ecs_operator.cloud.models.volumes import VolumeSnapshot, VolumeSnapshotAnswer
from ecs_operator.cloud.operation import MICROVERSION_PROXIES, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.session import Session

_SNAPSHOTS = "/v2.1/{project_id}/os-snapshots"
_SNAPSHOT = f"{_SNAPSHOTS}/{{snapshot_id}}"
_RESERVED = "autobk_snapshot"

CREATE = Operation(
    section="11.6.1",
    name="createSnapshot",
    method="POST",
    path=_SNAPSHOTS,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.CREATE,
    microversion=MICROVERSION_PROXIES,
)
SHOW = Operation(section="11.6.2", name="showSnapshot", method="GET", path=_SNAPSHOT, family=Family.NOVA, microversion=MICROVERSION_PROXIES)
DELETE = Operation(
    section="11.6.3",
    name="deleteSnapshot",
    method="DELETE",
    path=_SNAPSHOT,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_PROXIES,
)


class Snapshots:
    """Operations on snapshots. All raise CloudError. All are deprecated in favour of the block storage service."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(
        self, volume_id: str, *, name: str | None = None, description: str | None = None, force: bool = False
    ) -> VolumeSnapshot:
        """11.6.1: start making a snapshot of a volume; one that is in use needs ``force``."""
        check(CREATE, "snapshot.volume_id", "must not be empty", holds=bool(volume_id))
        check(CREATE, "snapshot.display_name", "at most 255 bytes", holds=len((name or "").encode()) <= 255)
        check(CREATE, "snapshot.display_name", f"must not begin with {_RESERVED}", holds=not (name or "").startswith(_RESERVED))
        check(CREATE, "snapshot.display_description", "at most 255 bytes", holds=len((description or "").encode()) <= 255)
        fields = {"volume_id": volume_id, "display_name": name, "display_description": description, "force": force or None}
        body = {"snapshot": {field: value for field, value in fields.items() if value is not None}}
        return (await self._session.call(CREATE, body=body)).read(VolumeSnapshotAnswer).snapshot

    async def get(self, snapshot_id: str) -> VolumeSnapshot:
        """11.6.2: one snapshot."""
        answer = await self._session.call(SHOW, path={"snapshot_id": snapshot_id})
        return answer.read(VolumeSnapshotAnswer).snapshot

    async def delete(self, snapshot_id: str) -> None:
        """11.6.3: start deleting a snapshot. Volumes that were made of it stay."""
        await self._session.call(DELETE, path={"snapshot_id": snapshot_id})
