from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ecs_operator.engine.conditions import Condition, find, merge, timestamp

EARLIER, NOW = "2026-01-01T10:00:00Z", datetime(2026, 1, 1, 12, 0, 0, 999, tzinfo=UTC)
READY = {
    "type": "Ready",
    "status": "False",
    "reason": "Creating",
    "message": "old",
    "observedGeneration": 1,
    "lastTransitionTime": EARLIER,
}


@pytest.mark.parametrize(
    ("wanted", "since"),
    [
        (Condition("Ready", "False", "Deleting", "new"), EARLIER),
        (Condition("Ready", "True", "Available", "new"), "2026-01-01T12:00:00Z"),
        (Condition("Ready", "Unknown", "Available", "new"), "2026-01-01T12:00:00Z"),
    ],
    ids=["another reason", "another status", "unknown"],
)
def test_the_transition_time_moves_with_the_status_only(wanted: Condition, since: str) -> None:
    (entry,) = merge([READY], [wanted], generation=2, now=NOW)
    assert entry == {
        "type": "Ready",
        "status": wanted.status,
        "reason": wanted.reason,
        "message": "new",
        "observedGeneration": 2,
        "lastTransitionTime": since,
    }


def test_the_list_is_sorted_and_holds_exactly_what_is_wanted() -> None:
    wanted = [Condition("Stalled", "True", "Rejected", "m"), Condition("Ready", "False", "Rejected", "m")]
    merged = merge([{**READY, "type": "Reconciling"}], wanted, generation=1, now=NOW)
    assert [each["type"] for each in merged] == ["Ready", "Stalled"]


def test_merging_again_changes_nothing() -> None:
    wanted = [Condition("Ready", "True", "Available", "m")]
    once = merge([], wanted, generation=3, now=NOW)
    assert merge(once, wanted, generation=3, now=NOW + timedelta(hours=1)) == once


def test_a_damaged_entry_is_made_whole() -> None:
    (entry,) = merge([{"type": "Ready", "status": "True"}], [Condition("Ready", "True", "Available", "m")], generation=1, now=NOW)
    assert entry["lastTransitionTime"] == "2026-01-01T12:00:00Z"


def test_times_are_utc() -> None:
    assert timestamp(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))) == "2025-12-31T23:00:00Z"


def test_find() -> None:
    assert find([READY], "Ready") is READY
    assert find([READY], "Stalled") is None
