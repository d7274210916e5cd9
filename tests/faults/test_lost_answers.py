"""A create that is carried out although its answer says something else, or nothing at all: still one server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from ecs_lab.proxy import Answer, Exchange, Handler, json_answer
from tests.faults.stage import Case

pytestmark = pytest.mark.asyncio(loop_scope="session")

SERVERS = 3


def answered(answer: Answer | None) -> Handler:
    """Carried out, then this answer instead of the real one; None: the connection is reset."""

    async def handle(exchange: Exchange) -> Answer | None:
        await exchange.forward()
        return answer

    return handle


async def late(exchange: Exchange) -> Answer | None:
    """Held until the client has given up, and carried out then."""
    await exchange.client_gone()
    await exchange.forward()
    return None


async def later_still(exchange: Exchange) -> Answer | None:
    """Carried out half a second after the client has given up: within the time the operator is told to allow for."""
    await exchange.client_gone()
    await asyncio.sleep(0.5)
    await exchange.forward()
    return None


async def half(exchange: Exchange) -> Answer | None:
    whole = await exchange.forward()
    return Answer(status=whole.status, body=whole.body[: len(whole.body) // 2], headers=whole.headers)


HTML = Answer(status=200, body=b"<html>gateway</html>", headers={"Content-Type": "text/html"})
ECS_0002 = json_answer(400, {"error": {"code": "Ecs.0002", "message": "submitting the task failed"}})

LOST: dict[str, Handler] = {
    "connection reset": answered(None),
    "500 without a body": answered(Answer(status=500)),
    "502 with HTML": answered(Answer(status=502, body=b"<html>bad gateway</html>", headers={"Content-Type": "text/html"})),
    "504": answered(json_answer(504, {"error_code": "APIGW.0201", "error_msg": "backend timeout"})),
    "400 Ecs.0002": answered(ECS_0002),
    "408": answered(Answer(status=408)),
    "2xx that is no JSON": answered(HTML),
    "2xx without a job id": answered(json_answer(200, {})),
    "half a body": half,
    "late": late,
}

PROJECTS: dict[str, Mapping[str, Any]] = {
    "token honoured": {"createIdempotency": "Token"},
    "not known": {"createIdempotency": "Auto"},
}


@pytest.fixture(params=[pytest.param(spec, id=name) for name, spec in PROJECTS.items()])
def project_spec(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = request.param
    return spec


@pytest.mark.parametrize("handler", [pytest.param(handler, id=name) for name, handler in LOST.items()])
async def test_one_server_although_the_answer_is_lost(case: Case, handler: Handler) -> None:
    rule = case.on("create", handler, times=SERVERS)
    await case.apply(*case.servers(SERVERS))
    await rule.wait_hit(seconds=30)
    objects = await case.wait_ready(SERVERS)
    assert rule.hits == SERVERS
    await case.assert_exactly_one_each(objects)


class TestEndpointWithoutTokens:
    """The endpoint does not know X-Client-Token: only waiting and looking keeps a create from being repeated."""

    @pytest.fixture
    def project_spec(self) -> Mapping[str, Any]:
        return {"createIdempotency": "Settle"}

    @pytest.mark.parametrize(
        "handler",
        [pytest.param(LOST["connection reset"], id="reset"), pytest.param(late, id="late"), pytest.param(later_still, id="later")],
    )
    async def test_one_server(self, case: Case, handler: Handler) -> None:
        await case.stage.lab.sim.admin("POST", "/_sim/behaviour", {"clientToken": "ignore"})
        try:
            rule = case.on("create", handler, times=SERVERS)
            await case.apply(*case.servers(SERVERS))
            await rule.wait_hit(seconds=30)
            await case.assert_exactly_one_each(await case.wait_ready(SERVERS))
        finally:
            await case.stage.lab.sim.admin("POST", "/_sim/behaviour", {"clientToken": "honour"})

    async def test_a_request_that_never_arrived_is_sent_again(self, case: Case) -> None:
        async def never(exchange: Exchange) -> Answer | None:
            exchange.drop()
            return None

        rule = case.on("create", never)
        await case.apply(case.server("s-0"))
        await rule.wait_hit(seconds=30)
        await case.assert_exactly_one_each(await case.wait_ready(1))


async def test_lost_answers_of_deletion(case: Case) -> None:
    await case.apply(*case.servers(SERVERS))
    objects = await case.wait_ready(SERVERS)
    rule = case.on("delete", answered(Answer(status=502)), times=2)
    await case.delete_all()
    await rule.wait_hit(seconds=30)
    await case.wait_gone()
    await case.assert_exactly_one_each(objects)
    await case.assert_nothing_left()
