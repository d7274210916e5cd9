"""The second line behind the admission policy: a protected object that is being deleted all the same stays as it is."""

from __future__ import annotations

from typing import Any

from ecs_operator.api.reasons import Reason
from ecs_operator.engine.outcome import Done, Outcome
from ecs_operator.resources.visit import Notice, Visit

_TEXT = (
    "the deletion waits because spec.deletionProtection is true: set it to false to let it go ahead. It should have been refused: "
    "check that the ValidatingAdmissionPolicy ecs-deletion-protection of manifests/base is installed"
)


async def hold_back(visit: Visit[Any, Any], *, action: str) -> Outcome:
    """Nothing is deleted in the cloud while the protection stands; its end is an edit, which starts a pass. Raises StoreError.

    Kubernetes cannot take a deletion back: the object stays in it until the protection ends.
    """
    await visit.tell(Notice(Reason.IN_USE, _TEXT), action=action)
    return Done()
