"""The request log holds no secret."""

from __future__ import annotations

import pytest

from ecs_simulator.masking import is_secret, mask_headers, mask_target
from ecs_simulator.requestlog import Entry, RequestLog


@pytest.mark.parametrize(
    "name",
    [
        "X-Auth-Token",
        "x-subject-token",
        "Authorization",
        "password",
        "adminPass",
        "X-Security-Token",
        "user_data",
        "userdata",
        "secretKey",
        "SK",
        "access_key",
        "X-Sdk-Signature",
    ],
)
def test_secrets_by_name(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["X-Client-Token", "limit", "marker", "name", "X-Project-Id", "task", "risk", "disk"])
def test_what_is_no_secret(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", "/p"),
        ("limit=5&marker=a", "/p?limit=5&marker=a"),
        ("password=hunter2&limit=5", "/p?password=***&limit=5"),
        ("limit=5&Access_Key=AK&x=%20", "/p?limit=5&Access_Key=***&x=%20"),
        ("token=a&token=b", "/p?token=***&token=***"),
        ("%70assword=hunter2", "/p?password=***"),
    ],
)
def test_targets(query: str, shown: str) -> None:
    assert mask_target("/p", query) == shown


def test_headers() -> None:
    assert mask_headers({"x-auth-token": "t", "x-client-token": "c"}) == {"x-auth-token": "***", "x-client-token": "c"}


def entry(project: str | None) -> Entry:
    return Entry(
        time=0.0,
        method="GET",
        path="/",
        operation=None,
        section=None,
        project=project,
        request_id="r",
        client_request_id=None,
        credential=None,
    )


def test_the_log_is_bounded_and_its_numbers_go_on() -> None:
    log = RequestLog(capacity=3)
    for project in ("a", "b", "a", "b", "a"):
        log.add(entry(project))
    assert [item.seq for item in log.select()] == [3, 4, 5]
    assert [item.seq for item in log.select(project="a")] == [3, 5]
    assert [item.seq for item in log.select(since=4)] == [5]
    assert [item.seq for item in log.select(limit=2)] == [4, 5]
    assert log.select(limit=0) == []
    log.clear()
    log.add(entry("a"))
    assert log.total == 6
