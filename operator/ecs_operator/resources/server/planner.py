"""The single next step for a server that is there. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ecs_operator.api.common import Restore
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ChangeRecord, ChangeStep, Plan, ServerStatus
from ecs_operator.cloud import Job, Server
from ecs_operator.resources.server import adoption, change_protocol, power
from ecs_operator.resources.server.consent import Consent, approval_text, consent
from ecs_operator.resources.server.deeds import Change, Cost, Edit, Install, RemoveMetadata, SetLock, SetMetadata
from ecs_operator.resources.server.differences import WRITABLE_STATES, Difference
from ecs_operator.resources.server.steps import is_for, steps_of
from ecs_operator.resources.visit import Notice


@dataclass(frozen=True, slots=True)
class Settle:
    """Nothing is to be done; this is how it is."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class Amend:
    """Make these edits, which cost nothing."""

    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class BeginChange:
    """Write the record of what needs the server stopped, all of it in one stop."""

    change: ChangeRecord


Step = Settle | Amend | BeginChange | change_protocol.Step | power.Send | power.Echo | power.Watch | power.Fail


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decision rests on. ``job`` in ``power`` is that of its operation, ``change_job`` that of the current step of the change.

    ``status`` is the status as the observation made it; ``unresolved`` says what the spec refers to and is not there.
    """

    power: power.Facts
    status: ServerStatus
    unresolved: Notice | None = None
    change: ChangeRecord | None = None
    change_job: Job | None = None
    found: tuple[Difference, ...] = ()
    allowed: Cost = Cost.NONE
    approved: str | None = None
    """The hash of the plan that was approved."""
    keeps_locked: bool = False
    """The spec wants the server locked: then the lock is ours to open for what the spec wants too."""

    @property
    def server(self) -> Server:
        """The server as it was seen."""
        return self.power.server

    @property
    def now(self) -> datetime:
        """Wall time."""
        return self.power.now


@dataclass(frozen=True, slots=True)
class Decision:
    """``finished`` is the job id (perhaps empty) of an operation that has ended and is dropped in the same write.

    ``ends_change``: the change is over and its record dropped likewise. ``plan`` is what waits for consent.
    """

    step: Step
    finished: str | None = None
    ends_change: bool = False
    plan: Plan | None = None

    @property
    def is_settled(self) -> bool:
        """Nothing is to be changed or waited for."""
        return isinstance(self.step, Settle)


def plan(facts: Facts, *, owned: bool, others: tuple[str, ...] = ()) -> Decision:
    """Ownership first, then the state of the server, its power, the change under way, and at last what differs from the spec."""
    server, power_facts = facts.server, facts.power
    if not owned:
        text = (
            f"server {server.id} does not carry this object's mark (metadata ecs-operator.owner): nothing is changed. "
            "Put the mark back, or delete this object with spec.deletionPolicy: Retain"
        )
        return Decision(Settle(Notice(Reason.OWNERSHIP_CONFLICT, text)))
    if server.is_frozen:
        return Decision(Settle(Notice(Reason.FROZEN, f"the cloud has frozen server {server.id}; settle it with the cloud provider")))
    if server.status == "ERROR" and server.task_state == "":
        return replace(_broken(facts), finished=_finished(power_facts))
    wanted = change_protocol.power_during(facts.change, wanted=power_facts.wanted)
    # While the server is stopped for a change, a restart that was asked for waits: the start at the end is none.
    token = power_facts.restart_token if facts.change is None else None
    power_facts = replace(power_facts, wanted=wanted, restart_token=token)
    step = power.next_step(power_facts)
    finished = None
    if isinstance(step, power.Finish):
        finished = _finished(power_facts)
        power_facts = replace(power_facts, operation=None, job=None)
        step = power.next_step(power_facts)
    decision = _power_or_rest(facts, power_facts, step, others)
    return replace(decision, finished=finished)


def _power_or_rest(facts: Facts, power_facts: power.Facts, step: power.Step, others: tuple[str, ...]) -> Decision:
    if isinstance(step, power.Settled | power.Finish):
        return _rest(facts, power_facts, others)
    if isinstance(step, power.Unfit):
        server = facts.server
        text = f"the server is {server.status}, from where it cannot be brought to spec.powerState {step.wanted} here: do that in the cloud"
        return Decision(Settle(Notice(Reason.WAITING_FOR_DEPENDENCY, text)))
    if isinstance(step, power.Send) and _lock_is_in_the_way(facts):
        return Decision(Amend((SetLock(on=False),)))
    return Decision(step)


def _rest(facts: Facts, power_facts: power.Facts, others: tuple[str, ...]) -> Decision:
    """Power is as it should be now: the change under way, the edits, the next change, and what waits."""
    change, failed, ends = facts.change, None, False
    if change is not None:
        step = _change_step(facts, change)
        if isinstance(step, change_protocol.ChangeFailed):
            failed = step
        elif isinstance(step, change_protocol.DropChange):
            ends = True
        elif isinstance(step, change_protocol.SendChange) and _lock_is_in_the_way(facts):
            return Decision(Amend((SetLock(on=False),)))
        else:
            return Decision(step)
    agreed = _consent(facts)
    due = _due(agreed, server=facts.server)
    changes = _changes(due)
    edits = tuple(each.deed for each in due if not isinstance(each.deed, Change))
    if changes and failed is None:
        # The lock would only be opened again.
        edits = tuple(edit for edit in edits if edit != SetLock(on=True))
    if edits:
        return Decision(Amend(edits), ends_change=ends, plan=agreed.plan)
    if failed is not None:
        text = f"{failed.cause}. The server is as it was before. Change the spec, or request a reconcile, to try again"
        return Decision(Settle(Notice(Reason.OPERATION_FAILED, text, stalled=True)), plan=agreed.plan)
    if changes:
        return Decision(BeginChange(_record(changes, facts)), ends_change=ends, plan=agreed.plan)
    return Decision(Settle(_well(facts, power_facts, others, agreed)), ends_change=ends, plan=agreed.plan)


def _broken(facts: Facts) -> Decision:
    """In ERROR nothing is done, except that an installation which left the server so is seen to its end, and made again on request."""
    server, change = facts.server, facts.change
    agreed = _consent(facts)
    text = _error_text(server)
    broken = change_protocol.broke(change) if change is not None else None
    if change is None or broken is None:
        return Decision(Settle(Notice(Reason.SERVER_ERROR, text)))
    if broken is change_protocol.current(change):
        step = _change_step(facts, change)
        if isinstance(step, change_protocol.SendChange) and _lock_is_in_the_way(facts):
            return Decision(Amend((SetLock(on=False),)))
        return Decision(step)
    changes = _changes(agreed.granted)
    if facts.power.is_urged and any(isinstance(each, Install) for each in changes):
        # Nothing else can be done to a server in ERROR: the installation comes first.
        first = sorted(changes, key=lambda each: not isinstance(each, Install))
        return Decision(BeginChange(_record(first, facts, repaired=change)), plan=agreed.plan)
    lost = change_protocol.failed(change)
    cause = f". {lost.cause}" if lost is not None and lost.cause else ""
    way_out = f". {approval_text(agreed.plan)}" if agreed.plan is not None else ""
    return Decision(
        Settle(Notice(Reason.SERVER_ERROR, f"{text}{cause}. Request a reconcile, or change the spec, to install it again{way_out}")),
        plan=agreed.plan,
    )


def _consent(facts: Facts) -> Consent:
    """What was approved as part of a plan stays so until all of that plan is done, as long as the approval stands."""
    change = facts.change

    def agreed(difference: Difference) -> bool:
        if adoption.covers(facts.status.adoption, difference, approved=facts.approved):
            return True
        if change is None or change.approved is None or change.approved != facts.approved:
            return False
        return any(step.state != "Done" and is_for(step, difference.deed) for step in change.steps)

    return consent(facts.found, allowed=facts.allowed, approved=facts.approved, agreed=agreed)


def _changes(due: Sequence[Difference]) -> list[Change]:
    """The deeds that need a stop, each once: several fields can ask for the same."""
    found: list[Change] = []
    for each in due:
        if isinstance(each.deed, Change) and each.deed not in found:
            found.append(each.deed)
    return found


def _change_step(facts: Facts, change: ChangeRecord) -> change_protocol.Step:
    def is_wanted(step: ChangeStep) -> bool:
        return any(is_for(step, each.deed) for each in facts.found)

    return change_protocol.next_step(
        change,
        change_protocol.Facts(
            server=facts.server,
            status=facts.status,
            now=facts.now,
            job=facts.change_job,
            is_urged=facts.power.is_urged,
            is_wanted=is_wanted,
        ),
    )


def _due(agreed: Consent, *, server: Server) -> Sequence[Difference]:
    """What can be done in the state the server is in: metadata can only be written in some."""
    writable = server.vm_state in WRITABLE_STATES
    return [each for each in agreed.granted if writable or not isinstance(each.deed, SetMetadata | RemoveMetadata)]


def _record(changes: Sequence[Change], facts: Facts, *, repaired: ChangeRecord | None = None) -> ChangeRecord:
    """``repaired``: the record whose installation left the server in ERROR; what it was to bring back is brought back."""
    before = "Running" if power.is_running(facts.server) else "Stopped"
    is_dear = any(each.cost > facts.allowed for each in facts.found if each.deed in changes)
    return ChangeRecord(
        id=f"change-{facts.now:%Y%m%dT%H%M%S}",
        steps=steps_of(changes),
        approved=facts.approved if is_dear else None,
        repairs=True if repaired is not None else None,
        restore=repaired.restore if repaired is not None else Restore(power_state=before),
        started_at=facts.now,
    )


def _lock_is_in_the_way(facts: Facts) -> bool:
    return facts.server.locked and facts.keeps_locked


def _finished(facts: power.Facts) -> str | None:
    return None if facts.operation is None else facts.operation.job_id or ""


def _error_text(server: Server) -> str:
    fault = f": {server.fault.message} (code {server.fault.code})" if server.fault else ""
    return f"the cloud shows server {server.id} in state ERROR{fault}"


def _well(whole: Facts, facts: power.Facts, others: tuple[str, ...], agreed: Consent) -> Notice:
    server = facts.server
    if others:
        text = f"server {server.id} is kept; others carry this object's mark as well and are left alone: {', '.join(others)}"
        return Notice(Reason.OWNERSHIP_CONFLICT, text)
    if whole.unresolved is not None:
        return whole.unresolved
    if agreed.plan is not None:
        return Notice(Reason.WAITING_FOR_APPROVAL, approval_text(agreed.plan))
    if facts.wanted == "Stopped":
        return Notice(Reason.STOPPED_AS_DESIRED, "the server is stopped, as spec.powerState says")
    if facts.wanted is None and server.status != "ACTIVE":
        return Notice(Reason.AVAILABLE, f"the server is {server.status}; spec.powerState leaves that as it is")
    return Notice(Reason.AVAILABLE, "the server is running")
