"""Volumes on servers (ECS API reference 5.6, 6.8, 11.4)."""

from __future__ import annotations

from ecs_operator.cloud.models.jobs import JobAccepted, JobAcceptedAnswer
from ecs_operator.cloud.models.volumes import Attachment, AttachmentAnswer, Attachments, Volume, VolumeAnswer
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, MICROVERSION_PROXIES, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.session import Session

_SERVER = "/v1/{project_id}/cloudservers/{server_id}"
_NATIVE = "/v2.1/{project_id}/servers/{server_id}/os-volume_attachments"

ATTACH = Operation(section="5.6.1", name="attachVolume", method="POST", path=f"{_SERVER}/attachvolume", kind=Kind.WRITE, lane=Lane.URGENT)
DETACH = Operation(
    section="5.6.2",
    name="detachVolume",
    method="DELETE",
    path=f"{_SERVER}/detachvolume/{{volume_id}}",
    kind=Kind.WRITE,
    lane=Lane.URGENT,
)
LIST_ATTACHMENTS = Operation(
    section="6.8.1", name="listVolumeAttachments", method="GET", path=_NATIVE, family=Family.NOVA, microversion=MICROVERSION_HIGHEST
)
SHOW_ATTACHMENT = Operation(
    section="6.8.2",
    name="showVolumeAttachment",
    method="GET",
    path=f"{_NATIVE}/{{volume_id}}",
    family=Family.NOVA,
    microversion=MICROVERSION_HIGHEST,
)
SHOW = Operation(
    section="11.4.3",
    name="showVolume",
    method="GET",
    path="/v2.1/{project_id}/os-volumes/{volume_id}",
    family=Family.NOVA,
    microversion=MICROVERSION_PROXIES,
)


class Volumes:
    """Operations on volumes. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def attach(self, server_id: str, volume_id: str, *, device: str | None = None) -> JobAccepted:
        """5.6.1: start attaching a volume. ``device`` such as ``/dev/vdb``; the cloud may choose another."""
        check(ATTACH, "volumeAttachment.volumeId", "must not be empty", holds=bool(volume_id))
        attachment = {"volumeId": volume_id} | ({"device": device} if device else {})
        answer = await self._session.call(ATTACH, path={"server_id": server_id}, body={"volumeAttachment": attachment})
        return answer.read(JobAcceptedAnswer).accepted()

    async def detach(self, server_id: str, volume_id: str, *, force: bool) -> JobAccepted:
        """5.6.2: start detaching a volume; ``force`` only for data disks."""
        path = {"server_id": server_id, "volume_id": volume_id}
        answer = await self._session.call(DETACH, path=path, query={"delete_flag": "1" if force else "0"})
        return answer.read(JobAcceptedAnswer).accepted()

    async def attachments(self, server_id: str) -> tuple[Attachment, ...]:
        """6.8.1: the volumes attached, or being attached, to a server."""
        answer = await self._session.call(LIST_ATTACHMENTS, path={"server_id": server_id})
        return answer.read(Attachments).volume_attachments

    async def attachment(self, server_id: str, volume_id: str) -> Attachment:
        """6.8.2: one attachment; ``NOT_FOUND`` when the volume is not attached to this server."""
        answer = await self._session.call(SHOW_ATTACHMENT, path={"server_id": server_id, "volume_id": volume_id})
        return answer.read(AttachmentAnswer).volume_attachment

    async def get(self, volume_id: str) -> Volume:
        """11.4.3: one volume."""
        answer = await self._session.call(SHOW, path={"volume_id": volume_id})
        return answer.read(VolumeAnswer).volume
