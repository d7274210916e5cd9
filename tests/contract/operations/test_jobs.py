"""ECS API reference 5.8: jobs, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CloudError, JobStatus, Meaning
from tests.contract.stage import Lab, request


@pytest.mark.operation("5.8.1")
async def test_a_job_goes_from_accepted_to_done(lab: Lab) -> None:
    async with lab.client() as client:
        accepted = await client.servers.create(request(), client_token=None)
        first = await client.jobs.get(accepted.job_id)
        assert (first.job_type, first.is_over) == ("createServer", False)
        ended = await lab.ended(client, accepted)
        assert (ended.status, ended.progress()) == (JobStatus.SUCCESS, "1/1")


@pytest.mark.operation("5.8.1", "5.3.3")
async def test_a_job_that_failed_tells_why_and_for_which_server(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await lab.tell(
            "next-job", {"project": client.project_id, "type": "stopServer", "do": "fail", "code": "Ecs.0227", "reason": "stuck"}
        )
        job = await lab.ended(client, await client.servers.stop([server_id], "SOFT"))
        (part,) = job.sub_jobs
        assert (job.status, job.failure_code, job.failure_text) == (JobStatus.FAIL, "Ecs.0227", "stuck")
        assert (part.status, part.entities.server_id, part.entities.errorcode_message) == (JobStatus.FAIL, server_id, "stuck")
        assert (await client.servers.get(server_id)).status == "ACTIVE"


@pytest.mark.operation("5.8.1")
async def test_a_job_is_forgotten_after_a_while(lab: Lab) -> None:
    async with lab.client() as client:
        accepted = await client.servers.create(request(), client_token=None)
        await lab.ended(client, accepted)
        await lab.tell("behaviour", {"jobRetention": 60})
        await lab.advance(120)
        for job_id in (accepted.job_id, "ff80808288d41e1b018990260955686a"):
            with pytest.raises(CloudError) as caught:
                await client.jobs.get(job_id)
            assert (caught.value.status, caught.value.code, caught.value.meaning) == (400, "Common.0011", Meaning.NOT_FOUND)
