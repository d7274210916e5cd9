"""How a group comes to be (design: lifecycle.md, Identity of the other kinds): from record, time and evidence to the next step. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ecs_operator.api.server_group import GroupIntent, ServerGroupSpec
from ecs_operator.cloud import ServerGroup
from ecs_operator.resources.ownership import ClusterIdentity, Owner
from ecs_operator.resources.tenancy import CreatePolicy
from ecs_operator.resources.times import growing

FIRST_PAUSE, LONGEST_PAUSE = 10.0, 120.0
"""Seconds between refused attempts."""
LOOK_AGAIN = 10.0
"""Seconds between looks while an outcome settles."""


@dataclass(frozen=True, slots=True)
class Look:
    """The groups that have exactly our name, in a complete list begun at ``started_at``."""

    found: tuple[ServerGroup, ...]
    started_at: datetime


@dataclass(frozen=True, slots=True)
class LookFor:
    """Look in a complete list, then ask again."""


@dataclass(frozen=True, slots=True)
class Send:
    """Write the intent, count the attempt, ask the cloud."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """The group is there, whatever became of the answer. ``spares`` came from lost answers: nobody uses them, and they go first."""

    group: ServerGroup
    spares: tuple[ServerGroup, ...] = ()


@dataclass(frozen=True, slots=True)
class Settle:
    """A request may still arrive until ``until``: come back in ``seconds``."""

    seconds: float
    until: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """The next attempt is due in ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stalled:
    """A person must act."""


Step = LookFor | Send | Adopt | Settle | Pause | Stalled


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decision rests on."""

    intent: GroupIntent | None
    now: datetime
    policy: CreatePolicy
    look: Look | None = None
    is_stalled: bool = False
    """The cloud refused for good, and nobody asked to try again."""
    is_urged: bool = False


def cloud_name(spec: ServerGroupSpec, *, object_name: str, uid: str, identity: ClusterIdentity) -> str:
    """The group's name in the cloud. Its suffix is the mark by which it is known as ours."""
    return f"{spec.name or object_name}-{identity.suffix(Owner(uid=uid, incarnation=1))}"


def next_step(facts: Facts) -> Step:
    """The one next step of a group whose id is not known."""
    intent, look = facts.intent, facts.look
    if intent is not None and intent.outcome == "Refused" and not facts.is_urged:
        if facts.is_stalled:
            return Stalled()
        due = (intent.last_attempt_at or intent.intended_at) + timedelta(
            seconds=growing(intent.attempts, first=FIRST_PAUSE, cap=LONGEST_PAUSE)
        )
        if facts.now < due:
            return Pause((due - facts.now).total_seconds())
    if look is None:
        return LookFor()
    if look.found:
        return choose(look.found)
    open_until = settled_at(intent, facts.policy)
    if open_until is None or look.started_at >= open_until:
        return Send()
    left = (open_until - facts.now).total_seconds()
    return Settle(min(LOOK_AGAIN, max(0.5, left)), until=open_until)


def settled_at(intent: GroupIntent | None, policy: CreatePolicy) -> datetime | None:
    """When the last request can no longer arrive; None when every request was answered, or none was sent."""
    if intent is None or intent.attempts == 0 or intent.outcome in {"Accepted", "Refused"}:
        return None
    return (intent.last_attempt_at or intent.intended_at) + timedelta(seconds=policy.settle_after)


def choose(found: tuple[ServerGroup, ...]) -> Adopt:
    """Keep the one that is used, else the first by id. Of the others only those without members may go."""
    ordered = sorted(found, key=lambda group: (not group.members, group.id))
    return Adopt(ordered[0], tuple(group for group in ordered[1:] if not group.members))
