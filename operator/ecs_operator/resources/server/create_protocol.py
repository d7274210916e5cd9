"""The create protocol (design: lifecycle.md, S0 to S9) as a decision: from the record, the time and the evidence to the next step. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ecs_operator.api.server import CreateRecord, ServerStatus
from ecs_operator.resources.server.evidence import Found, Look
from ecs_operator.resources.server.record import Phase, phase
from ecs_operator.resources.tenancy import CreatePolicy
from ecs_operator.resources.times import growing

TOKEN_AGE = timedelta(hours=7)
"""A token is good for eight hours. An older request is never repeated, only looked for."""
MOST_FAILURES = 5
"""After so many failed jobs somebody must look at it."""
TOKEN_REPEATS = 6
"""Where tokens are honoured a request is repeated soon, this often; after that it is given the time to settle like any other."""
FIRST_TOKEN_PAUSE, LONGEST_TOKEN_PAUSE = 1.0, 30.0
"""Seconds between these repetitions."""
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 120.0
"""Seconds between refused attempts."""
FIRST_FAILURE_PAUSE, LONGEST_FAILURE_PAUSE = 10.0, 600.0
"""Seconds between incarnations."""
LOOK_AGAIN = 10.0
"""Seconds between looks while an outcome settles."""
INCOMPLETE_PAUSE = 5.0


@dataclass(frozen=True, slots=True)
class LookFor:
    """Look for the object's servers in a list begun at ``not_before`` or later, then ask again."""

    not_before: datetime


@dataclass(frozen=True, slots=True)
class Intend:
    """S1: resolve, render, write the intent, send."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """S3, S4: the same body under the same token. ``settled``: it is proven that nothing was made, so another body may go instead."""

    settled: bool


@dataclass(frozen=True, slots=True)
class Adopt:
    """S6: the server of this incarnation was found. ``others`` carry our marker as well and are left alone (S9)."""

    found: Found
    others: tuple[Found, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """S9: servers with our marker that this incarnation cannot have made."""

    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Settle:
    """Not known yet: come back in ``seconds``."""

    seconds: float
    until: datetime | None = None
    """When a late request can no longer arrive; None when only a complete list is missing."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing of ours is in the cloud; the next attempt is due in ``seconds``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class TooOld:
    """The outcome is unknown, no list shows a server, and the request is too old to be repeated under its token."""


@dataclass(frozen=True, slots=True)
class Renew:
    """A person asked to go on although the request is too old: the lists prove that nothing was made, so another may be sent."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """Somebody must change the spec or ask for another try."""


@dataclass(frozen=True, slots=True)
class Follow:
    """S7: ask the job, or the server when no job is known."""


@dataclass(frozen=True, slots=True)
class CleanUp:
    """S8: remove what the failed job left."""


Step = LookFor | Intend | Repeat | Adopt | Conflict | Settle | Pause | TooOld | Renew | Stalled | Follow | CleanUp


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decision rests on."""

    status: ServerStatus
    now: datetime
    policy: CreatePolicy
    look: Look | None = None
    is_stalled: bool = False
    """The record says that somebody must act, and the spec is still the same."""
    is_urged: bool = False
    """A reconcile was requested, or the spec changed since: do not wait."""


def next_step(facts: Facts) -> Step:
    """The one next step of a creation that is not finished (``phase`` is not BUILT)."""
    match phase(facts.status):
        case Phase.NEW:
            return _start(facts)
        case Phase.UNKNOWN:
            return _find_out(facts, _record(facts))
        case Phase.FAILED:
            return CleanUp()
        case _:
            return Follow() if facts.status.id or _record(facts).job_id else _search(facts, _record(facts))


def settled_at(create: CreateRecord, policy: CreatePolicy) -> datetime:
    """When the last request can no longer arrive, and whatever it made is in every list."""
    return (create.last_attempt_at or create.intended_at) + timedelta(seconds=policy.settle_after)


def is_settled_without(facts: Facts) -> bool:
    """A list that was begun late enough shows no server of the object."""
    return facts.look is not None and facts.look.proves_absence(after=settled_at(_record(facts), facts.policy))


