"""The single next step for a server that is there. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from ecs_operator.api.common import Restore
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import ChangeRecord, ChangeStep, ReplacementRecord
from ecs_operator.cloud import Server
from ecs_operator.resources.server import adoption, change_protocol, interface_protocol, power
from ecs_operator.resources.server.consent import Consent, approval_text, consent
from ecs_operator.resources.server.decision import Amend, BeginChange, BeginReplacement, Decision, Destroy, Facts, Rewire, Settle
from ecs_operator.resources.server.deeds import (
    REFUSED_WHEN_LOCKED,
    WRITABLE_STATES,
    Change,
    Edit,
    Install,
    RemoveMetadata,
    Replace,
    SetLock,
    SetMetadata,
    Wiring,
)
from ecs_operator.resources.server.differences import Difference
from ecs_operator.resources.server.steps import is_for, steps_of
from ecs_operator.resources.server.wording import rewiring
from ecs_operator.resources.visit import Notice


def plan(facts: Facts, *, owned: bool, others: tuple[str, ...] = ()) -> Decision:
    """Ownership first, then the state of the server, its power, the change under way, and at last what differs from the spec.

    Before its state and its power comes whether it is to be at all: a server that gives way to another one is not repaired first.
    """
    decision = _plan(facts, owned=owned, others=others)
    is_begun = facts.replacement is not None and facts.replacement.phase == "Deleting"
    goes_on = isinstance(decision.step, Destroy) or decision.step == Amend((SetLock(on=False),)) or not facts.server.is_settled
    return replace(decision, ends_replacement=True) if is_begun and not goes_on else decision


def _plan(facts: Facts, *, owned: bool, others: tuple[str, ...]) -> Decision:
    server, power_facts = facts.server, facts.power
    if not owned:
        text = (
            f"server {server.id} does not carry this object's mark (metadata ecs-operator.owner): nothing is changed. "
            "Put the mark back, or delete this object with spec.deletionPolicy: Retain"
        )
        return Decision(Settle(Notice(Reason.OWNERSHIP_CONFLICT, text)))
    if server.is_frozen:
        return Decision(Settle(Notice(Reason.FROZEN, f"the cloud has frozen server {server.id}; settle it with the cloud provider")))
    if interface_protocol.is_under_way(facts.status.interface_change) and server.status != "ERROR":
        # The server takes one command at a time, and this one was sent.
        rewire = _rewire(facts, facts.found)
        if isinstance(rewire, interface_protocol.WatchInterface | interface_protocol.RecordInterface):
            return Decision(rewire)
    is_idle = power_facts.operation is None or power_facts.operation.step == power.FAILED
    if facts.change is None and is_idle and (substitute := _replacement(facts)) is not None:
        return substitute
    if server.status == "ERROR" and server.task_state == "":
        return replace(_broken(facts), finished=_finished(power_facts))
    wanted = change_protocol.power_during(facts.change, wanted=power_facts.wanted or _power_before(facts.replacement))
    # While the server is stopped for a change, a restart that was asked for waits: the start at the end is none.
    token = power_facts.restart_token if facts.change is None else None
    power_facts = replace(power_facts, wanted=wanted, restart_token=token)
    step = power.next_step(power_facts)
    finished = None
    if isinstance(step, power.Finish):
        finished = _finished(power_facts)
        power_facts = replace(power_facts, operation=None, job=None)
        step = power.next_step(power_facts)
    decision = _power_or_rest(facts, step, others)
    return replace(decision, finished=finished)


def _power_or_rest(facts: Facts, step: power.Step, others: tuple[str, ...]) -> Decision:
    if isinstance(step, power.Settled | power.Finish):
        decision = _rest(facts, others)
        is_over = facts.replacement is not None and isinstance(decision.step, Settle | Amend | BeginChange)
        return replace(decision, ends_replacement=is_over)
    if isinstance(step, power.Unfit):
        server = facts.server
        text = f"the server is {server.status}, from where it cannot be brought to spec.powerState {step.wanted} here: do that in the cloud"
        return Decision(Settle(Notice(Reason.WAITING_FOR_DEPENDENCY, text)))
    if isinstance(step, power.Send) and _lock_is_in_the_way(facts):
        return Decision(Amend((SetLock(on=False),)))
    return Decision(step)


def _rest(facts: Facts, others: tuple[str, ...]) -> Decision:
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
    if change is not None and (substitute := _replacement(facts)) is not None:
        return substitute
    agreed = _consent(facts)
    due = _due(agreed, facts)
    changes = _changes(due)
    edits = tuple(each.deed for each in due if not isinstance(each.deed, Change | Replace | Wiring))
    rewire = _rewire(facts, due)
    is_rewiring = isinstance(rewire, interface_protocol.SendInterface | interface_protocol.RecordInterface)
    if (changes and failed is None) or is_rewiring:
        # The lock would only be opened again.
        edits = tuple(edit for edit in edits if edit != SetLock(on=True))
    if edits:
        return Decision(Amend(_past_the_lock(edits, facts)), ends_change=ends, plan=agreed.plan)
    if is_rewiring and rewire is not None:
        if isinstance(rewire, interface_protocol.SendInterface) and _lock_is_in_the_way(facts):
            return Decision(Amend((SetLock(on=False),)), ends_change=ends, plan=agreed.plan)
        return Decision(rewire, ends_change=ends, plan=agreed.plan)
    if failed is not None:
        text = f"{failed.cause}. The server is as it was before. Change the spec, or request a reconcile, to try again"
        return Decision(Settle(Notice(Reason.OPERATION_FAILED, text, stalled=True)), plan=agreed.plan)
    if changes:
        return Decision(BeginChange(_record(changes, facts)), ends_change=ends, plan=agreed.plan)
    if rewire is not None:
        return Decision(rewire, ends_change=ends, plan=agreed.plan)
    held = [each for each in agreed.granted if each not in due]
    return Decision(Settle(_well(facts, facts.power, others, agreed, held=held)), ends_change=ends, plan=agreed.plan)


def _broken(facts: Facts) -> Decision:
    """In ERROR nothing is done, except that an installation which left the server so is seen to its end, and made again on request."""
    server, change = facts.server, facts.change
    agreed = _consent(facts)
    text = _error_text(server)
    broken = change_protocol.broke(change) if change is not None else None
    if change is not None and broken is not change_protocol.current(change) and (substitute := _replacement(facts)) is not None:
        return substitute
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


def _replacement(facts: Facts) -> Decision | None:
    """Another server instead of this one, if that is wanted and agreed to. What else differs the new one has from the beginning.

    What costs nothing is done all the same before the record is written: it does not wait for whatever holds up the replacement.
    """
    agreed = _consent(facts)
    wanted = [each for each in agreed.granted if isinstance(each.deed, Replace)]
    if not wanted:
        return None
    begun = facts.replacement if facts.replacement is not None and facts.replacement.phase == "Deleting" else None
    if begun is not None:
        return Decision(Amend((SetLock(on=False),)) if _lock_is_in_the_way(facts) else Destroy(begun))
    due = () if facts.server.status == "ERROR" else _due(agreed, facts)
    # The lock would only be opened again.
    edits = tuple(each.deed for each in due if not isinstance(each.deed, Change | Replace | Wiring) and each.deed != SetLock(on=True))
    if edits:
        return Decision(Amend(edits), plan=agreed.plan)
    is_dear = any(each.cost > facts.allowed for each in wanted)
    record = ReplacementRecord(
        id=f"replacement-{facts.now:%Y%m%dT%H%M%S}",
        phase="Deleting",
        cause="Changed",
        server_id=facts.server.id,
        paths=tuple(dict.fromkeys(each.path for each in wanted)),
        approved=facts.approved if is_dear else None,
        restore=_restore(facts),
        started_at=facts.now,
    )
    return Decision(BeginReplacement(record))


def _restore(facts: Facts) -> Restore:
    """What is to be brought back: as it is, or as it was before somebody else's turn ended too soon."""
    earlier = facts.replacement or facts.change
    return earlier.restore if earlier is not None else Restore(power_state="Running" if power.is_running(facts.server) else "Stopped")


