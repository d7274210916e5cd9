"""Bad input of every kind to every operation gets the documented error, and changes nothing.

The sweep is the same each time. Where something is found, the sentence names operation and badness, which is all it takes to see it again.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ecs_simulator.routes import OPERATIONS
from tests.contract.fuzz.badness import KINDS
from tests.contract.fuzz.sweeping import plain, sweep
from tests.contract.fuzz.targets import all_targets
from tests.contract.fuzz.verdict import problems

# How many requests of a kind there are at least: a sweep that has become empty finds nothing.
LEAST = {
    "fields": 10_000,
    "bodies": 3_000,
    "content types": 1_500,
    "path segments": 4_000,
    "others' things": 2_000,
    "queries": 4_000,
    "microversions": 2_500,
    "credentials": 1_500,
    "client tokens": 20,
    "paths": 500,
    "methods": 1_000,
    "states": 2_000,
    "tokens": 500,
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_documented_refusal(kind: str) -> None:
    count, found = sweep(all_targets(), kind)
    assert not found, f"{len(found)} of {count}:\n" + "\n".join(found[:20])
    assert count >= LEAST[kind]


# What is refused even so, and why.
_NEVER: Mapping[tuple[str, str], int] = {
    ("/v2/{project_id}/servers/{server_id}/tags", "from microversion 2.26 on, and /v2 has none"): 404,
    ("/v2/{project_id}/servers/{server_id}/tags/{tag}", "the same"): 404,
    ("/v2.1/{project_id}/os-availability-zone/detail", "not for users"): 403,
    ("/v2/{project_id}/os-availability-zone/detail", "not for users"): 403,
    ("/v3/auth/tokens", "showing and revoking want the token in a header"): 400,
}


def test_every_operation_is_swept_in_a_world_where_it_would_be_accepted() -> None:
    assert {operation.name for operation in OPERATIONS} <= {target.name for target in all_targets()}
    never = {template: status for (template, _), status in _NEVER.items()}
    for target in all_targets():
        answer = plain(target)
        assert answer.status < 300 or answer.status == never.get(target.template), f"{target}: {answer}"


def test_what_is_accepted_is_proper_too() -> None:
    found = [f"{target}: {sentence}" for target in all_targets() for sentence in problems(target.url(), plain(target))]
    assert found == []
