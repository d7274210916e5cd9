"""1,000 servers stopped and started at once, with the default budget of reads: counted in the simulator's own log. Prints its figures."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from ecs_lab.progress import OnProgress
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import BudgetLimits
from tests.unit.resources.server import crowd as crowds
from tests.unit.resources.server.crowd import COMMANDS, connection, crowd

SERVERS = 1000
FEW = 20
"""Calls that change something, for a wave of so many."""


async def test_a_thousand_at_once(on_progress: OnProgress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "SECONDS", 400.0)
    async with crowd() as of:
        keys = of.make(SERVERS, powerState="Running")
        await of.until_all_say(keys, Reason.AVAILABLE)
        async with await connection(of.cloud, BudgetLimits()) as client:
            of.connect(client)
            of.calls()
            for wanted, reason in (("Stopped", Reason.STOPPED_AS_DESIRED), ("Running", Reason.AVAILABLE)):
                begun = time.monotonic()
                of.edit(keys, powerState=wanted)
                await of.until_all_say(keys, reason)
                calls = of.calls()
                on_progress(f"{SERVERS} servers {wanted} in {time.monotonic() - begun:.0f} s: {dict(calls)}")
                assert sum(count for operation, count in calls.items() if operation in COMMANDS) <= FEW
                assert calls["showServer"] <= SERVERS // 10
        done = Counter(action for (_, action), count in of.deeds().items() for _ in range(count))
        assert done == {"create": SERVERS, "stop": SERVERS, "start": SERVERS}
