"""What may be done now, and what waits until somebody agrees to its cost. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ecs_operator.api.group import APPROVE_ANNOTATION
from ecs_operator.api.server import Plan, PlannedChange
from ecs_operator.resources.server.deeds import Cost
from ecs_operator.resources.server.differences import Difference

_PRICES = {
    Cost.REINSTALL.title: "reinstall of the system disk, on which everything is lost",
    Cost.REPLACE.title: "replacement of the server by another one, with which the system disk goes and what else goes with a server",
}


@dataclass(frozen=True, slots=True)
class Consent:
    """``granted`` goes ahead; ``plan`` shows what waits, None when nothing does."""

    granted: tuple[Difference, ...]
    plan: Plan | None = None


def consent(
    found: Sequence[Difference], *, allowed: Cost, approved: str | None, agreed: Callable[[Difference], bool] = lambda _: False
) -> Consent:
    """Sort the differences by whether their cost is allowed, or the plan they make was approved by its hash.

    ``agreed``: it was part of a plan that was approved, begun and not finished, so that less than that plan is left.
    """
    dear = tuple(each for each in found if each.cost > allowed and not agreed(each))
    plan = _plan(dear) if dear else None
    if plan is None or plan.hash == approved:
        return Consent(granted=tuple(found))
    return Consent(granted=tuple(each for each in found if each not in dear), plan=plan)


def approval_text(plan: Plan) -> str:
    """What waits, and the two ways to let it go ahead."""
    what = "; ".join(f"{each.path} from {each.have or 'nothing'} to {each.want or 'nothing'}" for each in plan.changes)
    price = _PRICES.get(plan.cost, plan.cost.lower())
    return (
        f"this would cost a {price}: {what}. Approve it with the annotation {APPROVE_ANNOTATION}={plan.hash}, "
        f"or set spec.disruption.allow: {plan.cost}"
    )


def _plan(dear: Sequence[Difference]) -> Plan:
    changes = tuple(PlannedChange(path=each.path, have=each.have, want=each.want, cost=_title(each.cost)) for each in dear)
    content = json.dumps([(each.path, each.have, each.want, each.cost) for each in changes], ensure_ascii=True)
    return Plan(
        hash=hashlib.sha256(content.encode()).hexdigest()[:12],
        cost=_title(max(each.cost for each in dear)),
        changes=changes,
    )


def _title(cost: Cost) -> str:
    return cost.title
