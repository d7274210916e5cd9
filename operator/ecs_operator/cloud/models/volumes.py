"""Volumes and their attachments (ECS API reference 5.6, 6.8, 11.4)."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from ecs_operator.cloud.models.wire import Answer, MaybeNumber, MaybeText, Number, Pairs, Text

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


class Attachment(Answer):
    """A volume attached, or being attached, to a server (6.8.1, 6.8.2)."""

    id: Text = ""
    volume_id: str = Field(validation_alias=_VOLUME_ID)
    server_id: Text = Field(validation_alias=_SERVER_ID, default="")
    device: MaybeText = None


class Attachments(Answer):
    """The answer of 6.8.1."""

    volume_attachments: tuple[Attachment, ...] = Field(alias="volumeAttachments")


class AttachmentAnswer(Answer):
    """The answer of 6.8.2."""

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
    """The answer of 11.4.3."""

    volume: Volume
