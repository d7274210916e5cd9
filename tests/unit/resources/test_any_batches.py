"""Whoever asks when, gives up when, and whatever the cloud answers: each is told one thing, once, and it is true of its own server."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_operator.cloud import CloudError, JobAccepted, Meaning, Outcome
from ecs_operator.resources.batches import Batches
from ecs_operator.resources.commands import Command, Delete, Mode, Reboot, Start, Stop
from tests.fakes.clock import FakeAuthority
from tests.fakes.cloud import cloud_error, lost

pytestmark = pytest.mark.looptime


@dataclass(frozen=True)
class Asker:
    """One object. Times in seconds; ``gives_up_after`` from when it asked."""

    at: float
    command: Command
    is_bad: bool
    lease: float
    gives_up_after: float | None


@dataclass(frozen=True)
class Answer:
    """What the cloud does with a call that holds no bad server."""

    seconds: float
    error: CloudError | None


@dataclass(frozen=True)
class Call:
    """A call as the cloud saw it. ``did``: it was carried out, or may have been."""

    command: Command
    server_ids: tuple[str, ...]
    job_id: str
    did: bool
    at: float


COMMANDS: tuple[Command, ...] = (Start(), Stop("SOFT"), Stop("HARD"), Reboot("SOFT"), Delete(public_ip=False, volume=True))
ERRORS = (
    None,
    None,
    lost("call"),
    cloud_error("call", outcome=Outcome.NOT_SENT, meaning=Meaning.UNREACHABLE),
    cloud_error("call", meaning=Meaning.THROTTLED, status=429),
    cloud_error("call", meaning=Meaning.AUTH, status=401),
)
askers = st.lists(
    st.builds(
        Asker,
        at=st.floats(0, 4),
        command=st.sampled_from(COMMANDS),
        is_bad=st.integers(0, 9).map(lambda number: number == 0),
        lease=st.sampled_from((1000.0, 1000.0, 1000.0, 5.0, 11.0)),
        gives_up_after=st.one_of(st.none(), st.none(), st.floats(0, 3)),
    ),
    max_size=40,
)
answers = st.lists(st.builds(Answer, st.sampled_from((0.0, 0.3, 2.0, 30.0)), st.sampled_from(ERRORS)), min_size=1, max_size=6)


@dataclass
class FakeServers:
    """Refuses any call with a bad server as a whole; else answers in turn."""

    bad: frozenset[str]
    answers: list[Answer]
    calls: list[Call] = field(default_factory=list)

    async def start(self, server_ids: Sequence[str]) -> JobAccepted:
        return await self._call(Start(), server_ids)

    async def stop(self, server_ids: Sequence[str], mode: Mode) -> JobAccepted:
        return await self._call(Stop(mode), server_ids)

    async def reboot(self, server_ids: Sequence[str], mode: Mode) -> JobAccepted:
        return await self._call(Reboot(mode), server_ids)

    async def delete(self, server_ids: Sequence[str], *, delete_public_ip: bool, delete_volume: bool) -> JobAccepted:
        return await self._call(Delete(public_ip=delete_public_ip, volume=delete_volume), server_ids)

    async def _call(self, command: Command, server_ids: Sequence[str]) -> JobAccepted:
        answer = self.answers[len(self.calls) % len(self.answers)]
        refused = bool(self.bad & set(server_ids))
        error = cloud_error("call", meaning=Meaning.CONFLICT, code="Ecs.0605") if refused else answer.error
        did = error is None or error.outcome is Outcome.UNKNOWN
        job_id = f"job-{len(self.calls)}"
        self.calls.append(Call(command, tuple(server_ids), job_id, did, asyncio.get_running_loop().time()))
        await asyncio.sleep(answer.seconds)
        if error is not None:
            raise error
        return JobAccepted(job_id=job_id)


async def ask(batches: Batches, name: str, asker: Asker) -> JobAccepted | CloudError | None:
    """What one object is told; None when it gave up."""
    await asyncio.sleep(asker.at)
    asking = batches.carry_out(asker.command, (name,), authority=FakeAuthority(asker.lease))
    try:
        async with asyncio.timeout(asker.gives_up_after):
            return await asking
    except CloudError as error:
        return error
    except TimeoutError:
        return None


def check(name: str, asker: Asker, told: JobAccepted | CloudError | None, calls: Sequence[Call]) -> None:
    """It is true, and its server was never commanded twice, nor in another way than it was asked for."""
    own = [call for call in calls if name in call.server_ids]
    assert all(call.command == asker.command for call in own)
    assert all(call.at - asker.at <= 1.06 for call in own[:1]), "longer than the window"
    did = [call for call in own if call.did]
    assert len(did) <= 1
    if isinstance(told, JobAccepted):
        assert [call.job_id for call in did] == [told.job_id]
    elif isinstance(told, CloudError) and told.outcome is not Outcome.UNKNOWN:
        assert did == []
        if told.meaning is Meaning.CONFLICT:
            assert asker.is_bad, "refused for another server's sake"
    if asker.lease < 10:
        assert own == []


@given(who=askers, how=answers)
@settings(max_examples=200, deadline=None)
async def test_each_is_told_one_thing_and_it_is_true(who: list[Asker], how: list[Answer]) -> None:
    named = {f"s{number}": asker for number, asker in enumerate(who)}
    servers = FakeServers(frozenset(name for name, asker in named.items() if asker.is_bad), how)
    batches = Batches(servers)
    begun = asyncio.get_running_loop().time()
    told = await asyncio.gather(*(ask(batches, name, asker) for name, asker in named.items()))
    await batches.close()
    calls = [Call(each.command, each.server_ids, each.job_id, each.did, each.at - begun) for each in servers.calls]
    for (name, asker), what in zip(named.items(), told, strict=True):
        if what is None:
            assert asker.gives_up_after is not None
        check(name, asker, what, calls)
