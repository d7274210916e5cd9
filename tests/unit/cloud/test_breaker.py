"""The circuit breaker: when it opens, what it lets through, when it closes; and that the client obeys it."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from ecs_operator.cloud import BreakerState, CloudError, EcsClient, Meaning, Outcome, StaticCredentials
from ecs_operator.cloud.breaker import Breaker, BreakerPolicy, Hold, Permit, Sign, sign_of
from ecs_operator.cloud.errors import Failure
from tests.fakes.clock import FakeClock
from tests.unit.cloud.stage import PROJECT, SERVER, USER, FakeCloud, answer, client_of

POLICY = BreakerPolicy(failures=3, first_pause=5.0, longest_pause=20.0, probe_pause=2.0)
CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


class Subject:
    """A breaker and its clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.breaker = Breaker(clock=self.clock, policy=POLICY)

    def enter(self) -> Permit:
        permit = self.breaker.enter()
        assert isinstance(permit, Permit)
        return permit

    def held(self) -> Hold:
        hold = self.breaker.enter()
        assert isinstance(hold, Hold)
        return hold

    def call(self, sign: Sign, *, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.ended(self.enter(), sign, cause="HTTP 503")


@pytest.fixture
def subject() -> Subject:
    return Subject()


def test_it_opens_after_failures_in_a_row(subject: Subject) -> None:
    subject.call(Sign.DEAD, times=2)
    subject.call(Sign.ALIVE)
    subject.call(Sign.DEAD, times=2)
    assert subject.breaker.state is CLOSED, "not in a row"
    subject.call(Sign.DEAD)
    assert subject.breaker.state is OPEN
    hold = subject.held()
    assert (hold.seconds, hold.failures, hold.cause) == (5.0, 3, "HTTP 503")
    assert (hold.until - subject.clock.now()).total_seconds() == 5.0


def test_calls_that_tell_nothing_neither_open_nor_close_it(subject: Subject) -> None:
    subject.call(Sign.NONE, times=20)
    subject.call(Sign.DEAD, times=2)
    subject.call(Sign.NONE)
    subject.call(Sign.DEAD)
    assert subject.breaker.state is OPEN


def test_after_the_pause_one_call_at_a_time_may_try(subject: Subject) -> None:
    subject.call(Sign.DEAD, times=3)
    subject.clock.advance(4.9)
    assert subject.breaker.state is OPEN
    subject.clock.advance(0.2)
    assert subject.breaker.state is HALF_OPEN
    probe = subject.enter()
    assert probe.is_probe
    assert subject.held().seconds == 2.0, "another is trying"
    subject.breaker.ended(probe, Sign.ALIVE)
    assert subject.breaker.state is CLOSED
    assert subject.breaker.hold() is None


def test_one_failed_try_opens_it_for_longer_up_to_a_limit(subject: Subject) -> None:
    subject.call(Sign.DEAD, times=3)
    pauses = []
    for _ in range(4):
        pauses.append(subject.held().seconds)
        subject.clock.advance(pauses[-1])
        subject.call(Sign.DEAD)
    assert pauses == [5.0, 10.0, 20.0, 20.0]
    assert subject.breaker.openings == 5
    subject.clock.advance(20.0)
    subject.call(Sign.ALIVE)
    subject.call(Sign.DEAD, times=3)
    assert subject.held().seconds == 5.0, "what was, is forgotten with a success"


def test_a_try_that_was_given_up_lets_another_one_try(subject: Subject) -> None:
    subject.call(Sign.DEAD, times=3)
    subject.clock.advance(5.0)
    subject.call(Sign.NONE)
    assert subject.breaker.state is HALF_OPEN
    assert subject.enter().is_probe


def test_late_failures_of_calls_from_before_do_not_count_again(subject: Subject) -> None:
    late = [subject.enter() for _ in range(5)]
    subject.call(Sign.DEAD, times=3)
    for permit in late[:4]:
        subject.breaker.ended(permit, Sign.DEAD, cause="late")
    assert (subject.held().seconds, subject.breaker.openings) == (5.0, 1)
    subject.clock.advance(5.0)
    probe = subject.enter()
    subject.breaker.ended(late[4], Sign.DEAD, cause="late")
    assert subject.breaker.state is HALF_OPEN
    assert subject.held().cause == "HTTP 503"
    subject.breaker.ended(probe, Sign.ALIVE)
    assert subject.breaker.state is CLOSED


def test_a_late_answer_is_an_answer(subject: Subject) -> None:
    late = subject.enter()
    subject.call(Sign.DEAD, times=3)
    subject.breaker.ended(late, Sign.ALIVE)
    assert subject.breaker.state is CLOSED


def _error(status: int | None, outcome: Outcome, meaning: Meaning) -> CloudError:
    return CloudError(Failure(operation="x", method="GET", outcome=outcome, meaning=meaning, message="", status=status))


SIGNS = [
    ("a success", None, Sign.ALIVE),
    ("a connection that is refused", _error(None, Outcome.NOT_SENT, Meaning.UNREACHABLE), Sign.DEAD),
    ("no answer", _error(None, Outcome.UNKNOWN, Meaning.UNREACHABLE), Sign.DEAD),
    ("503", _error(503, Outcome.UNKNOWN, Meaning.UNREACHABLE), Sign.DEAD),
    ("500", _error(500, Outcome.UNKNOWN, Meaning.INTERNAL), Sign.DEAD),
    ("408", _error(408, Outcome.UNKNOWN, Meaning.UNREACHABLE), Sign.DEAD),
    ("another command runs (501 Ecs.0603)", _error(501, Outcome.REFUSED, Meaning.BUSY), Sign.ALIVE),
    ("throttled", _error(429, Outcome.REFUSED, Meaning.THROTTLED), Sign.ALIVE),
    ("not found", _error(404, Outcome.REFUSED, Meaning.NOT_FOUND), Sign.ALIVE),
    ("refused credentials", _error(401, Outcome.REFUSED, Meaning.AUTH), Sign.ALIVE),
    ("a 400 that proves nothing", _error(400, Outcome.UNKNOWN, Meaning.INTERNAL), Sign.ALIVE),
    ("a request of ours that is wrong", _error(None, Outcome.NOT_SENT, Meaning.INVALID), Sign.NONE),
    ("our own budget", _error(None, Outcome.NOT_SENT, Meaning.THROTTLED), Sign.NONE),
]


@pytest.mark.parametrize(("error", "sign"), [case[1:] for case in SIGNS], ids=[case[0] for case in SIGNS])
def test_what_a_call_says_about_its_endpoint(error: CloudError | None, sign: Sign) -> None:
    assert sign_of(error) is sign


async def _fail(client: EcsClient) -> CloudError:
    with pytest.raises(CloudError) as caught:
        await client.servers.get(SERVER)
    return caught.value


@pytest.mark.looptime
@pytest.mark.parametrize("trouble", [answer(503), httpx.ConnectError("refused")], ids=["503", "connection refused"])
async def test_while_it_is_open_no_call_leaves_and_the_error_says_until_when(trouble: httpx.Response | Exception) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        if isinstance(trouble, Exception):
            raise trouble
        return trouble

    cloud = FakeCloud(handler)
    async with client_of(cloud) as client:
        while client.breakers()["ecs"] is CLOSED:
            await _fail(client)
        sent = len(cloud.requests)
        assert sent == 10
        error = await _fail(client)
        assert (error.outcome, error.meaning) == (Outcome.NOT_SENT, Meaning.UNREACHABLE)
        assert error.retry_after == pytest.approx(5.0, abs=0.1)
        assert "failed 10 times in a row" in error.message
        assert "the next try is at 00:00:" in error.message
        with pytest.raises(CloudError) as write:
            await client.servers.delete([SERVER], delete_public_ip=False, delete_volume=False)
        assert write.value.outcome is Outcome.NOT_SENT
        assert (len(cloud.requests), client.counters.held_back) == (sent, 2)


@pytest.mark.looptime
async def test_an_outage_of_an_hour_costs_few_calls_and_ends_with_the_first_that_is_answered() -> None:
    status = 503

    async def handler(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.1)
        return answer(status, {"server": {"id": SERVER, "name": "web-0", "metadata": {}}} if status == 200 else None)

    cloud = FakeCloud(handler)
    async with client_of(cloud) as client:
        loop = asyncio.get_running_loop()
        while loop.time() < 3600:
            await asyncio.gather(*(_fail(client) for _ in range(20)))
            await asyncio.sleep(2)
        assert len(cloud.requests) < 10 + 20 + 3600 / 60 + 10, "after the first ones one a minute, not ten a second"
        status = 200
        await asyncio.sleep(62)
        answers = await asyncio.gather(*(client.servers.get(SERVER) for _ in range(5)), return_exceptions=True)
        assert sum(not isinstance(each, Exception) for each in answers) == 1, "one tries"
        assert client.breakers() == {"ecs": CLOSED, "iam": CLOSED}
        await asyncio.gather(*(client.servers.get(SERVER) for _ in range(5)))


@pytest.mark.looptime
async def test_without_iam_a_token_that_holds_serves_on() -> None:
    cloud = FakeCloud(lambda _: answer(200, {"server": {"id": SERVER, "name": "web-0", "metadata": {}}}))
    async with client_of(cloud, credentials=StaticCredentials(USER)) as client:
        await client.servers.get(SERVER)
        cloud.token_handler = lambda _: answer(503)
        await asyncio.sleep(0.9 * 86400)
        for _ in range(30):
            await client.servers.get(SERVER)
        assert client.breakers() == {"ecs": CLOSED, "iam": OPEN}
        assert len(cloud.token_requests) == 1 + 10
        await asyncio.sleep(0.2 * 86400)
        cloud.token_requests.clear()
        error = await _fail(client)
        assert (error.operation, error.outcome) == ("createToken", Outcome.NOT_SENT)


@pytest.mark.looptime
async def test_another_project_does_not_notice() -> None:
    broken, sound = FakeCloud(lambda _: answer(503)), FakeCloud(lambda _: answer(200, {"server": {"id": SERVER, "metadata": {}}}))
    async with client_of(broken) as first, client_of(sound, project_id=PROJECT[::-1]) as second:
        for _ in range(20):
            await _fail(first)
            await second.servers.get(SERVER)
        assert first.breakers()["ecs"] is not CLOSED
        assert second.breakers()["ecs"] is CLOSED
        assert (len(sound.requests), second.counters.held_back, second.counters.retries) == (20, 0, 0)


@pytest.mark.looptime
async def test_retries_are_counted_also_those_left_out() -> None:
    """Every other answer is a failure, so the breaker stays closed and only the budget for retries bounds them."""
    count = 0

    def handler(_: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return answer(200, {"server": {"id": SERVER, "metadata": {}}}) if count % 4 == 0 else answer(500)

    cloud = FakeCloud(handler)
    async with client_of(cloud) as client:
        for _ in range(200):
            await asyncio.gather(client.servers.get(SERVER), return_exceptions=True)
        counters = client.counters
    assert counters.retries <= 200 * 0.1 + 5
    assert counters.retries_denied > 0
    assert len(cloud.requests) == 200 + counters.retries
    assert counters.sent == len(cloud.requests) + 1, "and the versions, once"
