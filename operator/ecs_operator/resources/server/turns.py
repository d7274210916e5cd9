"""A creation's turn: only so many run in a project at the same time. Who has a place keeps it until the outcome is known."""

from __future__ import annotations

from ecs_operator.api.reasons import Reason
from ecs_operator.engine.outcome import Blocked, Outcome
from ecs_operator.resources.creations import TURN_PAUSE
from ecs_operator.resources.keys import turn_key
from ecs_operator.resources.server.actuator import Actuator
from ecs_operator.resources.server.following import ACTION
from ecs_operator.resources.server.record import Phase, phase
from ecs_operator.resources.server.visit import ServerVisit
from ecs_operator.resources.visit import Notice


async def wait(visit: ServerVisit, cloud: Actuator) -> Outcome | None:
    """Why the creation must not begin yet, None when it may. Asked right before the intent is written. Raises StoreError."""
    tenant = cloud.tenant
    if tenant.creations.begin(visit.uid, now=visit.desk.clock.monotonic()):
        return None
    text = (
        f"waiting for its turn: in EcsProject {tenant.name} {tenant.creations.most} creations run at a time (spec.limits.createsInFlight)"
    )
    await visit.tell(Notice(Reason.CREATING, text), action=ACTION)
    return Blocked((turn_key(visit.uid),), at_most=TURN_PAUSE)


def settle(visit: ServerVisit, cloud: Actuator, outcome: Outcome | None) -> None:
    """After a pass: a creation whose outcome is open keeps its place, any other gives it back. Who waits stays in line."""
    creations, now = cloud.tenant.creations, visit.desk.clock.monotonic()
    if isinstance(outcome, Blocked) and outcome.waits_for == (turn_key(visit.uid),):
        return
    if phase(visit.status) in {Phase.NEW, Phase.BUILT}:
        creations.ended(visit.uid, now=now)
    else:
        creations.goes_on(visit.uid, now=now)
