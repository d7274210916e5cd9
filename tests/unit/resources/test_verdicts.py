"""Every meaning and every listed code has a verdict with a message that names code, text and request."""

from __future__ import annotations

import pytest

from ecs_operator.api.reasons import REASONS, Progress, Reason
from ecs_operator.cloud import CODES, Meaning
from ecs_operator.resources.verdicts import verdict
from tests.fakes.cloud import cloud_error


@pytest.mark.parametrize(
    ("meaning", "reason", "terminal"),
    [
        (Meaning.QUOTA, Reason.QUOTA_EXCEEDED, False),
        (Meaning.CAPACITY, Reason.CAPACITY_EXHAUSTED, False),
        (Meaning.CONFLICT, Reason.REJECTED, True),
        (Meaning.INVALID, Reason.REJECTED, True),
        (Meaning.AUTH, Reason.UNAUTHORIZED, False),
        (Meaning.FORBIDDEN, Reason.UNAUTHORIZED, False),
        (Meaning.FROZEN, Reason.FROZEN, True),
        (Meaning.TRANSIENT, Reason.CLOUD_UNREACHABLE, False),
        (Meaning.THROTTLED, Reason.THROTTLED, False),
        (Meaning.BUSY, Reason.THROTTLED, False),
        (Meaning.NOT_FOUND, Reason.REJECTED, True),
        (Meaning.UNREACHABLE, Reason.CLOUD_UNREACHABLE, False),
        (Meaning.INTERNAL, Reason.CLOUD_UNREACHABLE, False),
    ],
)
def test_meanings(meaning: Meaning, reason: Reason, *, terminal: bool) -> None:
    judged = verdict(cloud_error("createServers", meaning=meaning))
    assert (judged.reason, judged.terminal) == (reason, terminal)
    assert judged.retry_floor > 0


def test_no_meaning_is_forgotten_and_each_is_trouble() -> None:
    for meaning in Meaning:
        judged = verdict(cloud_error("createServers", meaning=meaning))
        assert judged.message
        assert judged.reason.is_trouble


def test_what_is_terminal_is_stalled_and_the_rest_goes_on_by_itself() -> None:
    for meaning in Meaning:
        judged = verdict(cloud_error("createServers", meaning=meaning))
        assert (REASONS[judged.reason].progress is Progress.STALLED) == judged.terminal


@pytest.mark.parametrize("code", sorted(CODES))
def test_codes(code: str) -> None:
    entry = CODES[code]
    error = cloud_error("createServers", meaning=entry.meaning, code=code, status=entry.status, message=entry.text, request_id="req-7")
    message = verdict(error).message
    for part in ("createServers", code, entry.text, "req-7", entry.remedy):
        assert part in message
    assert "\n" not in message


def test_the_cloud_s_wish_to_wait_is_heeded() -> None:
    assert verdict(cloud_error("createServers", meaning=Meaning.THROTTLED, retry_after=77.0)).retry_floor == 77.0
    assert verdict(cloud_error("createServers", meaning=Meaning.THROTTLED, retry_after=0.0)).retry_floor == 5.0
