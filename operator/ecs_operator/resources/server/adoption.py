"""The adoption of a server that is there already (design: lifecycle.md, Adoption), as a decision. Pure.

Compared with the spec first; a plan of all that differs, whatever it costs, waits for approval. Then the claim is written, the claims of
other objects are looked at, the attempt is written, and the mark is sent. Nothing else is changed before the server shows the mark.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ecs_operator.api.group import APPROVE_ANNOTATION
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server import Adoption, Plan, PlannedChange, ServerSpec, ServerStatus
from ecs_operator.cloud import Server
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.resources.claims import Claim, Stage
from ecs_operator.resources.ownership import MARKER_KEY, ClusterIdentity
from ecs_operator.resources.server import power
from ecs_operator.resources.server.deeds import WRITABLE_STATES, Cost
from ecs_operator.resources.server.differences import Difference
from ecs_operator.resources.server.evidence import is_gone
from ecs_operator.resources.server.record import Phase, phase
from ecs_operator.resources.times import growing
from ecs_operator.resources.visit import Notice

MOST_CHANGES = 32
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 120.0
"""Seconds before a mark that does not show is sent again."""
BUSY_PAUSE, RIVAL_PAUSE, SLOW_PAUSE = 5.0, 2.0, 60.0
"""Seconds between looks: at a server on which something runs, at another object that claims it, at what somebody else must change."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """It cannot be adopted as things are. A claim is taken back. ``waits_for``: whose news may change that."""

    notice: Notice
    seconds: float = SLOW_PAUSE
    waits_for: tuple[ObjectKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """It goes on by itself: look again in ``seconds``. A claim stays."""

    notice: Notice
    seconds: float


@dataclass(frozen=True, slots=True)
class Compare:
    """Compare the server with the spec, then ask again."""


@dataclass(frozen=True, slots=True)
class ShowPlan:
    """Show what differs, and wait for approval."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class MakeClaim:
    """Write that the server is about to be adopted, with what was approved."""

    adoption: Adoption


@dataclass(frozen=True, slots=True)
class SendMark:
    """Write the attempt, then set the mark."""


@dataclass(frozen=True, slots=True)
class Finish:
    """The server carries the mark: from here it is kept like any other."""

    adoption: Adoption


Step = Refuse | Wait | Compare | ShowPlan | MakeClaim | SendMark | Finish


@dataclass(frozen=True, slots=True)
class Likeness:
    """What the comparison gave. ``misfits`` cannot be changed by anybody; ``unresolved``: the spec refers to what is not there."""

    misfits: tuple[str, ...] = ()
    unresolved: Notice | None = None
    waits_for: tuple[ObjectKey, ...] = ()
    plan: Plan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decision rests on. ``adoption`` is the record about this very server, None when there is none yet."""

    now: datetime
    server_id: str
    project: str
    adoption: Adoption | None
    server: Server | None
    owned: bool
    """It carries this object's mark."""
    stranger: str | None = None
    """What is wrong with the mark it carries; None when it carries none, or ours."""
    rivals: tuple[Claim, ...] = ()
    mine: Claim | None = None
    likeness: Likeness | None = None
    approved: str | None = None
    """The hash in the annotation."""


def is_due(spec: ServerSpec, status: ServerStatus) -> bool:
    """The server is to be adopted, or compared again because it was only observed. A creation under way is seen to its end first."""
    adoption = status.adoption
    if phase(status) not in {Phase.NEW, Phase.BUILT}:
        return False
    if spec.import_ is None and adoption is None:
        return False
    return adoption is None or adoption.state != "Adopted"


def is_new(status: ServerStatus) -> bool:
    """The object has no server of its own yet: none was made for certain, and none was marked."""
    return phase(status) is Phase.NEW or (status.create is None and status.applied is None)


def blank(status: ServerStatus) -> ServerStatus:
    """The status of an object whose creation was refused before it was told to adopt instead: that is over.

    One that replaces its server keeps the record: a later incarnation must never go by the number of an earlier one.
    """
    if not is_new(status) or status.replacement is not None:
        return status
    return status.model_copy(update={"create": None, "applied": None, "resolved_image": None})


def was_never_ours(status: ServerStatus) -> bool:
    """The object is about a server that it neither made nor marked: it may go without asking the cloud."""
    return status.adoption is not None and status.adoption.state != "Marking" and is_new(status)


