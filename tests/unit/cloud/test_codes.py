"""The table of codes: whole, and careful in what it takes for proof."""

from __future__ import annotations

import pytest

from ecs_operator.cloud import CODES, LEFTOVERS, Meaning, lookup

PROVE_NOTHING = (
    *("Ecs.0002", "Ecs.0204", "Ecs.0219", "Ecs.1000", "Ecs.1001", "Ecs.1002", "Ecs.1200", "Ecs.1201", "Ecs.1300"),
    *("Common.0020", "Common.0022", "Common.0999"),
)


def test_all_codes_of_the_reference() -> None:
    families = [code.partition(".")[0] for code in CODES]
    assert {family: families.count(family) for family in families} == {"Ecs": 148, "Pdp": 1, "Common": 13}


@pytest.mark.parametrize("code", PROVE_NOTHING)
def test_codes_that_prove_nothing(code: str) -> None:
    assert not CODES[code].is_definite


@pytest.mark.parametrize("code", sorted(code for code in CODES if code[:8] in {"Ecs.0201", "Ecs.0202"} or code.startswith("Ecs.02")))
def test_a_failed_step_is_no_refusal(code: str) -> None:
    assert CODES[code].is_definite is (CODES[code].meaning is Meaning.INVALID)


@pytest.mark.parametrize("code", sorted(LEFTOVERS))
def test_a_failed_rollback_is_no_refusal(code: str) -> None:
    assert not CODES[code].is_definite


def test_only_things_that_are_addressed_are_not_found() -> None:
    """A missing image or flavor must not look like a missing server."""
    assert {code for code, entry in CODES.items() if entry.meaning is Meaning.NOT_FOUND} == {
        "Ecs.0085",
        "Ecs.0111",
        "Ecs.0114",
        "Ecs.0614",
        "Common.0011",
    }


FROZEN = ("Ecs.0003", "Ecs.0030", "Ecs.0066", "Ecs.0067", "Ecs.0068", "Ecs.0069", "Ecs.0070", "Ecs.0071")


def test_frozen_is_no_matter_of_credentials() -> None:
    assert {code for code, entry in CODES.items() if entry.meaning is Meaning.FROZEN} == set(FROZEN)


def test_every_code_says_what_to_do() -> None:
    assert all(entry.text and entry.what_to_do for entry in CODES.values())


LOOKUPS = [("Ecs.0319", "Ecs.0319"), ("ECS.0319", "Ecs.0319"), (" Ecs.0319 ", "Ecs.0319"), ("Ecs.9999", None), ("", None), (None, None)]


@pytest.mark.parametrize(("given", "found"), LOOKUPS)
def test_lookup(given: str | None, found: str | None) -> None:
    entry = lookup(given)
    assert (entry.code if entry else None) == found
