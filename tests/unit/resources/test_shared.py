"""Small things that several kinds say or compute alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ecs_operator.cloud import Job
from ecs_operator.resources.jobs import failed_text, job_record
from ecs_operator.resources.naming import named
from ecs_operator.resources.times import resend_at

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(("sent", "seconds"), [(0, 0), (1, 2), (2, 2 + 4), (3, 2 + 4 + 5), (4, 2 + 4 + 5 + 5)])
def test_a_call_is_sent_again_after_pauses_that_grow_and_add_up(sent: int, seconds: float) -> None:
    assert resend_at(BEGAN, sent, first=2.0, cap=5.0) == BEGAN + timedelta(seconds=seconds)


@pytest.mark.parametrize(("count", "text"), [(0, ""), (1, "a"), (3, "a, b, c"), (5, "a, b, c and 2 more")])
def test_a_few_are_named(count: int, text: str) -> None:
    assert named(list("abcde")[:count], most=3) == text


def test_a_failed_job_is_told_in_one_line_and_shown_in_the_status() -> None:
    part = {"status": "FAIL", "error_code": "Ecs.0319", "fail_reason": "no\n host", "begin_time": "2026-03-01T00:00:01Z"}
    job = Job.model_validate({"status": "FAIL", "job_type": "createServer", "entities": {"sub_jobs": [part, {"status": "SUCCESS"}]}})
    assert failed_text("the creation", job, job_id="j-1") == "the creation failed with Ecs.0319: no host [job j-1]"
    shown = job_record(job, job_id="j-1")
    assert (shown.id, shown.status, shown.progress, shown.error_code, shown.fail_reason) == ("j-1", "FAIL", "2/2", "Ecs.0319", "no host")
    assert (shown.started_at, shown.ended_at) == (None, None)
    assert failed_text("it", Job(status="FAIL"), job_id="j") == "it failed [job j]"
