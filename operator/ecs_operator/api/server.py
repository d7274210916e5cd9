"""EcsServer: one elastic cloud server (ECS API reference 5.1.1, table 5-3)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from ecs_operator.api.common import (
    LIST_SET,
    ApiModel,
    CloudId,
    DeletionPolicy,
    Import,
    KeyRef,
    ManagementPolicy,
    ObjectRef,
    ProjectRef,
    list_map,
    text,
)
from ecs_operator.api.rules import Rule, exactly_one, validations
from ecs_operator.api.server_applied import (
    Applied,
    AppliedInterface,
    AppliedPublicIp,
    GroupPin,
    Installation,
    InstalledDataRef,
    Placement,
)
from ecs_operator.api.server_disks import MOST_DATA_VOLUMES, DataVolume, RootVolume
from ecs_operator.api.server_network import NetworkInterface, PublicIp
from ecs_operator.api.server_origin import Origin, OriginDisk, OriginPublicIp
from ecs_operator.api.server_records import (
    Adoption,
    ChangeRecord,
    ChangeStep,
    CreateRecord,
    InterfaceChange,
    Plan,
    PlannedChange,
    ReplacementRecord,
)
from ecs_operator.api.server_rules import METADATA_RULES, SERVER_SPEC_RULES, TAG_RULES
from ecs_operator.api.server_status import (
    Address,
    DriftEntry,
    Fault,
    Membership,
    ResolvedImage,
    SecurityGroup,
    ServerStatus,
    Volume,
)

__all__ = [
    "Address",
    "Adoption",
    "Applied",
    "AppliedInterface",
    "AppliedPublicIp",
    "ChangeRecord",
    "ChangeStep",
    "CreateRecord",
    "DataVolume",
    "Disruption",
    "DriftEntry",
    "Fault",
    "GroupPin",
    "Image",
    "Installation",
    "InstalledDataRef",
    "InterfaceChange",
    "Membership",
    "NetworkInterface",
    "Origin",
    "OriginDisk",
    "OriginPublicIp",
    "Placement",
    "Plan",
    "PlannedChange",
    "PublicIp",
    "ReplacementRecord",
    "ResolvedImage",
    "RootVolume",
    "Scheduling",
    "SecurityGroup",
    "ServerSpec",
    "ServerStatus",
    "Shutdown",
    "UserDataRef",
    "Volume",
]


class Image(ApiModel):
    """The image the system disk is made from."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            exactly_one("id", "name", none="name the image by one of them", both="remove name, because the id is exact")
        )
    )

    id: CloudId | None = None
    """Id of the image. Exactly one of id and name is set."""
    name: Annotated[str, text(128)] | None = None
    """Name of the image, which must be the only one of that name. Resolved once, so a newer image of the same name changes nothing.
    Exactly one of id and name is set."""


class UserDataRef(ApiModel):
    """Where the user data stand."""

    model_config = ConfigDict(
        json_schema_extra=validations(exactly_one("secret", "configMap", none="say where the user data stand", both="remove one of them"))
    )

    secret: KeyRef | None = None
    """A key of a Secret in the same namespace. Exactly one of secret and configMap is set."""
    config_map: KeyRef | None = None
    """A key of a ConfigMap in the same namespace. Exactly one of secret and configMap is set."""


