"""One look at a job for all who wait for it."""

from __future__ import annotations

import asyncio

import pytest

from ecs_operator.cloud import CloudError, Job, JobLooks, JobStatus
from tests.fakes.cloud import lost
from tests.unit.cloud.stage import LoopClock

pytestmark = pytest.mark.looptime


class FakeJobs:
    """Jobs that end after ``ends_after`` seconds; a look takes a tenth."""

    def __init__(self, ends_after: float = 10.0) -> None:
        self.ends_after = ends_after
        self.asked: list[str] = []
        self.error: CloudError | None = None

    async def get(self, job_id: str) -> Job:
        self.asked.append(job_id)
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(0.1)
        if self.error is not None:
            raise self.error
        return Job(job_id=job_id, status=JobStatus.SUCCESS if now >= self.ends_after else JobStatus.RUNNING)


async def test_all_who_ask_within_a_second_share_a_look() -> None:
    jobs = FakeJobs()
    looks = JobLooks(jobs, LoopClock())
    seen = await asyncio.gather(*(looks.get("job-1") for _ in range(100)))
    assert {job.status for job in seen} == {JobStatus.RUNNING}
    await asyncio.sleep(0.8)
    await looks.get("job-1")
    assert jobs.asked == ["job-1"]
    await asyncio.sleep(0.1)
    await looks.get("job-1")
    await looks.get("job-2")
    assert jobs.asked == ["job-1", "job-1", "job-2"]


async def test_that_a_job_has_ended_is_asked_for_once() -> None:
    jobs = FakeJobs(ends_after=0.0)
    looks = JobLooks(jobs, LoopClock())
    for _ in range(50):
        assert (await looks.get("job-1")).is_over
        await asyncio.sleep(1)
    assert jobs.asked == ["job-1"]
    await asyncio.sleep(60)
    for number in range(2, 5):
        await looks.get(f"job-{number}")
    assert len(looks._looks._seen) == 3, "what is old is forgotten"


async def test_an_error_serves_only_those_who_waited_for_it() -> None:
    jobs = FakeJobs()
    jobs.error = lost("showJob")
    looks = JobLooks(jobs, LoopClock())
    told = await asyncio.gather(looks.get("job-1"), looks.get("job-1"), return_exceptions=True)
    assert all(isinstance(each, CloudError) for each in told)
    jobs.error = None
    assert (await looks.get("job-1")).status is JobStatus.RUNNING
    assert len(jobs.asked) == 2


async def test_one_who_gives_up_does_not_take_the_look_from_the_others() -> None:
    looks = JobLooks(FakeJobs(), LoopClock())
    first, second = asyncio.create_task(looks.get("job-1")), asyncio.create_task(looks.get("job-1"))
    await asyncio.sleep(0.05)
    first.cancel()
    assert (await second).job_id == "job-1"


async def test_close_breaks_off_what_is_under_way() -> None:
    looks = JobLooks(FakeJobs(), LoopClock())
    look = asyncio.create_task(looks.get("job-1"))
    await asyncio.sleep(0.05)
    await looks.close()
    with pytest.raises(CloudError, match="closed"):
        await look
