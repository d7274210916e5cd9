"""Trying every kind of badness on every operation, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from tests.contract.fuzz.badness import KINDS, Bad
from tests.contract.fuzz.targets import Target, state
from tests.contract.fuzz.verdict import problems
from tests.contract.in_process import Answer

# What is under /v2 goes the way of /v2.1 but for the microversion: every third of the bad requests will do there.
_MIRROR_STEP = 3


def attempt(target: Target, bad: Bad) -> list[str]:
    """Send one bad request and return what was wrong with the answer, and with what it did."""
    headers = bad.headers
    if bad.before is not None:
        headers = bad.before(target) or headers
        target.before = state(target.world)
    answer = target.send(bad.target, bad.body, headers, method=bad.method)
    found = [*problems(bad.target or target.url(), answer), *target.consequences(answer)]
    if bad.statuses and answer.status not in bad.statuses:
        found.append(f"status {answer.status} is none of {sorted(bad.statuses)}: {answer.content[:200]!r}")
    if bad.before is not None:
        target.reset()
        # A token may have come to its end meanwhile; tokens are not part of the world.
        target.scene.token = target.scene.api.token()
    return [f"{target} [{bad.what}] {sentence}" for sentence in found]


def plain(target: Target) -> Answer:
    """Send the request that is to be accepted, and put the world right."""
    answer = target.send()
    target.reset()
    return answer


def chosen(target: Target, kind: str) -> Iterator[Bad]:
    """Return the bad requests of a kind for an operation."""
    bads = KINDS[kind](target)
    return islice(bads, 0, None, _MIRROR_STEP) if target.is_mirrored else bads


def sweep(targets: Iterable[Target], kind: str) -> tuple[int, list[str]]:
    """Try a kind of badness on every operation; return how many requests that were, and what was wrong."""
    count, found = 0, []
    for target in targets:
        for bad in chosen(target, kind):
            count += 1
            found.extend(attempt(target, bad))
    return count, found