class Scheduling(ApiModel):
    """Where the server may stand."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            Rule(
                test="!has(self.dedicatedHostId) || self.tenancy == 'dedicated'",
                message="dedicatedHostId works only with tenancy: dedicated: set it, or remove dedicatedHostId",
                field=".dedicatedHostId",
            )
        )
    )

    tenancy: Literal["shared", "dedicated"] = "shared"
    """shared: on hosts shared with others. dedicated: on a dedicated host. Default: shared."""
    dedicated_host_id: CloudId | None = None
    """Id of the dedicated host, in the same zone as the server. Only with tenancy: dedicated. Absent: any of them."""


class Shutdown(ApiModel):
    """How the server is stopped."""

    mode: Literal["Soft", "Hard"] = "Soft"
    """Soft: the guest is asked to shut down, and the power is cut when it has not after timeoutSeconds. Hard: the power is cut at once.
    Default: Soft."""
    timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 300
    """How long the guest may take to shut down, in seconds, 1 to 3600. Default: 300."""


class Disruption(ApiModel):
    """What a change of the spec may cost without being approved one by one."""

    allow: Literal["None", "Restart", "Reinstall", "Replace"] = "None"
    """The most a change may cost. None: nothing that stops the server is done without approval. Restart: the server may be stopped and
    started again, for example for another flavor. Reinstall: its system disk may be made anew as well, for example for another image;
    everything on that disk is lost. Replace: the server may be deleted and another one made in its place, for example in another zone, or
    after somebody else deleted it. What costs more waits with the condition ApprovalRequired and stands in status.plan; it goes ahead when
    the annotation ecs.huaweicloud.com/approve-plan is set to status.plan.hash. Default: None."""


_METADATA: dict[str, Any] = validations(*METADATA_RULES)
_TAGS: dict[str, Any] = validations(*TAG_RULES)


class ServerSpec(ApiModel):
    """Desired state of the server.

    Once the server exists, name, description, metadata, tags, securityGroupIds, networkInterfaces (but the first), publicIp by id, locked,
    autoRecovery, powerState, shutdown, disruption, driftPolicy, deletionPolicy and deletionProtection can be changed at no cost; flavor,
    serverGroupRef, serverGroupId and scheduling for a stop and a start; image, keyPairName, adminPasswordSecretRef and userDataRef for a
    new system disk; availabilityZone, vpcId, the first network interface, an mtu, rootVolume, publicIp.allocate and agencyName for another
    server. Other changes are refused.
    """

    model_config = ConfigDict(json_schema_extra=validations(*SERVER_SPEC_RULES))

    project_ref: ProjectRef | None = None
    """The EcsProject the server is in. Default: the default project that admits the namespace. Can be changed only until the server's
    creation has begun."""
    name: Annotated[str, text(128, pattern=r"^[\x{4e00}-\x{9fff}A-Za-z0-9_.-]+$")] | None = None
    """Name in the cloud and in its console: 1 to 128 of A-Z a-z 0-9 _ - and dot, or up to 64 characters if Chinese ones are among them.
    Default: metadata.name, which may then have 64 characters at most. Can be changed, which costs nothing."""
    description: Annotated[str, text(85, pattern=r"^[^<>]*$")] | None = None
    """Description in the cloud, up to 85 characters without < and >. Absent: it is left as it is. Can be changed, which costs nothing."""
    flavor: Annotated[str, text(64, pattern=r"^[A-Za-z0-9_.-]+$")]
    """Id of the flavor (virtual CPUs and memory), for example s3.large.2. Can be changed, which is a resize: the server is stopped, and
    started again if it ran, when disruption.allow or an approval permits it."""
    image: Image
    """Image the system disk is made from. Can be changed, which makes the system disk anew (everything on it is lost, data disks stay):
    the server is stopped, and started again if it ran, when disruption.allow or an approval permits a Reinstall. It then needs keyPairName
    or adminPasswordSecretRef."""
    availability_zone: Annotated[str, text(64, pattern=r"^[A-Za-z0-9_.-]+$")] | None = None
    """Zone, for example eu-west-0a. Absent: the cloud chooses, and status.availabilityZone shows which. Can be changed, which makes
    another server, when disruption.allow or an approval permits a Replace; removing it changes nothing."""
    vpc_id: CloudId
    """Id of the VPC. Can be changed, which makes another server, when disruption.allow or an approval permits a Replace."""
    network_interfaces: Annotated[tuple[NetworkInterface, ...], Field(min_length=1, max_length=12, json_schema_extra=list_map("name"))]
    """Network interfaces, 1 to 12; a flavor may allow fewer. The first is the primary one. Can be changed: others are added and removed at
    no cost; another subnetId or ipAddress of one removes it and adds it anew. Another subnetId or ipAddress of the first, and another mtu
    of any, make another server, when disruption.allow or an approval permits a Replace. Interfaces that others added stay."""
    security_group_ids: Annotated[tuple[CloudId, ...], Field(min_length=1, max_length=10, json_schema_extra=LIST_SET)] | None = None
    """Ids of the security groups of all interfaces, up to 10. Absent: the project's group named default, and later whatever the server
    has. Can be changed, which costs nothing."""
    public_ip: PublicIp | None = None
    """Public address. Absent: none of this object's. Can be changed: an address by id is set, exchanged and removed at no cost,
    where the endpoint has the calls for it. Another allocate makes another server, when disruption.allow or an approval permits a
    Replace."""
    root_volume: RootVolume
    """System disk; it is always deleted with the server. Can be changed, which makes another server (everything on the disk is lost), when
    disruption.allow or an approval permits a Replace."""
    data_volumes: Annotated[tuple[DataVolume, ...], Field(max_length=MOST_DATA_VOLUMES, json_schema_extra=list_map("name"))] = ()
    """Data disks that are made together with the server, up to 59 (23 with some flavors). Cannot be changed once the server exists;
    attach further volumes with an EcsVolumeAttachment."""
    key_pair_name: Annotated[str, text(64, pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    """Name of the SSH key pair for signing in. Not together with adminPasswordSecretRef. With neither, the image's own password is in
    force. Can be changed, which makes the system disk anew from the same image (everything on it is lost), when disruption.allow or an
    approval permits a Reinstall."""
    admin_password_secret_ref: KeyRef | None = None
    """Secret with the password of root or Administrator: 8 to 26 characters, three of the four classes. Not together with keyPairName. On
    Linux images with Cloud-init the cloud ignores it when there are user data. For Windows it travels as metadata, which those who may
    list servers in the cloud can read. Can be changed: naming another Secret or key makes the system disk anew, as with keyPairName;
    another content of the same Secret changes nothing."""
    user_data_ref: UserDataRef | None = None
    """User data for Cloud-init or Cloudbase-init, up to 32 KiB before encoding. Whoever may list servers in the cloud can read them: put
    no secrets in. Can be changed: naming another Secret, ConfigMap or key makes the system disk anew, as with keyPairName; another content
    of the same one changes nothing."""
    metadata: Annotated[dict[str, Annotated[str, Field(max_length=255)]], Field(max_length=9, json_schema_extra=_METADATA)] = Field(
        default_factory=dict
    )
    """Metadata pairs: up to 9 (10 less the operator's own mark), one less with agencyName, one less with adminPasswordSecretRef. Keys: 1
    to 255 of A-Z a-z 0-9 - _ : and dot; values up to 255 characters. Pairs that others wrote stay. Can be changed, which costs
    nothing."""
    tags: Annotated[
        dict[str, Annotated[str, Field(max_length=43, pattern=r"^[\x{4e00}-\x{9fff}A-Za-z0-9_.-]*$")]],
        Field(max_length=10, json_schema_extra=_TAGS),
    ] = Field(default_factory=dict)
    """Tags, up to 10, set right after the server was made. Keys: 1 to 36 of A-Z a-z 0-9 _ - and Chinese characters; values: up to 43 of
    these and dot. Tags that others set stay. Can be changed, which costs nothing."""
    locked: bool | None = None
    """true: the server is locked in the cloud, so that nobody stops, changes or deletes it by mistake; the operator unlocks it for what
    the spec asks for, and locks it again. false: it is unlocked. Absent: left as it is. Can be changed, which costs nothing."""
    auto_recovery: bool | None = None
    """Whether the cloud moves the server to another host and starts it there when its host fails. Absent: left as it is. Can be changed,
    which costs nothing. What others change here is noticed within hours: no list shows it."""
    server_group_ref: ObjectRef | None = None
    """The EcsServerGroup, in the same namespace; it is waited for. Not together with serverGroupId. Can be changed: to leave a group costs
    nothing; to join one, or to move to another, the server is stopped, and started again if it ran, when disruption.allow or an approval
    permits a Restart."""
    server_group_id: CloudId | None = None
    """Id of a server group that is not managed here. Not together with serverGroupRef. Can be changed, as serverGroupRef can."""
    scheduling: Scheduling | None = None
    """Where the server may stand. Absent: on shared hosts. Can be changed, which moves the server: it is stopped, and started again if it
    ran, when disruption.allow or an approval permits a Restart. A server that is on a shared host needs dedicatedHostId to leave it."""
    agency_name: Annotated[str, text(64)] | None = None
    """IAM agency through which the server may use cloud services. Takes one of the metadata pairs. Can be changed, which makes another
    server, when disruption.allow or an approval permits a Replace."""
    power_state: Literal["Running", "Stopped"] | None = None
    """Running: it is started, also after somebody else stopped it. Stopped: it is shut down. Absent: the operator leaves it as it is. Can
    be changed at any time, which is a start or a stop."""
    disruption: Disruption = Field(default_factory=Disruption, json_schema_extra={"default": {}})
    """What a change may cost without approval. Can be changed, which costs nothing."""
    drift_policy: Literal["Correct", "Report"] = "Correct"
    """What becomes of drift: of a field that the server had as the spec wants it, and that somebody changed in the cloud. Correct: what
    costs nothing is put right at once, what costs more waits for consent as any other change does. Report: it is only shown, in
    status.drift and by the condition DriftDetected, and Ready is False until the field is as wanted again, or the spec wants it as it is.
    Edits of the spec are carried out either way. Default: Correct. Can be changed, which costs nothing."""
    shutdown: Shutdown = Field(default_factory=Shutdown, json_schema_extra={"default": {}})
    """How the server is stopped. Can be changed, which costs nothing."""
    deletion_policy: DeletionPolicy = "Delete"
    """What becomes of the server when this object is deleted. Delete: it goes too, also when it was adopted. Retain: it stays with its
    disks and its public address, without the operator's mark, and can be adopted again. With managementPolicy: Observe it always stays.
    Default: Delete. Can be changed, which costs nothing."""
    deletion_protection: bool = False
    """true: a deletion of this object is refused until it is false again, by the ValidatingAdmissionPolicy ecs-deletion-protection that
    manifests/base brings. Default: false. Can be changed, which costs nothing."""
    management_policy: ManagementPolicy = "Managed"
    """Managed: the server is kept as the spec says. Observe: it is only shown in status; nothing is ever changed in the cloud, and a
    deletion of this object leaves the server as it is, with the operator's mark if it has one. Observe needs import, unless the server
    exists. Default: Managed. Can be changed, which costs nothing: back to Managed the server is compared with the spec first, as at an
    adoption."""
    import_: Import | None = Field(default=None, alias="import")
    """A server that is there already and is to be adopted, or only observed with managementPolicy: Observe; none is ever created then.
    What differs from the spec is shown in status.plan, whatever it costs, and nothing is changed before that plan is approved; a server
    without differences is adopted at once. One that carries the mark of another object or cluster is refused. Cannot be changed once the
    server was found and adopted, or is observed."""