def _power_before(replacement: ReplacementRecord | None) -> Literal["Stopped"] | None:
    """A new server runs by itself: only one that was stopped before is to be brought back to what it was."""
    is_stopped = replacement is not None and replacement.phase == "Creating" and replacement.restore.power_state == "Stopped"
    return "Stopped" if is_stopped else None


def _rewire(facts: Facts, due: Sequence[Difference]) -> Rewire | Settle | None:
    """What is to be done about network interfaces: one at a time, whatever else is wanted of them."""
    deeds = tuple(each.deed for each in due if isinstance(each.deed, Wiring))
    if facts.interfaces is None:
        return interface_protocol.WatchInterface(3.0) if deeds or facts.status.interface_change is not None else None
    step = interface_protocol.next_step(facts.interfaces, deeds)
    return Settle(rewiring(step.record, facts.status)) if isinstance(step, interface_protocol.InterfaceStuck) else step


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


def _due(agreed: Consent, facts: Facts) -> Sequence[Difference]:
    """What can be done to the server as it is: some states do not let metadata be written, and a lock that is not ours refuses much."""
    is_writable = facts.server.vm_state in WRITABLE_STATES
    is_locked = _is_locked_by_others(facts)

    def can_be_done(deed: Edit | Change | Wiring | Replace) -> bool:
        if isinstance(deed, SetMetadata | RemoveMetadata) and not is_writable:
            return False
        return not (is_locked and isinstance(deed, REFUSED_WHEN_LOCKED | Change | Wiring))

    return [each for each in agreed.granted if can_be_done(each.deed)]


