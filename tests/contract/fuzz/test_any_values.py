"""Values that nobody thought of: any JSON in any fields of any body, any query, any path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_from_bytes, urlencode

from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from tests.contract.fuzz.badness import Bad
from tests.contract.fuzz.bodies import places, put
from tests.contract.fuzz.sweeping import attempt
from tests.contract.fuzz.targets import NOWHERE, Target, all_targets
from tests.contract.fuzz.values import QUERIES

# Derandomized: the same values in every run. `print_blob` says how to see one again, `note` which request it was.
steady = settings(derandomize=True, deadline=None, database=None, print_blob=True)
WITH_BODY = [target for target in all_targets() if target.body is not None and not target.is_mirrored]
# Words that mean something somewhere, so that what is tried gets further than to the first check.
_WORDS = (
    *("SSD", "SOFT", "HARD", "true", "false", "True", "None", "null", "auto", "none", "default", "anti-affinity", "filter", "count", "ssh"),
    *(
        "volume",
        "image",
        "snapshot",
        "blank",
        "local",
        "/dev/vda",
        "/dev/vdz",
        "0.0.0.0/0",
        "::/0",
        "192.168.0.1",
        "tcp",
        "icmp",
        "-1",
        "0",
    ),
    *("s3.xlarge.2", "imageid_123", "az1-dc1", "test", "5_bgp", "PER", "traffic", "__class__", "%s", NOWHERE),
)
# Any character at all, halves of surrogate pairs and NUL among them.
any_text = st.one_of(
    st.sampled_from(_WORDS), st.text(st.characters(codec=None), max_size=40), st.text(st.characters(codec=None), min_size=80, max_size=300)
)
any_number = st.one_of(st.integers(-5, 70_000), st.integers(), st.floats(allow_nan=False, allow_infinity=False))
any_leaf = st.one_of(st.none(), st.booleans(), any_number, any_text)
any_json = st.recursive(
    any_leaf, lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(any_text, inner, max_size=5)), max_leaves=12
)


@st.composite
def changed_bodies(draw: st.DrawFn) -> tuple[Target, Any]:
    """An operation, and its body with one to three values changed, in the fields it has or in ones that the reference has elsewhere."""
    target = draw(st.sampled_from(WITH_BODY))
    body = target.body
    for _ in range(draw(st.integers(1, 3))):
        found = places(body)
        if not found:
            break
        place = draw(st.sampled_from(found))
        if isinstance(place[-1], str) and draw(st.integers(0, 4)) == 0:
            place = (*place[:-1], draw(st.one_of(st.sampled_from(NAMES), any_text)))
        body = put(body, place, draw(any_json))
    return target, body


# The names of all fields of all examples.
NAMES = sorted({str(key) for target in WITH_BODY for place in places(target.body) for key in place if isinstance(key, str)})


@settings(steady, max_examples=1200)
@given(changed_bodies())
def test_bodies(request: tuple[Target, Any]) -> None:
    target, body = request
    note(f"{target} {body!r}")
    assert attempt(target, Bad("a body", body=json.dumps(body).encode("ascii"))) == []


@settings(steady, max_examples=500)
@given(st.sampled_from(WITH_BODY), st.binary(max_size=60))
@example(WITH_BODY[0], b"\xef\xbb\xbf{}")
def test_bytes(target: Target, body: bytes) -> None:
    note(f"{target} {body!r}")
    assert attempt(target, Bad("bytes", body=body)) == []


_KEYS = sorted({part.partition("=")[0] for query in QUERIES for part in query.split("&") if "=" in part and len(part) < 40} - {""})


@settings(steady, max_examples=1000)
@given(
    st.sampled_from(all_targets()),
    st.lists(st.tuples(st.sampled_from(_KEYS), st.one_of(any_number.map(str), st.text(max_size=30), st.sampled_from(_WORDS))), max_size=4),
)
def test_queries(target: Target, pairs: list[tuple[str, str]]) -> None:
    query = urlencode(pairs)
    note(f"{target} {query}")
    assert attempt(target, Bad("a query", target=f"{target.url()}?{query}")) == []


@settings(steady, max_examples=1000)
@given(st.sampled_from([target for target in all_targets() if target.variables]), st.data())
def test_paths(target: Target, data: st.DataObject) -> None:
    segments: Mapping[str, str] = {name: quote_from_bytes(data.draw(st.binary(max_size=20)), safe="") for name in target.variables}
    note(f"{target} {segments}")
    assert attempt(target, Bad("a path", target=target.url(**segments))) == []


_HEADERS = (
    *("x-auth-token", "authorization", "x-sdk-date", "x-project-id", "x-security-token", "x-subject-token", "x-client-token", "host"),
    *("x-openstack-nova-api-version", "openstack-api-version", "content-type", "content-length", "x-forwarded-proto", "x-request-id"),
)
any_header = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)


@settings(steady, max_examples=500)
@given(st.sampled_from(all_targets()), st.dictionaries(st.sampled_from(_HEADERS), any_header, min_size=1, max_size=4))
def test_headers(target: Target, headers: Mapping[str, str]) -> None:
    note(f"{target} {headers!r}")
    given_headers = [(name, value) for name, value in target.headers() if name not in headers]
    assert attempt(target, Bad("headers", headers=[*given_headers, *headers.items()])) == []
