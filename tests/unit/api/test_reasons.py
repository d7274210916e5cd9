"""Which reasons are trouble: events with them are warnings."""

from __future__ import annotations

import pytest

from ecs_operator.api.reasons import REASONS, Progress, Reason

RETRIED_TROUBLE = {
    Reason.QUOTA_EXCEEDED,
    Reason.CAPACITY_EXHAUSTED,
    Reason.THROTTLED,
    Reason.CLOUD_UNREACHABLE,
    Reason.UNAUTHORIZED,
    Reason.CREDENTIALS_MISSING,
    Reason.OUTCOME_UNKNOWN,
}


@pytest.mark.parametrize("reason", list(Reason))
def test_what_is_stalled_is_trouble_and_some_that_is_retried(reason: Reason) -> None:
    assert reason.is_trouble == (REASONS[reason].progress is Progress.STALLED or reason in RETRIED_TROUBLE)
