from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from ecs_operator.app import logs
from ecs_operator.engine.correlation import CURRENT_PASS, PassId
from tests.unit.engine.stage import key


@contextmanager
def in_pass(name: str) -> Iterator[None]:
    token = CURRENT_PASS.set(PassId(key=key(name), reconcile_id="7-abc"))
    try:
        yield
    finally:
        CURRENT_PASS.reset(token)


def written(form: Literal["json", "text"], level: str = "INFO") -> io.StringIO:
    stream = io.StringIO()
    logs.set_up(form=form, level=level, stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_names_object_pass_and_request() -> None:
    stream = written("json")
    with in_pass("a"):
        logging.getLogger("x").info("job %s", "done", extra={logs.CLOUD_REQUEST_ID: "req-1"})
    logging.getLogger("x").info("alone")
    first, second = lines(stream)
    assert first.pop("time").endswith("Z")
    assert first == {
        "level": "INFO",
        "logger": "x",
        "message": "job done",
        "object": "things/ns/a",
        "reconcileId": "7-abc",
        "cloudRequestId": "req-1",
    }
    assert set(second) == {"time", "level", "logger", "message"}


def test_a_traceback_stays_on_one_line_of_json() -> None:
    stream = written("json")
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        logging.getLogger("x").exception("failed")
    (line,) = lines(stream)
    assert "ZeroDivisionError" in line["error"]


def test_text_for_people() -> None:
    stream = written("text")
    with in_pass("a"):
        logging.getLogger("x").warning("hm")
    assert stream.getvalue().endswith(" WARNING hm object=things/ns/a reconcileId=7-abc\n")


def test_what_tells_every_event_or_request_is_quiet_even_at_debug() -> None:
    stream = written("json", "DEBUG")
    for name in ("kopf.objects", "httpx", "asyncio"):
        logging.getLogger(name).info("noise")
        logging.getLogger(name).warning("a warning")
    assert [line["message"] for line in lines(stream)] == ["a warning"] * 3


def test_setting_up_twice_writes_once() -> None:
    written("json")
    stream = written("json")
    logging.getLogger("x").info("once")
    assert len(lines(stream)) == 1


def test_kopf_does_not_bring_bodies_into_the_log() -> None:
    stream = written("json")
    logging.getLogger("kopf._cogs.clients").error("Request attempt #1 failed; will retry: GET /x -> APIServerError('hunter2', {'a': 1})")
    (line,) = lines(stream)
    assert (line["level"], line["message"]) == ("WARNING", "Request attempt #1 failed; will retry: GET /x -> APIServerError")
