"""Two objects that claim one volume: one comes first, and the other one says so and does nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ecs_operator.api.reasons import Reason
from ecs_operator.resources.visit import Notice
from ecs_operator.resources.volume_attachment.operation import AttachmentVisit
from ecs_operator.resources.volume_claims import FRESH, Claim, ClaimLists, claim_of


async def rival_of(visit: AttachmentVisit, lists: ClaimLists) -> Claim | None:
    """The object of the namespace that claims the same volume and comes first. Raises StoreError.

    Who has begun comes before who has not, and then the older one. A list that lacks the object itself may lack what is older than it.
    """
    own = claim_of(visit.obj)
    claims = await lists.read(visit.desk.store, visit.desk.clock, own.key.namespace, at_most=FRESH)
    first = _first(own, claims)
    if first is not None or all(each.uid != own.uid for each in claims):
        # What would hold the object up, perhaps for long, is not taken from an old list either.
        first = _first(own, await lists.read(visit.desk.store, visit.desk.clock, own.key.namespace, at_most=0.0))
    return first


def conflict(rival: Claim, *, volume_id: str) -> Notice:
    """How it is said. One that is being deleted lets go of the volume, any other is for a person to decide on."""
    if rival.is_deleting:
        text = f"waiting: {rival.name} has volume {volume_id} and is being deleted"
        return Notice(Reason.WAITING_FOR_DEPENDENCY, text)
    text = f"{rival.name} claims volume {volume_id} too, and came first, so nothing is done for this object: delete one of the two"
    return Notice(Reason.OWNERSHIP_CONFLICT, text)


def _first(own: Claim, claims: Sequence[Claim]) -> Claim | None:
    others = [
        each for each in claims if each.volume_id == own.volume_id and each.uid != own.uid and (each.has_begun or not each.is_deleting)
    ]
    first = min(others, key=_rank, default=None)
    return first if first is not None and _rank(first) < _rank(own) else None


def _rank(claim: Claim) -> tuple[bool, datetime, str]:
    return (not claim.has_begun, claim.created_at, claim.uid)
