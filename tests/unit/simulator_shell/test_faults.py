"""Fault rules: what they match, when they are due, what they refuse to be."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_simulator.faults import FaultBook, FaultError, Hit

DROP = {"drop": True}


def strike(
    book: FaultBook,
    *,
    name: str = "createServers",
    section: str = "5.1.1",
    method: str = "POST",
    target: str = "/v1/p/cloudservers",
    project: str | None = "p",
) -> Hit | None:
    return book.strike(name=name, section=section, method=method, target=target, project=project)


def pattern(book: FaultBook, count: int) -> str:
    """The requests that were struck, one letter each."""
    return "".join("x" if strike(book) else "." for _ in range(count))


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ({}, True),
        ({"operation": "createServers"}, True),
        ({"operation": "5.1.1"}, True),
        ({"section": "5.1.1"}, True),
        ({"operation": "deleteServers"}, False),
        ({"method": "post"}, True),
        ({"method": "GET"}, False),
        ({"path": "cloudservers$"}, True),
        ({"path": "^/v2"}, False),
        ({"project": "p"}, True),
        ({"project": "q"}, False),
        ({"operation": "createServers", "project": "q"}, False),
    ],
)
def test_everything_given_must_hold(match: dict[str, Any], struck: bool) -> None:  # noqa: FBT001
    book = FaultBook()
    book.add({"match": match, "do": DROP})
    assert (strike(book) is not None) is struck


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({}, "xxxxxx"),
        ({"times": 2}, "xx...."),
        ({"match": {"nth": 3}}, "..x..."),
        ({"match": {"every": 2}}, ".x.x.x"),
        ({"match": {"every": 2}, "times": 1}, ".x...."),
        ({"match": {"probability": 0}}, "......"),
        ({"match": {"probability": 1}}, "xxxxxx"),
    ],
)
def test_counting(rule: dict[str, Any], expected: str) -> None:
    book = FaultBook()
    book.add({"do": DROP, **rule})
    assert pattern(book, 6) == expected


def test_probability_is_seeded() -> None:
    books = [FaultBook(seed=7), FaultBook(seed=7), FaultBook(seed=8)]
    for book in books:
        book.add({"match": {"probability": 0.5}, "do": DROP})
    first, again, other = (pattern(book, 200) for book in books)
    assert first == again
    assert first != other
    assert 60 < first.count("x") < 140


def test_the_first_rule_that_matches_and_is_due_strikes() -> None:
    book = FaultBook()
    once = book.add({"do": {"status": 503}, "times": 1})
    always = book.add({"do": {"status": 429, "headers": {"Retry-After": 5}}})
    hits = [strike(book) for _ in range(3)]
    assert [hit.rule_id for hit in hits if hit] == [once.id, always.id, always.id]
    assert [(rule["seen"], rule["hits"], rule["spent"]) for rule in book.to_json()] == [(1, 1, True), (2, 2, False)]
    assert hits[1] is not None
    assert hits[1].effect.headers == {"Retry-After": "5"}


def test_rules_are_removed() -> None:
    book = FaultBook()
    rule = book.add({"do": DROP})
    assert book.remove(rule.id)
    assert not book.remove(rule.id)
    assert strike(book) is None
    book.add({"do": DROP})
    assert book.clear() == 1
    assert not book


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ([], "rule"),
        ({}, "do"),
        ({"do": {}}, "do"),
        ({"do": {"status": 99}}, "do.status"),
        ({"do": {"status": "502"}}, "do.status"),
        ({"do": {"code": "Ecs.0002"}}, "do.code"),
        ({"do": {"drop": True, "status": 500}}, "do"),
        ({"do": {"drop": 1}}, "do.drop"),
        ({"do": {"delay": -1}}, "do.delay"),
        ({"do": {"status": 500, "headers": {"A\r\nB": "c"}}}, "do.headers"),
        ({"do": {"status": 500, "headers": {"A": "c\r\nd"}}}, "do.headers"),
        ({"do": DROP, "when": "during"}, "when"),
        ({"do": DROP, "times": 0}, "times"),
        ({"do": DROP, "tmies": 1}, "tmies"),
        ({"do": DROP, "match": {"path": "("}}, "match.path"),
        ({"do": DROP, "match": {"nth": 0}}, "match.nth"),
        ({"do": DROP, "match": {"probability": 2}}, "match.probability"),
        ({"do": DROP, "match": {"oparation": "x"}}, "oparation"),
    ],
)
def test_an_impossible_rule_is_refused_by_the_name_of_its_field(rule: object, named: str) -> None:
    with pytest.raises(FaultError, match=named.replace(".", r"\.")):
        FaultBook().add(rule)
