"""The reasons a condition can give. One list: code, docs and events all come from here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Reason of the Ready condition, and of the events that go with it."""

    AVAILABLE = "Available"
    STOPPED_AS_DESIRED = "StoppedAsDesired"
    OBSERVED = "Observed"

    CREATING = "Creating"
    DELETING = "Deleting"
    UPDATING = "Updating"
    STARTING = "Starting"
    STOPPING = "Stopping"
    RESTARTING = "Restarting"
    RESIZING = "Resizing"
    REINSTALLING = "Reinstalling"
    REPLACING = "Replacing"
    ATTACHING = "Attaching"
    DETACHING = "Detaching"

    WAITING_FOR_DEPENDENCY = "WaitingForDependency"
    WAITING_FOR_APPROVAL = "WaitingForApproval"
    DRIFTED = "Drifted"
    PAUSED = "Paused"
    IN_USE = "InUse"

    QUOTA_EXCEEDED = "QuotaExceeded"
    CAPACITY_EXHAUSTED = "CapacityExhausted"
    THROTTLED = "Throttled"
    CLOUD_UNREACHABLE = "CloudUnreachable"
    UNAUTHORIZED = "Unauthorized"
    CREDENTIALS_MISSING = "CredentialsMissing"
    OUTCOME_UNKNOWN = "OutcomeUnknown"

    INVALID_CONFIGURATION = "InvalidConfiguration"
    REJECTED = "Rejected"
    OPERATION_FAILED = "OperationFailed"

    DELETED_EXTERNALLY = "DeletedExternally"
    SERVER_ERROR = "ServerError"
    FROZEN = "Frozen"
    OWNERSHIP_CONFLICT = "OwnershipConflict"
    MASS_ABSENCE = "MassAbsence"

    @property
    def is_trouble(self) -> bool:
        """Something went wrong, whether it is tried again or not: events with this reason are warnings."""
        return REASONS[self].is_trouble


class Progress(StrEnum):
    """What a reason says about the way ahead: the source of the kstatus conditions."""

    READY = "Ready"
    """Ready=True."""
    RECONCILING = "Reconciling"
    """Ready=False, Reconciling=True: goes on by itself."""
    WAITING = "Waiting"
    """Ready=False alone: somebody else must act, and the operator notices when they did."""
    STALLED = "Stalled"
    """Ready=False, Stalled=True: the spec, or a person, must change something."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """One row of the reasons table."""

    progress: Progress
    text: str
    what_to_do: str
    is_trouble: bool = False


def _trouble(progress: Progress, text: str, what_to_do: str) -> Explanation:
    return Explanation(progress, text, what_to_do, is_trouble=True)


_R, _W, _S, _OK = Progress.RECONCILING, Progress.WAITING, Progress.STALLED, Progress.READY

REASONS: dict[Reason, Explanation] = {
    Reason.AVAILABLE: Explanation(_OK, "the cloud matches the spec", "nothing"),
    Reason.STOPPED_AS_DESIRED: Explanation(_OK, "the server is stopped because the spec says so", "nothing"),
    Reason.OBSERVED: Explanation(_OK, "the resource is only observed, and is there", "nothing"),
    Reason.CREATING: Explanation(_R, "the resource is being created", "wait; status.job shows the progress"),
    Reason.DELETING: Explanation(_R, "the resource is being deleted", "wait; the object goes when the cloud shows it gone"),
    Reason.UPDATING: Explanation(_R, "a change is being carried through", "wait"),
    Reason.STARTING: Explanation(_R, "the server is being started", "wait"),
    Reason.STOPPING: Explanation(_R, "the server is being stopped", "wait; spec.shutdown says how long the guest may take"),
    Reason.RESTARTING: Explanation(_R, "the server is being restarted", "wait"),
    Reason.RESIZING: Explanation(_R, "the server gets another flavor", "wait"),
    Reason.REINSTALLING: Explanation(_R, "the system disk is being reinstalled", "wait"),
    Reason.REPLACING: Explanation(_R, "the server is being replaced", "wait"),
    Reason.ATTACHING: Explanation(_R, "the volume is being attached", "wait"),
    Reason.DETACHING: Explanation(_R, "the volume is being detached", "wait"),
    Reason.WAITING_FOR_DEPENDENCY: Explanation(
        _W, "something this object refers to is missing or not ready", "create what the message names"
    ),
    Reason.WAITING_FOR_APPROVAL: Explanation(
        _W, "a change costs more than spec.disruption.allow", "approve the plan, or raise what is allowed"
    ),
    Reason.DRIFTED: Explanation(
        _W,
        "somebody changed in the cloud what the spec says, and spec.driftPolicy leaves it so",
        "see status.drift; undo it in the cloud, change the spec, or set spec.driftPolicy: Correct",
    ),
    Reason.PAUSED: Explanation(_W, "the annotation ecs.huaweicloud.com/paused is set", "remove the annotation to go on"),
    Reason.IN_USE: Explanation(
        _W,
        "it is to be deleted or replaced, but still in use, or protected",
        "delete or change the users the message names, or end the protection",
    ),
    Reason.QUOTA_EXCEEDED: _trouble(
        _R, "the project's quota does not suffice", "free resources or have the quota raised; it is tried again by itself"
    ),
    Reason.CAPACITY_EXHAUSTED: _trouble(
        _R, "the cloud has no capacity for it now", "choose another flavor or zone, or wait; it is tried again by itself"
    ),
    Reason.THROTTLED: _trouble(_R, "the cloud limits the rate of calls", "wait; lower spec.limits of the EcsProject if it stays"),
    Reason.CLOUD_UNREACHABLE: _trouble(
        _R, "the cloud's endpoint does not answer, or with server errors", "check the endpoints of the EcsProject and the network"
    ),
    Reason.UNAUTHORIZED: _trouble(
        _R, "the cloud refuses the credentials or their rights", "check the Secret of the EcsProject and the account's rights"
    ),
    Reason.CREDENTIALS_MISSING: _trouble(
        _R, "the Secret of the EcsProject is missing or incomplete", "create the Secret the message names"
    ),
    Reason.OUTCOME_UNKNOWN: _trouble(
        _R, "a request may or may not have been carried out; this is being found out", "wait; nothing is created twice"
    ),
    Reason.INVALID_CONFIGURATION: _trouble(_S, "the spec cannot be carried out as it is", "change the field the message names"),
    Reason.REJECTED: _trouble(_S, "the cloud refuses the request", "change what the cloud's text in the message names"),
    Reason.OPERATION_FAILED: _trouble(
        _S, "a job failed and was retried up to the limit", "read the cloud's text; request a reconcile to try again"
    ),
    Reason.DELETED_EXTERNALLY: _trouble(
        _S, "the resource was deleted by somebody else", "delete the object; of a server, approve the plan to have another one made"
    ),
    Reason.SERVER_ERROR: _trouble(
        _S, "the cloud shows the server in state ERROR", "see status.fault; repair the server, or delete and create the object"
    ),
    Reason.FROZEN: _trouble(_S, "the account or the resource is frozen or restricted by the cloud", "settle it with the cloud provider"),
    Reason.OWNERSHIP_CONFLICT: _trouble(
        _S, "the cloud resource carries another owner's mark, or there are several with ours", "see the message; nothing is changed"
    ),
    Reason.MASS_ABSENCE: _trouble(
        _S,
        "most servers of the project have vanished from the cloud's list at once; nothing is changed in the project",
        "see the EcsProject: check its endpoints, project and rights, or confirm with the annotation its message names",
    ),
}
