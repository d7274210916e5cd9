"""Ready always, Reconciling or Stalled only while they hold: what kstatus reads."""

from __future__ import annotations

import pytest

from ecs_operator.api.reasons import REASONS, Progress, Reason
from ecs_operator.resources.conditions import MESSAGE_LIMIT, conditions_for

EXPECTED = {
    Progress.READY: {("Ready", "True")},
    Progress.RECONCILING: {("Ready", "False"), ("Reconciling", "True")},
    Progress.WAITING: {("Ready", "False")},
    Progress.STALLED: {("Ready", "False"), ("Stalled", "True")},
}


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason(reason: Reason) -> None:
    made = conditions_for(reason, "a sentence")
    assert {(each.type, each.status) for each in made} == EXPECTED[REASONS[reason].progress]
    assert {(each.reason, each.message) for each in made} == {(reason, "a sentence")}


@pytest.mark.parametrize(("stalled", "expected"), [(True, Progress.STALLED), (False, Progress.RECONCILING), (None, Progress.STALLED)])
def test_a_failed_operation_is_stalled_or_not(stalled: bool | None, expected: Progress) -> None:  # noqa: FBT001 - a case of the table
    made = conditions_for(Reason.OPERATION_FAILED, "a job failed", stalled=stalled)
    assert {(each.type, each.status) for each in made} == EXPECTED[expected]


@pytest.mark.parametrize("reason", [Reason.AVAILABLE, Reason.PAUSED, Reason.IN_USE])
def test_the_flag_changes_nothing_else(reason: Reason) -> None:
    assert conditions_for(reason, "x", stalled=True) == conditions_for(reason, "x")


def test_a_long_message_is_cut() -> None:
    made = conditions_for(Reason.REJECTED, "x" * 5000)
    assert {len(each.message) for each in made} == {MESSAGE_LIMIT}
    assert made[0].message.endswith("…")
