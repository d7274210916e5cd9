"""The fuzzer can fail: what is planted is found."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from ecs_simulator.call import ApiError, Call, Handler, Operation, Reply
from ecs_simulator.simulator import Simulator
from tests.contract.examples.scene import WORLD, Scene
from tests.contract.fuzz.badness import Bad
from tests.contract.fuzz.sweeping import attempt, sweep
from tests.contract.fuzz.targets import Target
from tests.contract.fuzz.verdict import problems
from tests.contract.in_process import Answer, Api, Message


def _raises(call: Call) -> Reply:
    return Reply(200, {"length": len(call.body["planted"]["name"])})


def _answers_html(_: Call) -> Reply:
    return Reply(502, "<html><body>Bad Gateway</body></html>", {"Content-Type": "text/html"})


def _tells_of_itself(call: Call) -> Reply:
    try:
        return Reply(200, {"length": len(call.body["planted"]["name"])})
    except TypeError as error:
        raise ApiError(400, "Ecs.0005", repr(error)) from error


def _makes_codes_up(_: Call) -> Reply:
    raise ApiError(400, "Ecs.9999", "Something is wrong.")


def _answers_as_the_other_family(_: Call) -> Reply:
    raise ApiError(409, "Ecs.0005", "Something is wrong.", nova=True)


def _changes_what_it_refuses(call: Call) -> Reply:
    call.project.quota.instances = 1
    raise ApiError(400, "Ecs.0005", "Something is wrong.")


def _breaks_the_world(call: Call) -> Reply:
    next(iter(call.project.volumes.values())).status = "in-use"
    return Reply(200, {})


def _answers_nothing(_: Call) -> Reply:
    return Reply(400)


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        (_raises, "status 500"),
        (_answers_html, "text/html"),
        (_tells_of_itself, "TypeError"),
        (_makes_codes_up, "a bad error"),
        (_answers_as_the_other_family, "under /v1 only what is absent"),
        (_changes_what_it_refuses, "changed the world: ['projects']"),
        (_breaks_the_world, "in-use and loose"),
        (_answers_nothing, "a refusal without a body"),
    ],
)
def test_a_planted_handler(handler: Handler, found: str) -> None:
    target = _planted(handler)
    count, sentences = sweep([target], "fields")
    assert count > 30
    assert any(found in sentence for sentence in sentences), sentences[:5]


def _planted(handler: Handler) -> Target:
    template = "/v1/{project_id}/planted"
    scene = Scene()
    scene.api = Api(Simulator(seed=WORLD), more=[Operation("9.9.9", "planted", "POST", template, handler)])
    scene.token = scene.api.token()
    return Target("planted", "POST", template, scene, body={"planted": {"name": "x"}})


def test_an_honest_handler() -> None:
    def refuses(_: Call) -> Reply:
        raise ApiError(400, "Ecs.0005", "planted.name is no text", ("Ecs.0039", "planted.name"))

    assert sweep([_planted(refuses)], "fields")[1] == []


def test_a_status_that_must_be_another() -> None:
    target = _planted(lambda _: Reply(200, {}))
    assert "status 200 is none of [401]" in attempt(target, Bad("nothing", statuses=frozenset({401})))[0]


@pytest.mark.parametrize(
    ("target", "status", "content", "found"),
    [
        ("/v1/p/x", 400, b'{"error": {"code": "Ecs.0005", "message": "m"}}', None),
        ("/v1/p/x", 400, b'{"error": {"code": "Ecs.0005", "message": "m", "details": [{"code": "Ecs.0039"}]}}', None),
        ("/v1/p/x", 400, b'{"error": {"code": "Ecs.0005", "message": "m", "details": []}}', "a bad error"),
        ("/v1/p/x", 400, b'{"error": {"code": 400, "message": "m"}}', "a bad error"),
        ("/v1/p/x", 400, b'{"code": "Ecs.0005", "message": "m"}', "has the shape flat"),
        ("/v1/p/jobs/j", 400, b'{"code": "Common.0011", "message": "m"}', None),
        ("/v1/p/jobs/j", 400, b'{"error": {"code": "Common.0011", "message": "m"}}', "has the shape error"),
        ("/v1/p/x", 404, b'{"error_code": "APIGW.0101", "error_msg": "m", "request_id": "r"}', None),
        ("/v2.1/p/x", 404, b'{"itemNotFound": {"code": 404, "message": "m"}}', None),
        ("/v2/p/x", 404, b'{"itemNotFound": {"code": 400, "message": "m"}}', "a bad native one"),
        ("/v2/p/x", 404, b'{"badRequest": {"code": 404, "message": "m"}}', "a bad native one"),
        ("/v2/p/x", 400, b'{"badRequest": {"code": 400, "message": ""}}', "a bad native one"),
        ("/v2/p/cloudservers/x", 400, b'{"badRequest": {"code": 400, "message": "m"}}', "natively"),
        ("/v3/x", 401, b'{"error": {"code": 401, "message": "m", "title": "Unauthorized"}}', None),
        ("/v3/x", 401, b'{"unauthorized": {"code": 401, "message": "m"}}', "has the shape native"),
        ("/v2.1/p/x", 503, b'{"computeFault": {"code": 503, "message": "m"}}', "status 503"),
        ("/v2.1/p/x", 400, b"Traceback", "no JSON"),
        ("/v2.1/p/x", 200, b"[", "no JSON"),
        ("/v1/p/x", 501, b'{"error": {"code": "Ecs.0005", "message": "m"}}', "501 is for"),
        ("/v1/p/x", 501, b'{"error": {"code": "Ecs.0603", "message": "m"}}', None),
    ],
)
def test_the_verdict(target: str, status: int, content: bytes, found: str | None) -> None:
    headers = {"x-request-id": "r", "content-length": str(len(content)), "content-type": "application/json"}
    sentences = list(problems(target, Answer(status, headers, content)))
    assert (sentences == []) if found is None else any(found in sentence for sentence in sentences), sentences


def test_an_application_that_waits_is_found_out() -> None:
    async def hangs(_: Message, receive: object, send: object) -> None:
        del receive, send
        await _Forever()

    with pytest.raises(AssertionError, match="waits"):
        Api(Simulator(), application=hangs).send("GET", "/")


class _Forever:
    def __await__(self) -> Generator[None, None, None]:
        yield