def stranger(server: Server, identity: ClusterIdentity, uid: str, *, names: Mapping[str, str]) -> str | None:
    """Whose mark it carries, if not that of the object with this ``uid``. ``names``: the objects of this cluster by uid."""
    value = server.metadata.get(MARKER_KEY)
    if value is None:
        return None
    owner = identity.read(value)
    if owner is None:
        is_ours = value.split("/", maxsplit=1)[0] == identity.cluster_id
        return "a mark of this cluster that is not genuine" if is_ours else "the mark of another cluster"
    if owner.uid == uid:
        return None
    name = names.get(owner.uid)
    return f"the mark of {name}" if name else f"the mark of an object of this cluster that is gone (uid {owner.uid})"


def next_step(facts: Facts) -> Step:
    """The one next step."""
    server, adoption = facts.server, facts.adoption
    what = f"server {facts.server_id} (spec.import)"
    if server is None or is_gone(server):
        text = f"there is no server {facts.server_id} in EcsProject {facts.project}: check spec.import.id and spec.projectRef"
        return Refuse(Notice(Reason.INVALID_CONFIGURATION, text))
    if facts.stranger is not None:
        text = f"{what} carries {facts.stranger}: nothing is changed. It can be adopted once its metadata pair {MARKER_KEY} is gone"
        return Refuse(Notice(Reason.OWNERSHIP_CONFLICT, text))
    if adoption is not None and adoption.state == "Marking":
        return Finish(adoption) if facts.owned else _mark(facts, server, adoption)
    if server.is_frozen:
        return Refuse(Notice(Reason.FROZEN, f"the cloud has frozen {what}; settle it with the cloud provider"))
    if not server.is_settled or server.status == "BUILD":
        text = f"waiting for {what}, on which the cloud is at work: {server.task_state or 'building'}"
        return Wait(Notice(Reason.WAITING_FOR_DEPENDENCY, text), BUSY_PAUSE)
    if facts.rivals:
        return _against(facts, what, facts.rivals[0])
    if facts.likeness is None:
        return Compare()
    return _compared(facts, server, what, facts.likeness)


def _compared(facts: Facts, server: Server, what: str, likeness: Likeness) -> Step:
    adoption, plan = facts.adoption, likeness.plan
    if likeness.misfits:
        text = (
            f"{what} cannot be adopted: {'; '.join(likeness.misfits)}. None of this can be changed: change the spec to what the server has"
        )
        return Refuse(Notice(Reason.INVALID_CONFIGURATION, text))
    if likeness.unresolved is not None:
        return Refuse(likeness.unresolved, waits_for=likeness.waits_for)
    if plan is not None and plan.hash != facts.approved:
        return ShowPlan(plan)
    wanted = claimed(facts.server_id, plan, before=adoption)
    if facts.owned:
        return Finish(wanted)
    if server.vm_state not in WRITABLE_STATES:
        states = ", ".join(sorted(WRITABLE_STATES))
        text = f"waiting for {what}, which is {server.vm_state or server.status}: it can be marked only while it is one of {states}"
        return Refuse(Notice(Reason.WAITING_FOR_DEPENDENCY, text))
    return SendMark() if adoption == wanted else MakeClaim(wanted)


def _mark(facts: Facts, server: Server, adoption: Adoption) -> Step:
    """Sent, and it does not show: the call is repeated, which does no harm, as long as nobody else's mark is there."""
    pause = timedelta(seconds=growing(adoption.attempts, first=FIRST_PAUSE, cap=LONGEST_PAUSE))
    due = adoption.sent_at + pause if adoption.sent_at is not None else facts.now
    notice = marking(facts.server_id)
    if facts.now < due:
        return Wait(notice, max(0.5, min((due - facts.now).total_seconds(), BUSY_PAUSE)))
    if server.vm_state not in WRITABLE_STATES:
        return Wait(notice, BUSY_PAUSE)
    return SendMark()


def _against(facts: Facts, what: str, rival: Claim) -> Step:
    """Another object wants the same server. The older of two that claim it waits for the younger to step back."""
    mine = facts.mine
    if mine is not None and mine.stage is rival.stage is Stage.CLAIMS and mine.age < rival.age:
        return Wait(Notice(Reason.WAITING_FOR_DEPENDENCY, f"waiting for {rival} to step back from {what}"), RIVAL_PAUSE)
    verb = {Stage.WANTS: "imports it too and is older", Stage.CLAIMS: "is adopting it", Stage.HOLDS: "has it"}[rival.stage]
    text = f"{what} belongs to another object: {rival} {verb}. Nothing is changed; remove one of the two"
    return Refuse(Notice(Reason.OWNERSHIP_CONFLICT, text), waits_for=(rival.key,))


