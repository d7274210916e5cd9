"""Adding and removing one network interface: the single next step, from the record. Pure.

5.5.1 is not idempotent: sent twice it adds two. So the ports that are there are written down before the call. After an answer that was
lost the new port is one that is not among them, and the call is repeated only when a late one can no longer arrive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import AppliedInterface, InterfaceChange
from ecs_operator.cloud import Interface, Job, JobStatus, parse_time
from ecs_operator.resources.server.change_protocol import MOST_ATTEMPTS, PASSING, SHOWN_AFTER
from ecs_operator.resources.server.deeds import AddInterface, RemoveInterface
from ecs_operator.resources.server.interfaces import newcomers
from ecs_operator.resources.times import growing, poll_pause

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0


@dataclass(frozen=True, slots=True)
class SendInterface:
    """Write the record, then call."""

    record: InterfaceChange


@dataclass(frozen=True, slots=True)
class WatchInterface:
    """Look again in ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class RecordInterface:
    """Write the record as it is now, None when it is done with; ``arrived``: the interface that was added."""

    record: InterfaceChange | None
    arrived: AppliedInterface | None = None


@dataclass(frozen=True, slots=True)
class InterfaceStuck:
    """It failed, and stands until somebody acts."""

    record: InterfaceChange


Step = SendInterface | WatchInterface | RecordInterface | InterfaceStuck


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decision rests on. ``seen``: the server's interfaces, read after the job was."""

    record: InterfaceChange | None
    seen: tuple[Interface, ...]
    ours: tuple[AppliedInterface, ...]
    """The record of what the server has."""
    job: Job | None
    server_id: str
    now: datetime
    is_urged: bool
    settle_after: float
    """Seconds after which a call that got no answer can no longer arrive."""


Deed = AddInterface | RemoveInterface


def next_step(facts: Facts, due: tuple[Deed, ...]) -> Step | None:
    """The next step; None when there is nothing to do. ``due`` is what the spec wants now, in the order in which it is done."""
    record = facts.record
    if record is None:
        return _begin(facts, due)
    if record.state == "Sent":
        return _follow(facts, record, due)
    if not is_wanted(record, due):
        return _begin(facts, due) or RecordInterface(None)
    if record.state == "Failed" and not facts.is_urged:
        return InterfaceStuck(record)
    if facts.is_urged or not _is_for(record, due[0]):
        return _begin(facts, due)
    left = (_next_send_at(record) - facts.now).total_seconds()
    return WatchInterface(min(left, LONGEST_PAUSE)) if left > 0 else _again(facts, record)


def is_under_way(record: InterfaceChange | None) -> bool:
    """The cloud may be at it: nothing else is begun."""
    return record is not None and record.state == "Sent"


def is_wanted(record: InterfaceChange, due: tuple[Deed, ...]) -> bool:
    """The spec still wants what the record is about."""
    return any(_is_for(record, deed) for deed in due)


def _is_for(record: InterfaceChange, deed: Deed) -> bool:
    if isinstance(deed, AddInterface):
        return record.kind == "Add" and record.interface == deed.interface
    return record.kind == "Remove" and record.interface.port_id == deed.interface.port_id


def _begin(facts: Facts, due: tuple[Deed, ...]) -> Step | None:
    """The first that is due."""
    if not due:
        return None
    earlier = facts.record
    deed = next((each for each in due if _is_unsettled(earlier, each)), due[0])
    is_add = isinstance(deed, AddInterface)
    record = InterfaceChange(
        id=f"{'add' if is_add else 'remove'}-{deed.interface.name}-{facts.now:%Y%m%dT%H%M%S}",
        kind="Add" if is_add else "Remove",
        interface=deed.interface,
        state="Sent",
        before=_ports(facts) if is_add else (),
        sent_at=facts.now,
        attempts=1,
    )
    if earlier is not None and _is_unsettled(earlier, deed):
        # What the earlier call may have made is not counted among what was there before.
        record = record.model_copy(update={"before": earlier.before})
        return _settle(record, _arrived(facts, record)) or SendInterface(record)
    return SendInterface(record)


def _is_unsettled(earlier: InterfaceChange | None, deed: Deed) -> bool:
    """What became of an earlier call for this interface was never found out."""
    is_add = earlier is not None and earlier.kind == "Add" and isinstance(deed, AddInterface)
    return is_add and earlier is not None and bool(earlier.before) and earlier.interface.name == deed.interface.name


def _ports(facts: Facts) -> tuple[str, ...]:
    return tuple(sorted(each.port_id for each in facts.seen))


def _settle(record: InterfaceChange, ports: tuple[str, ...]) -> RecordInterface | None:
    """What the ports that an addition can have made tell about it."""
    if len(ports) == 1:
        return RecordInterface(None, arrived=record.interface.model_copy(update={"port_id": ports[0]}))
    return _failed(record, _ambiguous(record, ports)) if ports else None


