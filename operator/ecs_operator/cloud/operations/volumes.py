"""Volumes, on servers and on their own (ECS API reference 5.6, 6.8, 11.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ecs_operator.cloud.models.jobs import JobAccepted, JobAcceptedAnswer
from ecs_operator.cloud.models.volumes import (
    Attachment,
    AttachmentAnswer,
    Attachments,
    BlockDevice,
    BlockDeviceAnswer,
    BlockDevices,
    NewVolume,
    Volume,
    VolumeAnswer,
)
from ecs_operator.cloud.models.volumes import Volumes as VolumesAnswer
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, MICROVERSION_PROXIES, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.session import Session

_SERVER = "/v1/{project_id}/cloudservers/{server_id}"
_DEVICES = "/v2.1/servers/{server_id}/block_device"
_NATIVE = "/v2.1/{project_id}/servers/{server_id}/os-volume_attachments"
_VOLUMES = "/v2.1/{project_id}/os-volumes"
_DEVICE = re.compile(r"/dev/(?:vd|sd|xvd)[a-z]{1,2}")

ATTACH = Operation(section="5.6.1", name="attachVolume", method="POST", path=f"{_SERVER}/attachvolume", kind=Kind.WRITE, lane=Lane.URGENT)
DETACH = Operation(
    section="5.6.2",
    name="detachVolume",
    method="DELETE",
    path=f"{_SERVER}/detachvolume/{{volume_id}}",
    kind=Kind.WRITE,
    lane=Lane.URGENT,
)
BLOCK_DEVICES = Operation(section="5.6.3", name="listBlockDevices", method="GET", path=_DEVICES, family=Family.NOVA)
BLOCK_DEVICE = Operation(section="5.6.4", name="showBlockDevice", method="GET", path=f"{_DEVICES}/{{volume_id}}", family=Family.NOVA)
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
ATTACH_NATIVELY = Operation(
    section="6.8.3",
    name="createVolumeAttachment",
    method="POST",
    path=_NATIVE,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_HIGHEST,
)
DETACH_NATIVELY = Operation(
    section="6.8.4",
    name="deleteVolumeAttachment",
    method="DELETE",
    path=f"{_NATIVE}/{{volume_id}}",
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_HIGHEST,
)
LIST = Operation(
    section="11.4.1",
    name="listVolumes",
    method="GET",
    path=_VOLUMES,
    family=Family.NOVA,
    lane=Lane.RESYNC,
    lists=True,
    microversion=MICROVERSION_PROXIES,
)
LIST_DETAILS = Operation(
    section="11.4.2",
    name="listVolumesDetails",
    method="GET",
    path=f"{_VOLUMES}/detail",
    family=Family.NOVA,
    lane=Lane.RESYNC,
    lists=True,
    microversion=MICROVERSION_PROXIES,
)
SHOW = Operation(
    section="11.4.3",
    name="showVolume",
    method="GET",
    path=f"{_VOLUMES}/{{volume_id}}",
    family=Family.NOVA,
    microversion=MICROVERSION_PROXIES,
)
CREATE = Operation(
    section="11.4.4",
    name="createVolume",
    method="POST",
    path=_VOLUMES,
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.CREATE,
    microversion=MICROVERSION_PROXIES,
)
DELETE = Operation(
    section="11.4.5",
    name="deleteVolume",
    method="DELETE",
    path=f"{_VOLUMES}/{{volume_id}}",
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
    microversion=MICROVERSION_PROXIES,
)


class Volumes:
    """Operations on volumes. All raise CloudError. Those of 11.4 are deprecated in favour of the block storage service."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def attach(self, server_id: str, volume_id: str, *, device: str | None = None) -> JobAccepted:
        """5.6.1: start attaching a volume. ``device`` such as ``/dev/vdb``; the cloud may choose another."""
        body = {"volumeAttachment": _attachment(ATTACH, volume_id, device)}
        answer = await self._session.call(ATTACH, path={"server_id": server_id}, body=body)
        return answer.read(JobAcceptedAnswer).accepted()

    async def check_attach(self, server_id: str, volume_id: str, *, device: str | None = None) -> None:
        """5.6.1: check with the cloud whether a volume could be attached, and change nothing."""
        body = {"volumeAttachment": _attachment(ATTACH, volume_id, device), "dry_run": True}
        await self._session.call(ATTACH, path={"server_id": server_id}, body=body)

    async def check_room(self, server_id: str, volume_type: str, *, scsi: bool = False, count: int = 1) -> None:
        """5.6.1: check with the cloud whether new volumes of a type, not made yet, could be attached, and change nothing."""
        check(ATTACH, "volumeAttachment.volume_type", "must not be empty", holds=bool(volume_type))
        check(ATTACH, "volumeAttachment.count", "at least 1", holds=count >= 1)
        wanted = {"volume_type": volume_type, "count": count, "hw:passthrough": "true" if scsi else "false"}
        await self._session.call(ATTACH, path={"server_id": server_id}, body={"volumeAttachment": wanted, "dry_run": True})

    async def detach(self, server_id: str, volume_id: str, *, force: bool) -> JobAccepted:
        """5.6.2: start detaching a volume; ``force`` only for data disks."""
        path = {"server_id": server_id, "volume_id": volume_id}
        answer = await self._session.call(DETACH, path=path, query=_delete_flag(force=force))
        return answer.read(JobAcceptedAnswer).accepted()

    async def block_devices(self, server_id: str) -> tuple[BlockDevice, ...]:
        """5.6.3: the disks of a server with their devices."""
        answer = await self._session.call(BLOCK_DEVICES, path={"server_id": server_id})
        return answer.read(BlockDevices).volume_attachments

    async def block_device(self, server_id: str, volume_id: str) -> BlockDevice:
        """5.6.4: one disk of a server with its device; ``NOT_FOUND`` when it is not attached to this server."""
        answer = await self._session.call(BLOCK_DEVICE, path={"server_id": server_id, "volume_id": volume_id})
        return answer.read(BlockDeviceAnswer).volume_attachment

    async def attachments(self, server_id: str) -> tuple[Attachment, ...]:
        """6.8.1: the volumes attached, or being attached, to a server."""
        answer = await self._session.call(LIST_ATTACHMENTS, path={"server_id": server_id})
        return answer.read(Attachments).volume_attachments

    async def attachment(self, server_id: str, volume_id: str) -> Attachment:
        """6.8.2: one attachment; ``NOT_FOUND`` when the volume is not attached to this server."""
        answer = await self._session.call(SHOW_ATTACHMENT, path={"server_id": server_id, "volume_id": volume_id})
        return answer.read(AttachmentAnswer).volume_attachment

    async def attach_natively(self, server_id: str, volume_id: str, *, device: str | None = None) -> Attachment:
        """6.8.3: start attaching a volume; there is no job to ask for, the volume's status tells when it is done.

        A bootable volume needs a device; VBD disks go to ``/dev/vdb`` to ``/dev/vdx``.
        """
        body = {"volumeAttachment": _attachment(ATTACH_NATIVELY, volume_id, device)}
        answer = await self._session.call(ATTACH_NATIVELY, path={"server_id": server_id}, body=body)
        return answer.read(AttachmentAnswer).volume_attachment

    async def detach_natively(self, server_id: str, volume_id: str, *, force: bool) -> None:
        """6.8.4: start detaching a volume; ``force`` only for data disks: device and slot stay taken until the server reboots."""
        path = {"server_id": server_id, "volume_id": volume_id}
        await self._session.call(DETACH_NATIVELY, path=path, query=_delete_flag(force=force))

    async def list(self) -> tuple[Volume, ...]:
        """11.4.1: all volumes of the project."""
        return await self._list(LIST)

    async def list_details(self) -> tuple[Volume, ...]:
        """11.4.2: all volumes of the project; the reference shows the same fields as in 11.4.1."""
        return await self._list(LIST_DETAILS)

    async def get(self, volume_id: str) -> Volume:
        """11.4.3: one volume."""
        answer = await self._session.call(SHOW, path={"volume_id": volume_id})
        return answer.read(VolumeAnswer).volume

    async def create(self, request: NewVolume) -> Volume:
        """11.4.4: start making a volume; its status goes from ``creating`` to ``available``, or to ``error``."""
        return (await self._session.call(CREATE, body=request.body())).read(VolumeAnswer).volume

    async def delete(self, volume_id: str) -> None:
        """11.4.5: start deleting a volume that is on no server and has no snapshots."""
        await self._session.call(DELETE, path={"volume_id": volume_id})

    async def _list(self, operation: Operation) -> tuple[Volume, ...]:
        """All pages. The reference knows none, Nova does: so the list ends where nothing new comes, not where a page is short."""
        found: dict[str, Volume] = {}
        query: Mapping[str, str] = {}
        while True:
            volumes = (await self._session.call(operation, query=query)).read(VolumesAnswer).volumes
            if all(volume.id in found for volume in volumes):
                return tuple(found.values())
            found.update((volume.id, volume) for volume in volumes)
            query = {"offset": str(len(found))}


def _attachment(operation: Operation, volume_id: str, device: str | None) -> dict[str, str]:
    check(operation, "volumeAttachment.volumeId", "must not be empty", holds=bool(volume_id))
    if not device:
        return {"volumeId": volume_id}
    check(operation, "volumeAttachment.device", "must be a device such as /dev/vdb", holds=bool(_DEVICE.fullmatch(device)))
    return {"volumeId": volume_id, "device": device}


def _delete_flag(*, force: bool) -> dict[str, str]:
    return {"delete_flag": "1" if force else "0"}
