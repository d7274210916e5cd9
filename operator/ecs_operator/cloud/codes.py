"""The error codes of the API (ECS API reference, table A.2) in one table: meaning, text, what to do, and what a code proves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ecs_operator.cloud.errors import Meaning

M = Meaning
"""For the table's sake."""

WHAT_TO_DO: Mapping[Meaning, str] = MappingProxyType(
    {
        M.QUOTA: "free resources or have the quota raised",
        M.CAPACITY: "choose another flavor, disk type, subnet or zone, or wait",
        M.CONFLICT: "wait until the resource's state allows it, or change what stands in the way",
        M.INVALID: "change the request",
        M.AUTH: "check the credentials",
        M.FORBIDDEN: "grant the missing right in IAM",
        M.FROZEN: "settle it with the cloud provider",
        M.TRANSIENT: "nothing; it is tried again",
        M.THROTTLED: "nothing; it is tried again",
        M.BUSY: "nothing; it is tried again after a minute",
        M.NOT_FOUND: "nothing, when it was to go; else check the id",
        M.UNREACHABLE: "check the endpoint and the network",
        M.INTERNAL: "wait; if it stays, ask the cloud provider",
    }
)

_PROVES_NOTHING = frozenset({M.INTERNAL, M.TRANSIENT})
"""A trouble inside the cloud can strike before or after the work was done: only a refusal by a rule proves that nothing was."""


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """One code."""

    code: str
    status: int
    """The HTTP status it is documented with. Not a verdict."""
    meaning: Meaning
    text: str
    remedy: str = ""

    @property
    def is_definite(self) -> bool:
        """The cloud refused, and did nothing."""
        return self.meaning not in _PROVES_NOTHING

    @property
    def what_to_do(self) -> str:
        """What somebody can do about it."""
        return self.remedy or WHAT_TO_DO[self.meaning]


