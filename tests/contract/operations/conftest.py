"""Round trips are proven, not claimed: a test marked with a section must have made the client send it and the simulator carry it out."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.stage import Lab


@pytest_asyncio.fixture(autouse=True)
async def round_trips(request: pytest.FixtureRequest, lab: Lab) -> AsyncIterator[None]:
    """After the test, hold its ``operation`` marks against what client and simulator recorded."""
    yield
    claimed = {str(section) for mark in request.node.iter_markers("operation") for section in mark.args}
    sent = {record.operation for record in lab.records if record.outcome is None}
    served = {entry.section for entry in lab.cloud.simulator.log.select() if entry.operation in sent and (entry.status or 500) < 400}
    assert claimed, "a test here says which operations it takes there and back: @pytest.mark.operation"
    assert claimed <= served, f"claimed, but not sent by the client and carried out by the simulator: {sorted(claimed - served)}"
