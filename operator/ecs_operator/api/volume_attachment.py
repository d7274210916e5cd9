"""EcsVolumeAttachment: one volume attached to one server."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from ecs_operator.api.common import (
    ApiModel,
    CloudId,
    Conditions,
    DeletionPolicy,
    Generation,
    Job,
    ManagementPolicy,
    ObjectRef,
    Operation,
    ProjectRef,
    SeenText,
    text,
)
from ecs_operator.api.rules import Rule, exactly_one, immutable, validations

_WAY_OUT = "Take the change back, or delete this EcsVolumeAttachment and create another one"

_SYSTEM_PLACES = "'/dev/sda', '/dev/vda', '/dev/xvda'"


class Detach(ApiModel):
    """How the volume is detached."""

    mode: Literal["Soft", "Force"] = "Soft"
    """Soft: the guest is asked to let go. Force: a server that runs is not asked, so unwritten data is lost, and device, PCI address and
    slot stay taken there (data disks only). Default: Soft. Can be changed at any time, also while the object is being deleted."""


class VolumeAttachmentSpec(ApiModel):
    """Desired state of an attachment."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            exactly_one("serverRef", "serverId", none="name the EcsServer in serverRef, or give the id of a server not managed here"),
            immutable("volumeId", _WAY_OUT, required=True),
            immutable("serverRef.name", _WAY_OUT),
            immutable("serverId", _WAY_OUT),
            immutable("device", _WAY_OUT),
            Rule(
                test=f"!has(self.device) || !(self.device in [{_SYSTEM_PLACES}]) || self.detach.mode != 'Force'",
                message="a system disk is never detached by force: set detach.mode: Soft, and stop the server before it is detached",
                message_expression="'%s is the place of the system disk, which is never detached by force: set detach.mode: Soft (it is "
                "%s), and stop the server before it is detached'.format([self.device, self.detach.mode])",
                field=".detach",
            ),
        )
    )

    project_ref: ProjectRef | None = None
    """The EcsProject the volume and the server are in. Default: the default project that admits the namespace. Can be changed only until
    the volume's attachment has begun."""
    server_ref: ObjectRef | None = None
    """The EcsServer, in the same namespace; it is waited for. Exactly one of serverRef and serverId is set. Immutable."""
    server_id: CloudId | None = None
    """Id of a server that is not managed here. Exactly one of serverRef and serverId is set. Immutable."""
    volume_id: CloudId
    """Id of the volume. It must be available and in the server's zone. Immutable."""
    device: Annotated[str, text(32, pattern=r"^/dev/(sd|vd|xvd)[a-z]{1,2}$")] | None = None
    """Where the guest sees it, for example /dev/sdb; must not be taken. Needed for XEN servers; for KVM the cloud chooses when it is
    absent. /dev/sda or /dev/vda makes it the system disk, which needs a stopped server. The cloud may rewrite it (/dev/sdb becomes
    /dev/vdb): status.device shows what it is. Immutable."""
    detach: Detach = Field(default_factory=Detach, json_schema_extra={"default": {}})
    """How the volume is detached when this object is deleted."""
    deletion_policy: DeletionPolicy = "Delete"
    """What becomes of the attachment when this object is deleted. Delete: the volume is detached. Retain: it stays attached. The volume
    itself is never deleted. Default: Delete. Can be changed, which costs nothing."""
    management_policy: ManagementPolicy = "Managed"
    """Managed: the volume is attached, and detached when this object is deleted. Observe: it is only shown whether it is attached; nothing
    is attached or detached, whatever deletionPolicy says. Default: Managed. Can be changed, which costs nothing: to Managed it is attached
    if it is not, to Observe it stays as it is."""


class VolumeAttachmentStatus(ApiModel):
    """The attachment as the operator saw it last."""

    observed_generation: Generation | None = None
    """metadata.generation this status was computed for; -1 before the first visit."""
    project: SeenText | None = None
    """Name of the EcsProject it is in, written with the first intent."""
    server_id: SeenText | None = None
    """Id of the server."""
    device: SeenText | None = None
    """Where the guest sees the volume, as the cloud says."""
    pci_address: SeenText | None = None
    """PCI address in the guest."""
    boot_index: Annotated[int, Field(ge=-1, le=1000)] | None = None
    """Boot order; 0 is the system disk."""
    size_gib: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(default=None, alias="sizeGiB")
    """Size of the volume in GiB."""
    attachment_id: SeenText | None = None
    """Id of the attachment in the cloud."""
    detach_mode: Literal["Soft", "Force"] | None = None
    """How the cloud was asked last to detach it; absent while nothing is detached. After Force, device and PCI address stay taken on the
    server, and so does one of its slots."""
    operation: Operation | None = None
    """The change that is being carried through."""
    job: Job | None = None
    """The last job of the cloud for it."""
    last_handled_reconcile_at: SeenText | None = None
    """Echo of the annotation ecs.huaweicloud.com/reconcile-requested-at that was handled last."""
    conditions: Conditions = ()
    """Ready, and Reconciling or Stalled while they are True."""