def claimed(server_id: str, plan: Plan | None, *, before: Adoption | None) -> Adoption:
    """The claim, with what was approved. What costs nothing needs no approval afterwards."""
    dear = tuple(each for each in plan.changes if each.cost != Cost.NONE.title) if plan is not None else ()
    return Adoption(
        id=server_id,
        state="Claimed",
        approved=plan.hash if plan is not None else None,
        agreed=dear,
        attempts=before.attempts if before is not None else 0,
        sent_at=before.sent_at if before is not None else None,
    )


def sent(adoption: Adoption, *, now: datetime, settle_after: float) -> Adoption:
    """The mark is about to be sent: so long it can arrive."""
    until = now + timedelta(seconds=settle_after)
    if adoption.open_until is not None:
        until = max(until, adoption.open_until)
    news = {"state": "Marking", "attempts": adoption.attempts + 1, "sent_at": now, "open_until": until}
    return adoption.model_copy(update=news)


def answered(adoption: Adoption, *, before: Adoption, now: datetime) -> Adoption:
    """The cloud refused the mark for certain, or it never left: what was open before it may be so still."""
    if before.open_until is not None and before.open_until > now:
        return adoption.model_copy(update={"open_until": before.open_until})
    return adoption.model_copy(update={"state": "Claimed", "open_until": None})


def refused(adoption: Adoption | None, *, known: bool, now: datetime) -> Adoption | None:
    """It cannot be adopted now: the claim is taken back. ``known``: the record names the server, because it was observed before.

    A mark that may still arrive is not forgotten.
    """
    if adoption is None or adoption.state == "Observed":
        return adoption
    if adoption.state == "Marking" and adoption.open_until is not None and adoption.open_until > now:
        return adoption
    return Adoption(id=adoption.id, state="Observed") if known else None


def marking(server_id: str) -> Notice:
    """While the mark is on its way."""
    return Notice(Reason.UPDATING, f"server {server_id} is being marked as this object's")


def covers(adoption: Adoption | None, difference: Difference, *, approved: str | None) -> bool:
    """It was part of the plan that was approved for the adoption, is not done yet, and the approval still stands."""
    if adoption is None or adoption.approved is None or adoption.approved != approved:
        return False
    return planned(difference) in adoption.agreed


def settled(adoption: Adoption | None) -> Adoption | None:
    """Nothing differs any more: what was approved for the adoption is used up."""
    if adoption is None or adoption.state != "Adopted":
        return adoption
    return adoption.model_copy(update={"approved": None, "agreed": ()})


def planned(difference: Difference) -> PlannedChange:
    """A difference as a plan shows it."""
    return PlannedChange(path=difference.path, have=difference.have, want=difference.want, cost=difference.cost.title)


def whole_plan(found: Sequence[Difference], spec: ServerSpec, server: Server) -> Plan | None:
    """Everything that would be changed, the power too; None when the server is as the spec says. What costs most comes first.

    The hash names the server as well: an approval for one is none for another.
    """
    rows = sorted((*map(planned, found), *_power(spec, server)), key=lambda each: -Cost.named(each.cost))
    if not rows:
        return None
    content = json.dumps([server.id, *((each.path, each.have, each.want, each.cost) for each in rows)], ensure_ascii=True)
    return Plan(hash=hashlib.sha256(content.encode()).hexdigest()[:12], cost=rows[0].cost, changes=tuple(rows[:MOST_CHANGES]))


def _power(spec: ServerSpec, server: Server) -> tuple[PlannedChange, ...]:
    """A stop interrupts like a restart does; a start costs nothing."""
    path = "spec.powerState"
    if spec.power_state == "Running" and not power.is_running(server):
        return (PlannedChange(path=path, have=server.status, want="Running", cost="None"),)
    if spec.power_state == "Stopped" and not power.is_stopped(server):
        return (PlannedChange(path=path, have=server.status, want="Stopped", cost="Restart"),)
    return ()


def adoption_text(plan: Plan, server_id: str) -> str:
    """What differs, and how it is let go ahead."""
    what = "; ".join(f"{each.path} from {each.have or 'nothing'} to {each.want or 'nothing'}" for each in plan.changes)
    cost = "nothing" if plan.cost == Cost.NONE.title else f"a {plan.cost.lower()}"
    return (
        f"server {server_id} differs from the spec, and nothing is changed before this is approved (it costs {cost}): {what}. "
        f"Approve it with the annotation {APPROVE_ANNOTATION}={plan.hash}, or change the spec to what the server has"
    )