def earlier_is_settled(create: CreateRecord | None, *, policy: CreatePolicy, now: datetime) -> bool:
    """Whether none of the requests sent so far can still arrive: only then does a refusal of the next one settle everything."""
    return create is None or create.attempts == 0 or create.outcome == "Refused" or now >= settled_at(create, policy)


def next_attempt_at(create: CreateRecord) -> datetime | None:
    """When a refused or failed creation is tried again, by the record alone: it must survive a restart."""
    if create.last_attempt_at is None:
        return None
    failed = (
        growing(create.failures, first=FIRST_FAILURE_PAUSE, cap=LONGEST_FAILURE_PAUSE) if create.failures and not create.attempts else 0.0
    )
    refused = growing(create.attempts, first=FIRST_PAUSE, cap=LONGEST_PAUSE) if create.attempts else 0.0
    return create.last_attempt_at + timedelta(seconds=max(failed, refused))


def _start(facts: Facts) -> Step:
    create = facts.status.create
    if create is None:
        return Intend()
    if not facts.is_urged:
        if facts.is_stalled:
            return Stalled()
        due = next_attempt_at(create)
        if due is not None and facts.now < due:
            return Pause((due - facts.now).total_seconds())
    if create.attempts == 0:
        return Intend()
    # S2: an earlier attempt was refused for certain. Look all the same: it costs a shared list, and a wrong refusal would cost a server.
    look = facts.look
    if look is None:
        return LookFor(create.last_attempt_at or create.intended_at)
    if look.found:
        return _choose(create, look)
    return Intend() if look.complete else Settle(INCOMPLETE_PAUSE)


def _find_out(facts: Facts, create: CreateRecord) -> Step:
    look = facts.look
    if look is None:
        return LookFor(_worth_looking(facts, create))
    if look.found:
        return _choose(create, look)
    if not look.complete:
        return Settle(INCOMPLETE_PAUSE)
    settled = settled_at(create, facts.policy)
    is_young = facts.now - create.intended_at < TOKEN_AGE
    if look.started_at >= settled:
        return Repeat(settled=True) if is_young else Renew() if facts.is_urged else TooOld()
    if facts.policy.idempotency == "Token" and create.attempts <= TOKEN_REPEATS and is_young:
        pause = growing(create.attempts, first=FIRST_TOKEN_PAUSE, cap=LONGEST_TOKEN_PAUSE)
        left = pause - (facts.now - (create.last_attempt_at or create.intended_at)).total_seconds()
        return Repeat(settled=False) if left <= 0 else Settle(left, until=settled)
    return _settle(facts, settled)


def _search(facts: Facts, create: CreateRecord) -> Step:
    """The job was forgotten before it told the server's id."""
    look = facts.look
    if look is None:
        return LookFor(_worth_looking(facts, create))
    if look.found:
        return _choose(create, look)
    return Follow() if is_settled_without(facts) else _settle(facts, settled_at(create, facts.policy))


def _worth_looking(facts: Facts, create: CreateRecord) -> datetime:
    """A list begun after the request settled, once that is possible; before, one that can show the server at all."""
    settled = settled_at(create, facts.policy)
    return settled if facts.now >= settled else create.last_attempt_at or create.intended_at


def _settle(facts: Facts, settled: datetime) -> Settle:
    left = (settled - facts.now).total_seconds()
    return Settle(min(max(left, 0.5), LOOK_AGAIN) if left > 0 else INCOMPLETE_PAUSE, until=settled)


def _choose(create: CreateRecord, look: Look) -> Step:
    """S9: keep the oldest of this incarnation; what else carries our marker is left alone and reported."""
    own = look.of_incarnation(create.incarnation)
    if not own:
        return Conflict(look.found)
    return Adopt(own[0], tuple(each for each in look.found if each is not own[0]))


def _record(facts: Facts) -> CreateRecord:
    create = facts.status.create
    if create is None:
        raise ValueError("there is no create record")
    return create