_ROWS = (
    CodeEntry("Ecs.0000", 400, M.INVALID, "request data error", "check what the cloud's text names"),
    CodeEntry("Ecs.0001", 400, M.QUOTA, "tenant's ECS quota insufficient", "ask for more of the resource named in the message"),
    CodeEntry("Ecs.0002", 400, M.INTERNAL, "submitting the task failed", "contact support"),
    CodeEntry("Ecs.0003", 403, M.FROZEN, "account restricted", "check arrears / frozen account"),
    CodeEntry("Ecs.0004", 400, M.INTERNAL, "privilege elevation failed", "read message or contact support"),
    CodeEntry("Ecs.0005", 400, M.INVALID, "invalid parameter", "check what the cloud's text names"),
    CodeEntry("Ecs.0007", 400, M.INVALID, "image attributes invalid", "change flavor or image type"),
    CodeEntry("Ecs.0008", 400, M.INVALID, "flavor attributes invalid", "support must check the flavor's registration"),
    CodeEntry("Ecs.0009", 400, M.CONFLICT, "flavor unchanged", "resize must name a different flavor"),
    CodeEntry("Ecs.0010", 400, M.CONFLICT, "private IP already in use", "choose another port/IP"),
    CodeEntry("Ecs.0011", 400, M.INVALID, "password does not meet the complexity rules"),
    CodeEntry("Ecs.0012", 400, M.CAPACITY, "not enough free IP addresses in the subnet"),
    CodeEntry("Ecs.0013", 400, M.QUOTA, "EIP quota insufficient"),
    CodeEntry("Ecs.0014", 400, M.INVALID, "VPC / subnet / security group parameters invalid", "subnets must be of one VPC"),
    CodeEntry("Ecs.0015", 400, M.INVALID, "disk type not usable with this type of server", "match volume_type and flavor"),
    CodeEntry("Ecs.0017", 400, M.CONFLICT, "system or data disk belongs to another server", "check volume metadata __system_server_id"),
    CodeEntry("Ecs.0021", 400, M.QUOTA, "EVS disk quota insufficient"),
    CodeEntry("Ecs.0022", 400, M.QUOTA, "server group quota exceeded"),
    CodeEntry(
        "Ecs.0023", 400, M.AUTH, "token invalid, or the token's project is not the URL's", "check the credentials and the project id"
    ),
    CodeEntry("Ecs.0025", 400, M.FORBIDDEN, "EVS may not use KMS keys for encrypted disks", "grant EVS the right to use KMS"),
    CodeEntry("Ecs.0027", 400, M.INVALID, "private flavor, not allowed", "choose another flavor"),
    CodeEntry("Ecs.0028", 400, M.INVALID, "user is on the flavor's blacklist", "choose another flavor"),
    CodeEntry("Ecs.0029", 400, M.INVALID, "flavor does not exist or was taken offline"),
    CodeEntry("Ecs.0030", 400, M.FROZEN, "server frozen, cannot be resized", "check account"),
    CodeEntry("Ecs.0031", 400, M.INVALID, "image does not exist"),
    CodeEntry("Ecs.0032", 400, M.CONFLICT, "image is not Active", "choose another image"),
    CodeEntry("Ecs.0034", 400, M.INVALID, "the full-ECS backup behind the image is gone", "choose another image"),
    CodeEntry("Ecs.0036", 400, M.INVALID, "flavor does not support automatic recovery"),
    CodeEntry("Ecs.0037", 400, M.INVALID, "flavor does not support SCSI disks"),
    CodeEntry("Ecs.0038", 400, M.INVALID, "subnet does not exist"),
    CodeEntry("Ecs.0039", 400, M.INVALID, "specified IP does not belong to the subnet"),
    CodeEntry("Ecs.0041", 400, M.INVALID, "description field invalid"),
    CodeEntry("Ecs.0042", 400, M.QUOTA, "the server has as many data disks as it can take", "detach one"),
    CodeEntry("Ecs.0043", 400, M.INVALID, "disk type does not exist"),
    CodeEntry("Ecs.0044", 400, M.CAPACITY, "disk type sold out"),
    CodeEntry("Ecs.0045", 400, M.INVALID, "bandwidth larger than allowed"),
    CodeEntry("Ecs.0046", 400, M.INVALID, "data disk type must equal that of the image's snapshot"),
    CodeEntry("Ecs.0048", 400, M.CONFLICT, "full-ECS image (CSBS backup) not in a usable state", "try later"),
    CodeEntry("Ecs.0050", 400, M.INVALID, "number of NICs over the server's limit"),
    CodeEntry("Ecs.0051", 400, M.INVALID, "flavor takes SCSI disks only"),
    CodeEntry("Ecs.0052", 400, M.INVALID, "flavor takes SCSI system disks only"),
    CodeEntry("Ecs.0053", 400, M.INVALID, "flavor takes SCSI data disks only"),
    CodeEntry("Ecs.0057", 400, M.CONFLICT, "this disk is already attached to the server"),
    CodeEntry("Ecs.0058", 400, M.FORBIDDEN, "image provider does not match the account", "no right to use third-party image"),
    CodeEntry("Ecs.0062", 400, M.INVALID, "flavor does not support setting the NIC driver mode"),
    CodeEntry("Ecs.0064", 400, M.INVALID, "vpcid in the request is not the VPC of the primary NIC's subnet"),
    CodeEntry("Ecs.0066", 403, M.FROZEN, "account restricted: real-name authentication missing"),
    CodeEntry("Ecs.0067", 403, M.FROZEN, "account restricted: insufficient balance"),
    CodeEntry("Ecs.0068", 403, M.FROZEN, "account restricted: partner account"),
    CodeEntry("Ecs.0069", 403, M.FROZEN, "account restricted: no payment method"),
    CodeEntry("Ecs.0070", 403, M.FROZEN, "account restricted: enterprise budget insufficient"),
    CodeEntry("Ecs.0071", 403, M.FROZEN, "account suspended (fraud)"),
    CodeEntry("Ecs.0073", 400, M.CONFLICT, "system disk is being backed up", "wait (deletion of the system disk is forbidden meanwhile)"),
    CodeEntry("Ecs.0074", 400, M.INVALID, "external users may not create from Windows images"),
    CodeEntry("Ecs.0075", 400, M.INVALID, "partners may use Windows images only"),
    CodeEntry("Ecs.0085", 400, M.NOT_FOUND, "server has no such NIC"),
    CodeEntry("Ecs.0086", 400, M.INVALID, "the NIC is not the primary NIC"),
    CodeEntry("Ecs.0090", 400, M.INVALID, "BYOL image feature not supported in this region"),
    CodeEntry("Ecs.0100", 400, M.CONFLICT, "server's status does not allow the operation", "try later"),
    CodeEntry("Ecs.0101", 400, M.INTERNAL, "system disk in abnormal state", "contact support"),
    CodeEntry("Ecs.0102", 400, M.CONFLICT, "the system disk's state does not allow detaching"),
    CodeEntry("Ecs.0103", 400, M.CONFLICT, "EVS disk not available", "it must exist and be in state available"),
    CodeEntry("Ecs.0104", 400, M.QUOTA, "not enough free disk slots on the server"),
    CodeEntry("Ecs.0105", 400, M.INVALID, "the server has no system disk", "attach one"),
    CodeEntry("Ecs.0106", 400, M.INTERNAL, "network in abnormal state", "contact support"),
    CodeEntry("Ecs.0110", 403, M.FORBIDDEN, "the token lacks the right", "grant the right in IAM"),
    CodeEntry("Ecs.0111", 400, M.NOT_FOUND, "the disk is not attached to this server"),
    CodeEntry("Ecs.0114", 404, M.NOT_FOUND, "server does not exist"),
    CodeEntry("Ecs.0118", 400, M.INVALID, "too many servers in one batch request"),
    CodeEntry("Ecs.0119", 400, M.CONFLICT, "encrypted disk whose key is disabled cannot be attached"),
    CodeEntry("Ecs.0121", 400, M.CONFLICT, "disk and server are in different failure domains"),
    CodeEntry("Ecs.0201", 400, M.INTERNAL, "creating the NIC failed (job step)"),
    CodeEntry("Ecs.0202", 400, M.INTERNAL, "creating the system disk failed (job step)"),
    CodeEntry("Ecs.0203", 400, M.INTERNAL, "creating the data disk failed (job step)"),
    CodeEntry("Ecs.0204", 400, M.INTERNAL, "creating the server failed (job step)"),
    CodeEntry("Ecs.0205", 400, M.INTERNAL, "attaching the data disk failed (job step)"),
    CodeEntry("Ecs.0207", 400, M.INTERNAL, "resize failed (job step)"),
    CodeEntry("Ecs.0208", 400, M.INTERNAL, "updating image metadata failed"),
    CodeEntry("Ecs.0209", 400, M.INTERNAL, "confirming the resize failed (job step)"),
    CodeEntry("Ecs.0210", 400, M.INTERNAL, "creating the floating IP failed (job step)"),
    CodeEntry("Ecs.0211", 400, M.INTERNAL, "creating the NIC's QoS failed (job step)"),
    CodeEntry("Ecs.0212", 400, M.INTERNAL, "creating the private IP failed (job step)"),
    CodeEntry("Ecs.0213", 400, M.INTERNAL, "updating port attributes failed (job step)"),
    CodeEntry("Ecs.0214", 400, M.INTERNAL, "creating the network failed"),
    CodeEntry("Ecs.0216", 400, M.INTERNAL, "creating the subnet failed"),
    CodeEntry("Ecs.0217", 400, M.INTERNAL, "attaching the port failed (job step)"),
    CodeEntry("Ecs.0219", 400, M.INTERNAL, "creating the server failed (job step)"),
    CodeEntry("Ecs.0221", 400, M.INVALID, "cold migration to the same dedicated host is not possible", "name another host"),
    CodeEntry("Ecs.0226", 400, M.INTERNAL, "starting the server failed (job step)"),
    CodeEntry("Ecs.0227", 400, M.INTERNAL, "rebooting the server failed (job step)"),
    CodeEntry("Ecs.0301", 400, M.TRANSIENT, "querying the server failed"),
    CodeEntry("Ecs.0302", 400, M.TRANSIENT, "querying the tenant's ECS quota failed"),
    CodeEntry("Ecs.0303", 400, M.TRANSIENT, "querying the flavor failed"),
    CodeEntry("Ecs.0304", 400, M.TRANSIENT, "querying the image failed", "the image's registration may be wrong"),
    CodeEntry("Ecs.0306", 400, M.TRANSIENT, "querying the backup failed"),
    CodeEntry("Ecs.0307", 400, M.TRANSIENT, "querying the port failed"),
    CodeEntry("Ecs.0308", 400, M.TRANSIENT, "querying the tenant's ECS quota failed"),
    CodeEntry("Ecs.0309", 400, M.TRANSIENT, "querying the NIC's QoS failed"),
    CodeEntry("Ecs.0310", 400, M.TRANSIENT, "querying the network failed"),
    CodeEntry("Ecs.0311", 400, M.TRANSIENT, "querying the volume type failed"),
    CodeEntry("Ecs.0313", 400, M.TRANSIENT, "querying the server group failed"),
    CodeEntry(
        "Ecs.0314",
        400,
        M.INVALID,
        "the key pair does not exist or cannot be read",
        "check its name; key pairs are visible only to their maker",
    ),
    CodeEntry("Ecs.0315", 400, M.TRANSIENT, "querying the auto recovery setting failed"),
    CodeEntry("Ecs.0319", 400, M.CAPACITY, "flavor's capacity insufficient", "try another flavor"),
    CodeEntry("Ecs.0320", 400, M.TRANSIENT, "querying the AZ failed"),
    CodeEntry("Ecs.0321", 400, M.TRANSIENT, "querying the console log failed"),
    CodeEntry("Ecs.0322", 400, M.TRANSIENT, "querying the subnet failed"),
    CodeEntry("Ecs.0323", 400, M.TRANSIENT, "querying the server's NICs failed"),
    CodeEntry("Ecs.0401", 400, M.INTERNAL, "rollback of the port failed (a port may be left over)"),
    CodeEntry("Ecs.0402", 400, M.INTERNAL, "rollback of the system disk failed (a disk may be left over)"),
    CodeEntry("Ecs.0403", 400, M.INTERNAL, "rollback of the server failed (a server may be left over)", "contact support"),
    CodeEntry("Ecs.0405", 400, M.INTERNAL, "rollback of the data disk failed (a disk may be left over)"),
    CodeEntry("Ecs.0501", 400, M.TRANSIENT, "deleting the server failed", "repeat later"),
    CodeEntry("Ecs.0502", 400, M.INTERNAL, "deleting the private IP failed"),
    CodeEntry("Ecs.0503", 400, M.TRANSIENT, "querying the system disk failed"),
    CodeEntry("Ecs.0507", 400, M.INTERNAL, "deleting the NIC failed", "check the kind of NIC (primary?)"),
    CodeEntry("Ecs.0603", 501, M.BUSY, "another command is being executed", "retry after one minute (HTTP 501)"),
    CodeEntry("Ecs.0605", 400, M.CONFLICT, "server is locked", "unlock it first"),
    CodeEntry("Ecs.0611", 400, M.INTERNAL, "batch operation failed", "read the per-server errors (internalError[])"),
    CodeEntry("Ecs.0614", 404, M.NOT_FOUND, "server does not exist"),
    CodeEntry("Ecs.0615", 500, M.INTERNAL, "exception while handling the request (thread list empty)", "contact support"),
    CodeEntry("Ecs.0616", 400, M.TRANSIENT, "changing the server (name) failed", "repeat later"),
    CodeEntry("Ecs.0617", 400, M.INTERNAL, "changing attributes of an attached disk failed"),
    CodeEntry("Ecs.0618", 400, M.INTERNAL, "changing a NIC's IP failed"),
    CodeEntry("Ecs.0707", 400, M.INVALID, "product not registered", "contact support"),
    CodeEntry("Ecs.0803", 400, M.INVALID, "server on a dedicated host", "name the dedicated host in the resize request"),
    CodeEntry("Ecs.0810", 400, M.CONFLICT, "target flavor equals the current flavor"),
    CodeEntry("Ecs.0811", 400, M.INVALID, "drivers missing for the change from Xen to KVM", "install them first"),
    CodeEntry("Ecs.0904", 400, M.INVALID, "UEFI image cannot be used with a Xen flavor"),
    CodeEntry("Ecs.0905", 400, M.QUOTA, "too many tags"),
    CodeEntry("Ecs.0906", 400, M.INVALID, "tag attributes invalid"),
    CodeEntry("Ecs.0907", 400, M.INVALID, "tag character set invalid"),
    CodeEntry("Ecs.0908", 400, M.INVALID, "duplicate tag key"),
    CodeEntry("Ecs.0909", 400, M.INVALID, "flavor does not support the disk type"),
    CodeEntry("Ecs.0910", 400, M.INVALID, "NIC parameters invalid for a HANA server"),
    CodeEntry("Ecs.0911", 400, M.INVALID, "dedicated storage type of the disk invalid"),
    CodeEntry("Ecs.0912", 400, M.INVALID, "disk encryption parameters invalid"),
    CodeEntry("Ecs.0913", 400, M.INVALID, "too many servers in one create"),
    CodeEntry("Ecs.0914", 400, M.INVALID, "server name too long"),
    CodeEntry("Ecs.0915", 400, M.INVALID, "server name has illegal characters"),
    CodeEntry("Ecs.0919", 400, M.CONFLICT, "port's state does not allow attaching (attached to another instance)"),
    CodeEntry("Ecs.1000", 400, M.TRANSIENT, "calling Nova failed", "retry later or contact support"),
    CodeEntry("Ecs.1001", 400, M.INTERNAL, "OpenStack error made the server's state abnormal", "contact support"),
    CodeEntry("Ecs.1002", 400, M.TRANSIENT, "timeout calling OpenStack", "for NIC/disk/OS changes: stop the server and retry"),
    CodeEntry("Ecs.1100", 400, M.TRANSIENT, "calling IAM failed"),
    CodeEntry("Ecs.1200", 400, M.TRANSIENT, "calling VPC failed"),
    CodeEntry("Ecs.1201", 400, M.TRANSIENT, "timeout calling VPC"),
    CodeEntry("Ecs.1300", 400, M.TRANSIENT, "timeout calling EVS"),
    CodeEntry("Pdp.0001", 403, M.FORBIDDEN, "policy does not allow the action", "add it in IAM"),
    CodeEntry("Common.0024", 202, M.THROTTLED, "flow control, too many concurrent requests", "nothing; it is tried again"),
    CodeEntry("Common.0002", 400, M.INVALID, "request body empty"),
    CodeEntry("Common.0011", 400, M.NOT_FOUND, "no such job", "nothing; the server itself is looked at"),
    CodeEntry("Common.0018", 400, M.AUTH, "token invalid: its project is not the URL's", "check the credentials and the project id"),
    CodeEntry("Common.0020", 400, M.INTERNAL, "retrying the task failed", "contact support"),
    CodeEntry("Common.0021", 400, M.TRANSIENT, "querying the job failed ('Sub job fail!')", "retry later"),
    CodeEntry("Common.0022", 400, M.INTERNAL, "submitting the job failed ('Mission fail!')", "contact support"),
    CodeEntry("Common.0999", 400, M.INTERNAL, "task exited", "contact support"),
    CodeEntry("Common.0025", 400, M.TRANSIENT, "querying the job failed", "retry later"),
    CodeEntry("Common.0026", 400, M.TRANSIENT, "querying AZ information failed", "retry later"),
    CodeEntry("Common.0013", 401, M.AUTH, "invalid token"),
    CodeEntry("Common.0001", 500, M.INTERNAL, "system exception", "contact support"),
    CodeEntry("Common.1503", 429, M.THROTTLED, "API flow control", "retry later"),
)

CODES: Mapping[str, CodeEntry] = MappingProxyType({row.code: row for row in _ROWS})
"""All 162 codes."""

_BY_LOWER = MappingProxyType({row.code.lower(): row for row in _ROWS})

LEFTOVERS = frozenset({"Ecs.0401", "Ecs.0402", "Ecs.0403", "Ecs.0405"})
"""A failed create whose roll-back failed as well: something is left and must be cleared away."""


def lookup(code: str | None) -> CodeEntry | None:
    """The row of a code, None when it is not listed. Upper and lower case do not matter: batch answers write ``ECS.``."""
    return _BY_LOWER.get((code or "").strip().lower())
