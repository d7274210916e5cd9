"""The single next step for a server that is there. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Server
from ecs_operator.resources.server import power
from ecs_operator.resources.visit import Notice


@dataclass(frozen=True, slots=True)
class Settle:
    """Nothing is to be done; this is how it is."""

    notice: Notice


@dataclass(frozen=True, slots=True)
class Plan:
    """``finished`` is the job id (perhaps empty) of an operation that has ended and is dropped in the same write."""

    step: Settle | power.Send | power.Echo | power.Watch | power.Fail
    finished: str | None = None

    @property
    def is_settled(self) -> bool:
        """Nothing is to be changed or waited for."""
        return isinstance(self.step, Settle)


def plan(facts: power.Facts, *, owned: bool, others: tuple[str, ...] = ()) -> Plan:
    """Ownership first, then the state of the server, then its power."""
    server = facts.server
    if not owned:
        text = (
            f"server {server.id} does not carry this object's mark (metadata ecs-operator.owner): nothing is changed. "
            "Put the mark back, or delete this object with spec.deletionPolicy: Retain"
        )
        return Plan(Settle(Notice(Reason.OWNERSHIP_CONFLICT, text)))
    if server.is_frozen:
        return Plan(Settle(Notice(Reason.FROZEN, f"the cloud has frozen server {server.id}; settle it with the cloud provider")))
    if server.status == "ERROR" and server.task_state == "":
        return Plan(Settle(Notice(Reason.SERVER_ERROR, _error_text(server))), finished=_finished(facts))
    step = power.next_step(facts)
    finished = None
    if isinstance(step, power.Finish):
        finished = _finished(facts)
        step = power.next_step(replace(facts, operation=None, job=None))
    if isinstance(step, power.Settled | power.Finish):
        return Plan(Settle(_well(facts, others)), finished)
    if isinstance(step, power.Unfit):
        text = f"the server is {server.status}, from where it cannot be brought to spec.powerState {step.wanted} here: do that in the cloud"
        return Plan(Settle(Notice(Reason.WAITING_FOR_DEPENDENCY, text)), finished)
    return Plan(step, finished)


def _finished(facts: power.Facts) -> str | None:
    return None if facts.operation is None else facts.operation.job_id or ""


def _error_text(server: Server) -> str:
    fault = f": {server.fault.message} (code {server.fault.code})" if server.fault else ""
    return f"the cloud shows server {server.id} in state ERROR{fault}"


def _well(facts: power.Facts, others: tuple[str, ...]) -> Notice:
    server = facts.server
    if others:
        text = f"server {server.id} is kept; others carry this object's mark as well and are left alone: {', '.join(others)}"
        return Notice(Reason.OWNERSHIP_CONFLICT, text)
    if facts.wanted == "Stopped":
        return Notice(Reason.STOPPED_AS_DESIRED, "the server is stopped, as spec.powerState says")
    if facts.wanted is None and server.status != "ACTIVE":
        return Notice(Reason.AVAILABLE, f"the server is {server.status}; spec.powerState leaves that as it is")
    return Notice(Reason.AVAILABLE, "the server is running")
