"""Lists that lie: a sweep is complete only when nothing at all is left to doubt."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import httpx
import pytest

from ecs_operator.cloud import CloudError, Meaning
from ecs_operator.cloud.sweep import Page, collect
from tests.unit.cloud.stage import FakeCloud, answer, client_of

pytestmark = pytest.mark.looptime

Row = dict[str, object]
Serve = Callable[[str, int], httpx.Response]


def row(number: int, **fields: object) -> Row:
    return {"id": f"s{number:03}", "name": f"web-{number}", "status": "ACTIVE", "metadata": {}, **fields}


def page(rows: Sequence[Row], *, following: str | None = None) -> httpx.Response:
    links = [{"rel": "next", "href": f"http://elsewhere.test/x?marker={following}"}] if following else []
    return answer(200, {"servers": list(rows)} | ({"servers_links": links} if links else {}))


def honest(rows: Sequence[Row]) -> Serve:
    def serve(marker: str, limit: int) -> httpx.Response:
        start = next((at + 1 for at, found in enumerate(rows) if found["id"] == marker), 0)
        chunk = rows[start : start + limit]
        return page(chunk, following=str(chunk[-1]["id"]) if len(chunk) == limit else None)

    return serve


def scripted(*responses: httpx.Response) -> Serve:
    rest = iter(responses)
    return lambda _marker, _limit: next(rest)


def endless() -> Serve:
    numbers = itertools.count()
    return lambda _marker, _limit: page([row(next(numbers))])


TEN = [row(number) for number in range(10)]
WINDOWS = row(1, **{"OS-EXT-SRV-ATTR:user_data": "Q2FuYXJ5", "metadata": {"admin_pass": "Canary-1", "a": "b"}, "adminPass": "Canary-2"})


@dataclass(frozen=True)
class Case:
    name: str
    serve: Serve
    count: int
    complete: bool
    problem: str = ""


def cases() -> list[Case]:
    return [
        Case("none at all", honest([]), 0, complete=True),
        Case("one page and the empty one", honest(TEN[:3]), 3, complete=True),
        Case("several pages", honest(TEN), 10, complete=True),
        Case("a short page is not the last", scripted(page(TEN[:1]), page(TEN[1:3]), page(TEN[3:4]), page([])), 4, complete=True),
        Case("rows that come twice", scripted(page(TEN[:3]), page(TEN[2:5]), page([])), 5, complete=True),
        Case("PAUSED is a state", honest([row(1, status="PAUSED")]), 1, complete=True),
        Case("UNKNOWN is none", honest([row(1, status="UNKNOWN")]), 1, complete=False, problem="1 rows of unknown state"),
        Case("a row without a status", honest([row(1, status=None)]), 1, complete=False, problem="1 rows of unknown state"),
        Case("an unheard-of status", honest([row(1, status="WEIRD")]), 1, complete=False, problem="1 rows of unknown state"),
        Case(
            "a row without metadata could hide a mark",
            scripted(page([TEN[0], {"id": "x", "status": "ACTIVE"}]), page([])),
            1,
            complete=False,
            problem="1 rows of unknown state",
        ),
        Case("null metadata too", honest([row(1, metadata=None)]), 0, complete=False, problem="1 rows of unknown state"),
        Case(
            "a row without an id",
            scripted(page([{"status": "ACTIVE", "metadata": {}}, TEN[0]]), page([])),
            1,
            complete=False,
            problem="1 rows of unknown state",
        ),
        Case(
            "a page that never comes",
            scripted(page(TEN[:3]), answer(403, {"forbidden": {"code": 403, "message": "no"}})),
            3,
            complete=False,
            problem="a page is missing: listServersDetails was refused (HTTP 403): no",
        ),
        Case(
            "a page that cannot be read",
            scripted(page(TEN[:3]), answer(200, b'{"servers": [{"id')),
            3,
            complete=False,
            problem="a page is missing: listServersDetails: the outcome is unknown (HTTP 200)",
        ),
        Case("the same page again and again", lambda _m, _l: page(TEN[:3]), 3, complete=False, problem="has no end"),
        Case(
            "an empty page that announces another",
            scripted(page(TEN[:3]), page([], following="s002")),
            3,
            complete=False,
            problem="has no end",
        ),
        Case("pages without end", endless(), 2001, complete=False, problem="has no end"),
        Case("a list of nothing that can be asked on", scripted(page([{"metadata": {}}])), 0, complete=False, problem="1 rows of unknown"),
    ]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
async def test_sweeps(case: Case) -> None:
    cloud = FakeCloud(lambda request: case.serve(request.url.params.get("marker", ""), int(request.url.params["limit"])))
    async with client_of(cloud) as client:
        sweep = await client.servers.sweep(limit=3)
    assert (len(sweep.servers), sweep.complete) == (case.count, case.complete)
    assert case.problem in sweep.problem
    assert bool(sweep.problem) is not sweep.complete
    assert {request.url.host for request in cloud.requests} == {"ecs.example.test"}, "links are never followed"


FIRST_PAGES = [
    ("refused", answer(401), Meaning.AUTH),
    ("broken", answer(500), Meaning.INTERNAL),
    ("not a list", answer(200, {"servers": None}), Meaning.INTERNAL),
    ("no servers in it", answer(200, {}), Meaning.INTERNAL),
    ("flow control as 202", answer(202, {"error": {"code": "Common.0024", "message": "x"}}), Meaning.THROTTLED),
]


@pytest.mark.parametrize(("response", "meaning"), [case[1:] for case in FIRST_PAGES], ids=[case[0] for case in FIRST_PAGES])
async def test_without_a_first_page_nothing_is_known(response: httpx.Response, meaning: Meaning) -> None:
    async with client_of(FakeCloud(lambda _: response)) as client:
        with pytest.raises(CloudError) as caught:
            await client.servers.sweep()
    assert caught.value.meaning is meaning


async def test_secrets_in_rows_are_dropped() -> None:
    async with client_of(FakeCloud(lambda request: honest([WINDOWS])(request.url.params.get("marker", ""), 100))) as client:
        sweep = await client.servers.sweep()
    assert sweep.servers[0].metadata == {"a": "b"}
    assert "Canary" not in repr(sweep)
    assert "Q2FuYXJ5" not in repr(sweep)


async def test_pages_pass_on_what_is_asked() -> None:
    cloud = FakeCloud(lambda request: honest(TEN)(request.url.params.get("marker", ""), 4))
    async with client_of(cloud) as client:
        sizes = [len(found) async for found in client.servers.pages(limit=4, changes_since="2026-01-01T00:00:00Z")]
    assert sizes == [4, 4, 2]
    assert {request.url.params["changes-since"] for request in cloud.requests} == {"2026-01-01T00:00:00Z"}


@pytest.mark.parametrize("limit", [0, 1001])
async def test_the_limit_is_checked(limit: int) -> None:
    async with client_of(FakeCloud(lambda _: page([]))) as client:
        with pytest.raises(CloudError, match="limit"):
            await client.servers.sweep(limit=limit)


async def test_groups_are_listed_to_the_end_or_not_at_all() -> None:
    groups = [{"id": f"g{number}", "name": "x", "members": None} for number in range(5)]

    def serve(request: httpx.Request) -> httpx.Response:
        marker = request.url.params.get("marker", "")
        start = next((at + 1 for at, group in enumerate(groups) if group["id"] == marker), 0)
        return answer(200, {"server_groups": groups[start : start + 2]})

    async with client_of(FakeCloud(serve)) as client:
        assert [group.id for group in await client.groups.list()] == ["g0", "g1", "g2", "g3", "g4"]
    async with client_of(FakeCloud(lambda _: answer(200, {"server_groups": groups[:2]}))) as client:
        with pytest.raises(CloudError, match="has no end"):
            await client.groups.list()


ENDS = [
    ("nothing at all", (), False),
    ("rows, and no page after them", (Page(servers=(), last_id="s1"),), False),
    ("an empty page that announces another", (Page(servers=(), has_next=True),), False),
    ("an empty page", (Page(servers=(), last_id="s1"), Page(servers=())), True),
]


@pytest.mark.parametrize(("pages", "complete"), [case[1:] for case in ENDS], ids=[case[0] for case in ENDS])
async def test_only_an_empty_page_ends_a_list(pages: tuple[Page, ...], *, complete: bool) -> None:
    async def come() -> AsyncIterator[Page]:
        for found in pages:
            yield found

    sweep = await collect(come())
    assert sweep.complete is complete
    assert bool(sweep.problem) is not complete
