"""ECS API reference 5.8: jobs, there and back."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import JobStatus
from tests.contract.stage import Lab, request


@pytest.mark.operation("5.8.1")
async def test_a_job_goes_from_accepted_to_done(lab: Lab) -> None:
    async with lab.client() as client:
        accepted = await client.servers.create(request(), client_token=None)
        first = await client.jobs.get(accepted.job_id)
        assert (first.job_type, first.is_over) == ("createServer", False)
        ended = await lab.ended(client, accepted)
        assert (ended.status, ended.progress()) == (JobStatus.SUCCESS, "1/1")