def _is_locked_by_others(facts: Facts) -> bool:
    """The server is locked, and the spec does not say that it is to be, or not to be: then nobody here opens it."""
    return facts.server.locked and not facts.keeps_locked and not any(each.deed == SetLock(on=False) for each in facts.found)


def _held_up(held: Sequence[Difference], facts: Facts) -> Notice:
    what = ", ".join(dict.fromkeys(each.path for each in held))
    if _is_locked_by_others(facts):
        text = f"{what} cannot be changed while the server is locked: unlock it in the cloud, or say with spec.locked whether it is to be"
    else:
        text = f"{what} cannot be changed while the server is {facts.server.status}"
    return Notice(Reason.WAITING_FOR_DEPENDENCY, text)


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


def _past_the_lock(edits: tuple[Edit, ...], facts: Facts) -> tuple[Edit, ...]:
    """What a locked server refuses is done between opening the lock and closing it; a lock that goes for good is opened first."""
    unlock = SetLock(on=False)
    if unlock in edits:
        return (unlock, *(edit for edit in edits if edit != unlock))
    if _lock_is_in_the_way(facts) and any(isinstance(edit, REFUSED_WHEN_LOCKED) for edit in edits):
        return (unlock, *edits, SetLock(on=True))
    return edits


def _finished(facts: power.Facts) -> str | None:
    return None if facts.operation is None else facts.operation.job_id or ""


def _error_text(server: Server) -> str:
    fault = f": {server.fault.message} (code {server.fault.code})" if server.fault else ""
    return f"the cloud shows server {server.id} in state ERROR{fault}"


def _well(whole: Facts, facts: power.Facts, others: tuple[str, ...], agreed: Consent, *, held: Sequence[Difference]) -> Notice:
    server = facts.server
    if others:
        text = f"server {server.id} is kept; others carry this object's mark as well and are left alone: {', '.join(others)}"
        return Notice(Reason.OWNERSHIP_CONFLICT, text)
    if whole.unresolved is not None:
        return whole.unresolved
    if held:
        return _held_up(held, whole)
    if agreed.plan is not None:
        return Notice(Reason.WAITING_FOR_APPROVAL, approval_text(agreed.plan))
    if whole.reported is not None:
        return whole.reported
    if facts.wanted == "Stopped":
        return Notice(Reason.STOPPED_AS_DESIRED, "the server is stopped, as spec.powerState says")
    if facts.wanted is None and server.status != "ACTIVE":
        return Notice(Reason.AVAILABLE, f"the server is {server.status}; spec.powerState leaves that as it is")
    return Notice(Reason.AVAILABLE, "the server is running")
