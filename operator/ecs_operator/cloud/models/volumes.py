"""Volumes, their attachments and their snapshots (ECS API reference 5.6, 6.8, 11.4, 11.6)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import AliasChoices, Field, StringConstraints, model_validator

from ecs_operator.cloud.models.wire import Answer, MaybeNumber, MaybeText, Number, Pairs, Request, Text

_VOLUME_ID = AliasChoices("volumeId", "volumeld", "volume_id")
"""``volumeld``, with a small L, is how 5.6.1 and 11.4 print it."""
_SERVER_ID = AliasChoices("serverId", "server_id")


class BlockDevice(Answer):
    """A disk of a server as 5.6.3 shows it. ``size`` in GiB, ``boot_index`` 0 is the system disk."""

    id: Text = ""
    volume_id: str = Field(validation_alias=_VOLUME_ID)
    server_id: Text = Field(validation_alias=_SERVER_ID, default="")
    device: Text = ""
    size: Number = 0
    pci_address: Text = Field(alias="pciAddress", default="")
    boot_index: MaybeNumber = Field(alias="bootIndex", default=None)
    bus: Text = ""


class BlockDevices(Answer):
    """The answer of 5.6.3."""

    volume_attachments: tuple[BlockDevice, ...] = Field(alias="volumeAttachments")


class BlockDeviceAnswer(Answer):
    """The answer of 5.6.4."""

    volume_attachment: BlockDevice = Field(alias="volumeAttachment")


class Attachment(Answer):
    """A volume attached, or being attached, to a server (6.8.1 to 6.8.3)."""

    id: Text = ""
    volume_id: str = Field(validation_alias=_VOLUME_ID)
    server_id: Text = Field(validation_alias=_SERVER_ID, default="")
    device: MaybeText = None


class Attachments(Answer):
    """The answer of 6.8.1."""

    volume_attachments: tuple[Attachment, ...] = Field(alias="volumeAttachments")


class AttachmentAnswer(Answer):
    """The answer of 6.8.2 and 6.8.3."""

    volume_attachment: Attachment = Field(alias="volumeAttachment")


class VolumeAttachment(Answer):
    """Where a volume is attached, as the volume tells it (table 11-64)."""

    id: Text = ""
    server_id: MaybeText = Field(validation_alias=_SERVER_ID, default=None)
    device: MaybeText = None


class Volume(Answer):
    """A volume (11.4.3). ``size`` in GiB; ``status`` such as ``available``, ``in-use``, ``attaching``, ``detaching``, ``error``."""

    id: str
    name: Text = Field(alias="displayName", default="")
    description: Text = Field(alias="displayDescription", default="")
    status: Text = ""
    size: Number = 0
    volume_type: Text = Field(alias="volumeType", default="")
    availability_zone: Text = Field(alias="availabilityZone", default="")
    created: Text = Field(alias="createdAt", default="")
    snapshot_id: MaybeText = Field(alias="snapshotId", default=None)
    metadata: Pairs = Field(default_factory=dict)
    attachments: tuple[VolumeAttachment, ...] = ()

    @property
    def server_ids(self) -> tuple[str, ...]:
        """The servers it is attached to. Nova shows a free volume with one empty attachment, which is left out."""
        return tuple(attachment.server_id for attachment in self.attachments if attachment.server_id)


class VolumeAnswer(Answer):
    """The answer of 11.4.3 and 11.4.4."""

    volume: Volume


class Volumes(Answer):
    """The answer of 11.4.1 and 11.4.2."""

    volumes: tuple[Volume, ...]


_Short = Annotated[str, StringConstraints(max_length=255)]
_Key = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class NewVolume(Request):
    """Table 11-66: a volume to make. ``size`` in GiB, only from a snapshot it may be left out; one in an unknown zone ends in ``error``."""

    operation: ClassVar[str] = "createVolume"
    place: ClassVar[str] = "volume"

    size: int | None = Field(default=None, ge=1, le=32768)
    availability_zone: str | None = Field(default=None, min_length=1, max_length=64)
    name: _Short | None = Field(alias="display_name", default=None)
    description: _Short | None = Field(alias="display_description", default=None)
    volume_type: str | None = Field(default=None, min_length=1, max_length=64)
    snapshot_id: str | None = Field(default=None, min_length=1, max_length=64)
    metadata: dict[_Key, _Short] | None = None

    @model_validator(mode="after")
    def _has_a_size(self) -> Self:
        if self.size is None and self.snapshot_id is None:
            raise ValueError("size is needed unless it is made from a snapshot")
        return self

    def body(self) -> dict[str, object]:
        """The body as it is sent."""
        return {self.place: self.model_dump(by_alias=True, exclude_none=True)}


class VolumeSnapshot(Answer):
    """A snapshot of a volume (11.6). ``size`` in GiB; ``status`` such as ``creating``, ``available``, ``deleting``, ``error``."""

    id: str
    volume_id: Text = Field(validation_alias=_VOLUME_ID, default="")
    name: Text = Field(alias="displayName", default="")
    description: Text = Field(alias="displayDescription", default="")
    status: Text = ""
    size: Number = 0
    created: Text = Field(alias="createdAt", default="")


class VolumeSnapshotAnswer(Answer):
    """The answer of 11.6.1 and 11.6.2."""

    snapshot: VolumeSnapshot