def _again(facts: Facts, record: InterfaceChange) -> Step:
    settled = _settle(record, _arrived(facts, record)) if record.kind == "Add" and record.before else None
    if settled is not None:
        return settled
    before = record.before or (_ports(facts) if record.kind == "Add" else ())
    news = {"state": "Sent", "before": before, "sent_at": facts.now, "attempts": record.attempts + 1, "job_id": None}
    return SendInterface(record.model_copy(update={**news, "reason": None, "cause": None}))


def _follow(facts: Facts, record: InterfaceChange, due: tuple[Deed, ...]) -> Step:
    """Sent: the job tells, and the interfaces that are there."""
    job = facts.job
    if job is not None and not job.is_over:
        return WatchInterface(poll_pause((facts.now - record.sent_at).total_seconds()))
    if job is not None and job.status is JobStatus.FAIL:
        return _job_failed(record, job)
    if record.kind == "Remove":
        if record.interface.port_id not in {each.port_id for each in facts.seen}:
            return RecordInterface(None)
    elif (settled := _settle(record, _arrived(facts, record))) is not None:
        return settled
    if job is not None:
        # A list may lag behind the job. To add another one because of that would be worse than to wait.
        is_late = facts.now - (parse_time(job.end_time) or record.sent_at) >= SHOWN_AFTER
        return _failed(record, f"job {record.job_id} succeeded, but the server does not show it") if is_late else WatchInterface(3.0)
    return _unanswered(facts, record, due)


def _unanswered(facts: Facts, record: InterfaceChange, due: tuple[Deed, ...]) -> Step:
    """Nothing is seen of it, and no job tells. Only time proves that an addition was not carried out; a removal can be repeated."""
    pause = facts.settle_after if record.kind == "Add" else growing(record.attempts, first=FIRST_PAUSE, cap=LONGEST_PAUSE)
    left = (record.sent_at + timedelta(seconds=pause) - facts.now).total_seconds()
    if left > 0:
        return WatchInterface(min(left, poll_pause((facts.now - record.sent_at).total_seconds())))
    if not is_wanted(record, due):
        return RecordInterface(None)
    return _failed(record, "its end was not seen") if record.attempts >= MOST_ATTEMPTS else _again(facts, record)


def _arrived(facts: Facts, record: InterfaceChange) -> tuple[str, ...]:
    """Ports that the call can have made: the one the job names, else those that were not there before and are not ours already."""
    present = {each.port_id for each in facts.seen}
    known = {*record.before, *(each.port_id for each in facts.ours if each.port_id is not None)}
    if facts.job is not None:
        parts = [part for part in facts.job.sub_jobs if part.entities.server_id in {None, facts.server_id}]
        named = {each for each in (facts.job.entities.nic_id, *(part.entities.nic_id for part in parts)) if each}
        if len(named) == 1:
            return tuple(named & present)
    return tuple(each.port_id for each in newcomers(facts.seen, record.interface, known=known))


def _ambiguous(record: InterfaceChange, ports: tuple[str, ...]) -> str:
    name, subnet = record.interface.name, record.interface.subnet_id
    return (
        f"no answer told which port was added as {name}, and the server has more than one new port in subnet {subnet}: {', '.join(ports)}. "
        "None of them is touched: set the ipAddress of the one that is meant, or remove the others in the cloud"
    )


def _job_failed(record: InterfaceChange, job: Job) -> Step:
    """The cloud undid what it had begun: it is certain that nothing came of it."""
    cause = f"job {record.job_id} failed: {job.failure_code or ''} {job.failure_text}".strip()
    settled = record.model_copy(update={"before": ()})
    if record.attempts >= MOST_ATTEMPTS or job.failure_meaning not in PASSING:
        return _failed(settled, cause)
    return RecordInterface(waiting(settled, reason=Reason.OPERATION_FAILED, cause=cause))


def waiting(record: InterfaceChange, *, reason: Reason, cause: str) -> InterfaceChange:
    """It certainly did nothing, and is tried again."""
    news = {"state": "Waiting", "before": (), "job_id": None, "reason": reason.value, "cause": cause[:1000]}
    return record.model_copy(update=news)


def failed(record: InterfaceChange, *, reason: Reason, cause: str) -> InterfaceChange:
    """It is not tried again by itself."""
    return record.model_copy(update={"state": "Failed", "job_id": None, "reason": reason.value, "cause": cause[:1000]})


def reopened(record: InterfaceChange) -> InterfaceChange:
    """Somebody asked for it, or the spec changed: what failed is tried again, even if something else has to be done before."""
    return record.model_copy(update={"state": "Waiting", "attempts": 0}) if record.state == "Failed" else record


def _failed(record: InterfaceChange, cause: str) -> RecordInterface:
    return RecordInterface(failed(record, reason=Reason.OPERATION_FAILED, cause=cause))


def _next_send_at(record: InterfaceChange) -> datetime:
    return record.sent_at + timedelta(seconds=growing(record.attempts, first=FIRST_PAUSE, cap=LONGEST_PAUSE))
