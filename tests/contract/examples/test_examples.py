"""The reference's own examples against the simulator: requests are accepted, answers have the documented shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ecs_simulator.call import Operation
from ecs_simulator.routes import OPERATIONS
from tests.contract.examples import deviations, ecs_cases, history_cases, nova_cases
from tests.contract.examples.cases import EXAMPLES, OK, REFERENCE, Case
from tests.contract.examples.comparison import Comparison, Difference
from tests.contract.examples.fragments import FRAGMENTS
from tests.contract.examples.scene import PROJECT, Scene
from tests.contract.in_process import Answer
from tests.contract.invariants import assert_consistent

CASES = (*ecs_cases.CASES, *nova_cases.CASES, *history_cases.CASES)
SECTIONS: tuple[str, ...] = tuple(row["section"] for row in json.loads((REFERENCE / "operations.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("section", SECTIONS)
def test_the_examples_of(section: str) -> None:
    cases = [case for case in CASES if case.section == section]
    assert cases, "no example of this section is replayed"
    allowed, needed = deviations.of(section), set()
    for case in cases:
        scene = Scene()
        case.before(scene)
        answer = _replay(scene, case)
        assert answer.status in case.statuses, f"{case}: {answer.status} {answer.content!r}"
        unexplained = []
        for difference in _differences(scene, case, answer):
            reasons = [each for each in allowed if each.covers(difference)]
            needed |= set(reasons)
            if not reasons:
                unexplained.append(f"{case}: {difference.where} {difference.kind}: {difference.text}")
        assert not unexplained, "\n".join(unexplained)
        scene.api.pass_time(600)
        assert_consistent(scene.world)
    stale = [each.where for each in allowed if each not in needed]
    assert not stale, f"these deviations are there no more: {stale}"


def _replay(scene: Scene, case: Case) -> Answer:
    operation = _operation(case)
    if case.sends is not None:
        headers = [("x-auth-token", scene.token), ("content-type", "application/json")]
        return scene.api.send(operation.method, operation.path.replace("{project_id}", PROJECT), case.sends, headers)
    return scene.send(operation, case.body, case.path, query=case.query, version=case.version)


def _operation(case: Case) -> Operation:
    wanted = [each for each in OPERATIONS if each.section == case.section and case.action in {None, each.action}]
    assert wanted, f"{case.section} has no route"
    operation = wanted[0]
    row = EXAMPLES[case.section]
    assert (operation.method, operation.path) == (row["method"], row["path"])
    return operation


def _differences(scene: Scene, case: Case, answer: Answer) -> list[Difference]:
    if case.example is not None:
        return Comparison(scene.stands_for).differences(case.example, answer.body)
    if answer.content and case.statuses == OK:
        return [Difference("", "extra", f"the reference shows no body, the answer has {answer.content!r}")]
    return []


def test_every_example_is_replayed_or_no_example_of_its_own() -> None:
    there = {
        (section, kind, number)
        for section, row in EXAMPLES.items()
        for kind in ("request", "response")
        for number in range(len(row[f"{kind}s"]))
    }
    replayed = {each for case in CASES for each in case.used}
    assert set(EXAMPLES) == set(SECTIONS)
    assert replayed <= there
    assert FRAGMENTS.keys() == there - replayed


_SERVER = {"id": "616fb98f-46ca-475e-917e-2563e5a8cd19", "tags": ["a"], "created": "2012-09-07T16:56:37Z", "progress": 0, "host": None}
_HERE = {"id": "00000000-0000-4000-8000-000000000001", "tags": ["a"], "created": "2026-01-01T00:00:00Z", "progress": 0, "host": None}


@pytest.mark.parametrize(
    ("case", "change", "found"),
    [
        ("as the example", {}, []),
        ("a number that is the same", {"progress": 0.0}, []),
        ("a key is missing", {"tags": ...}, [("server.tags", "missing")]),
        ("a key too many", {"more": 1}, [("server.more", "extra")]),
        ("a text for a number", {"progress": "0"}, [("server.progress", "type")]),
        ("true for a number", {"progress": False}, [("server.progress", "type")]),
        ("another number", {"progress": 1}, [("server.progress", "value")]),
        ("a value for null", {"host": "h"}, [("server.host", "null")]),
        ("null for a value", {"id": None}, [("server.id", "null")]),
        ("no UUID", {"id": "0000"}, [("server.id", "form")]),
        ("a UUID of capitals", {"id": "0000000A-0000-4000-8000-000000000001"}, [("server.id", "form")]),
        ("another form of time", {"created": "2026-01-01T00:00:00.000Z"}, [("server.created", "form")]),
        ("another element", {"tags": ["b"]}, [("server.tags.#", "value")]),
        ("one more element", {"tags": ["b", "a"]}, []),
        ("one more element of another type", {"tags": ["a", 1]}, [("server.tags.#", "type in others")]),
        ("no element", {"tags": []}, [("server.tags", "element")]),
    ],
)
def test_the_comparison_sees(case: str, change: Mapping[str, Any], found: list[tuple[str, str]]) -> None:
    answer = {key: value for key, value in {**_HERE, **change}.items() if value is not ...}
    differences = Comparison({}).differences({"server": _SERVER}, {"server": answer})
    assert [(each.where, each.kind) for each in differences] == found, case


@pytest.mark.parametrize(
    ("example", "answer", "found"),
    [
        ("https://x.example.com/v2.1/openstack/servers/1", "http://127.0.0.1:80/v2.1/p/servers/1", []),
        ("https://x.example.com/v2/openstack/servers/1", "http://127.0.0.1:80/v2.1/p/servers/1", ["version"]),
        ("https://x.example.com/v2.1/openstack/servers/1", "http://127.0.0.1:80/v2.1/q/servers/1", ["link"]),
        ("https://x.example.com/v2.1/openstack/servers/1", "http://127.0.0.1:80/v2.1/p/images/1", ["link"]),
        ("https://x.example.com/v2.1/openstack/servers/1", "http://127.0.0.1:80/p/servers/1", ["link"]),
        ("https://x.example.com/v2.1/openstack/servers/1", "/v2.1/p/servers/1", ["form"]),
    ],
)
def test_links_are_compared_by_their_paths(example: str, answer: str, found: list[str]) -> None:
    assert [each.kind for each in Comparison({"openstack": "p"}).differences(example, answer)] == found
