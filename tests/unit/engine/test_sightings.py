from __future__ import annotations

from typing import Any

import pytest

from ecs_operator.engine.outcome import Lane
from ecs_operator.engine.sightings import Sightings, lane_of_news, sighting
from tests.unit.engine.stage import key


def metadata(**changes: Any) -> dict[str, Any]:
    return {
        "uid": "1",
        "generation": 1,
        "resourceVersion": "5",
        "annotations": {"a": "1"},
        "labels": {"l": "1"},
        "finalizers": ["f"],
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "lane"),
    [
        ({"resourceVersion": "6"}, None),
        ({"finalizers": ["f", "ours"]}, None),
        ({"finalizers": []}, Lane.URGENT),
        ({"finalizers": None}, Lane.URGENT),
        ({"generation": 2}, Lane.URGENT),
        ({"deletionTimestamp": "2026-01-01T00:00:00Z"}, Lane.URGENT),
        ({"annotations": {"a": "2"}}, Lane.URGENT),
        ({"annotations": None}, Lane.URGENT),
        ({"labels": {"l": "1", "m": "1"}}, Lane.URGENT),
        ({"uid": "2"}, Lane.CREATE),
        ({"uid": "2", "deletionTimestamp": "2026-01-01T00:00:00Z"}, Lane.URGENT),
    ],
    ids=[
        "only the status",
        "a finalizer more",
        "finalizers lost",
        "no finalizers at all",
        "the spec",
        "deletion asked for",
        "an annotation",
        "annotations lost",
        "a label",
        "another object of the name",
        "another object, being deleted",
    ],
)
def test_what_counts_as_news(changes: dict[str, Any], lane: Lane | None) -> None:
    assert lane_of_news(sighting(metadata()), sighting(metadata(**changes))) is lane


def test_an_annotation_is_not_taken_for_a_label() -> None:
    as_annotation = sighting(metadata(annotations={"x": "1"}, labels={}))
    as_label = sighting(metadata(annotations={}, labels={"x": "1"}))
    assert lane_of_news(as_annotation, as_label) is Lane.URGENT


def test_the_order_of_annotations_is_no_news() -> None:
    one, other = metadata(annotations={"a": "1", "b": "2"}), metadata(annotations={"b": "2", "a": "1"})
    assert lane_of_news(sighting(one), sighting(other)) is None


def test_a_deletion_in_a_gap_is_found_by_the_list() -> None:
    sightings = Sightings()
    for name in "abc":
        assert sightings.see(key(name), sighting(metadata())) is Lane.CREATE
    listing = sightings.begin_listing()
    assert sightings.missing(listing, {key("a"), key("c")}) == [key("b")]


def test_what_was_created_during_the_list_is_not_taken_for_gone() -> None:
    sightings = Sightings()
    sightings.see(key("old"), sighting(metadata()))
    listing = sightings.begin_listing()
    sightings.see(key("new"), sighting(metadata()))
    sightings.see(key("old"), sighting(metadata(generation=2)))
    assert sightings.missing(listing, set()) == []
    assert sightings.missing(sightings.begin_listing(), {key("new")}) == [key("old")]


def test_gone_is_forgotten() -> None:
    sightings = Sightings()
    sightings.see(key(), sighting(metadata()))
    assert sightings.gone(key())
    assert not sightings.gone(key())
    assert len(sightings) == 0
    assert sightings.see(key(), sighting(metadata())) is Lane.CREATE
