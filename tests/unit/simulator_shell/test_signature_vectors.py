"""Request signatures that somebody else computed, requests that say the same in another form, and a signer of the test's own."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ecs_simulator.auth.signature import SignatureError, parse_authorization, verify

ACCESS_KEY, SECRET_KEY = "LABACCESSKEY00000001", "lab-secret-key-0000000000000000000000001"
STAMP = "20240229T120000Z"
NOW = datetime(2024, 2, 29, 12, tzinfo=UTC).timestamp()
ALWAYS = {"host": "127.0.0.1:8774", "x-sdk-date": STAMP}


@dataclass(frozen=True)
class Vector:
    """A request as it goes over the wire, and its signature over all its headers. ``headers`` are those beside host and date."""

    name: str
    signature: str
    method: str = "GET"
    path: str = "/v1/a"
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


# Computed with the signer of the vendor's SDK for Python (huaweicloudsdkcore 3.1.219), which made the queries as well.
VECTORS = (
    Vector("nothing but what must be there", "3c47aec78665e3e37f01bba7526d58e578bc03d557cd1e7f47a93f447b0066ce", path="/"),
    Vector(
        "a project and a content type",
        "37170479543ac88fecee0db66710b801e544271e9b2430925c331d6a1161fcbd",
        path="/v1/9a56640e5503b8dc39231cdb52a0f3e2/cloudservers/limits",
        headers={"content-type": "application/json", "x-project-id": "9a56640e5503b8dc39231cdb52a0f3e2"},
    ),
    Vector(
        "a body",
        "f9b182c2526a69d2d8b31be696c8fdd593cfe691e9d472f83d37c86780e59cc8",
        method="POST",
        path="/v1/9a56640e5503b8dc39231cdb52a0f3e2/cloudservers",
        headers={"content-type": "application/json"},
        body=b'{"server":{"name":"web-1"}}',
    ),
    Vector(
        "a body that is no ASCII",
        "54dbc16294c6b4e2928102364f8bbc4a8728076cfe4a0cc948a0f4943603b531",
        method="POST",
        path="/v1/9a56640e5503b8dc39231cdb52a0f3e2/cloudservers",
        headers={"content-type": "application/json"},
        body=b'{"server":{"name":"\xe4\xba\x91"}}',
    ),
    Vector(
        "a query out of order",
        "ee77aef3130ca661d3c9d5d0f6b82e7df65c55c6773b57090f6a9d42ccac6edf",
        path="/v2.1/9a56640e5503b8dc39231cdb52a0f3e2/servers",
        query="all=&deleted=true&limit=2",
    ),
    Vector(
        "a parameter twice",
        "c989d504ae990ad308bd2dae6a6c6b7deac3e063bdb9e5cfa570fffca56e27e5",
        path="/v2.1/9a56640e5503b8dc39231cdb52a0f3e2/servers",
        query="limit=10&tags=a&tags=b&tags=c",
    ),
    Vector(
        "a name before a longer one",
        "c36448a2cc7f0f3db82f52021b14bae5abfffcf4937572c0cfa4ee3cdd1d4513",
        path="/v1/a",
        query="a=2&a-b=1&aa=0",
    ),
    Vector(
        "reserved characters in the query",
        "036de819933ca187530e8c6ac755ff644de161b96cd883a41578d219a613a5ca",
        path="/v1/a",
        query="name=a%20b%2Bc%2Fd%3De%26f~g%21%2A%27%28%29%3B%3A%40%2C%3F%23%5B%5D%25",
    ),
    Vector(
        "another script in the query",
        "52acaef00189c29ea77e4c9ca25b0eceded3cbeba18e42a34bb4ee51dc3b2aa8",
        path="/v1/a",
        query="%E5%90%8D%E5%AD%97=%E4%BA%91%20%E6%9C%8D%E5%8A%A1%E5%99%A8",
    ),
    Vector(
        "upper case before lower", "fbbbd6e9ffff84e328fcb2c4742815638e8d9f9b98ec84d3bcda65248a3266e2", path="/v1/a", query="B=2&_=3&b=1"
    ),
    Vector("a path with an escape", "157410928e5df4128b51711658af9a1e615832bc025dc822caec47bda0c38487", path="/v1/a%20b/%E4%BA%91~x"),
    # It takes an escaped slash for a slash; so do we.
    Vector("a path with a slash in a segment", "0d2ae4d0db3c8e6d5d0777f47d15ed5ff27ac95072b7abeb49ab6d97915a374e", path="/v1/a%2Fb"),
    Vector("a path with a slash at its end", "292898e0e9ede3ff62825e98fed69d509e35eb3d079ab99c66eef180ee4afb13", path="/v1/a/"),
    Vector(
        "a path with reserved characters", "d9813b00667bd748457695aee9861b7b60101e2094f63d90c8cc0603f1bfe09c", path="/v1/a:b@c!$&'()*+,;="
    ),
    Vector(
        "spaces around a value",
        "0723485355bfdce6e2524d30456544b8fcf051e5d454391d800e65eb02bd560c",
        path="/v1/a",
        headers={"x-test": "  padded  value\t"},
    ),
    Vector(
        "a value that is no ASCII",
        "e09049daf5ffcdaf158673c07b7bf0a793adb4cf24880b2e99c559d0d353db4d",
        path="/v1/a",
        headers={"x-test": "云"},
    ),
    Vector("an empty value", "7f4b15f2ba58252b3d61248b786ad79d81f22bbb179520de32140ce90ea9e333", path="/v1/a", headers={"x-test": ""}),
    Vector(
        "a temporary key",
        "a67c50f8b8e43706fe5d30e25e4ff9ffda1c9212c6744b594847c728e392ead7",
        path="/v1/a",
        headers={"x-security-token": "gQpjbi1ub3J0aC0x"},
    ),
    Vector(
        "a domain",
        "6ff1cc337b178fa83b85caf62259f3402b5f93e48ba2ca9ad884bb92081ae27c",
        path="/v1/a",
        headers={"x-domain-id": "5c3b1f0e9d8a4c7fb6a5e4d3c2b1a000"},
    ),
    Vector("another method", "a561852bb48a2f2b306378d4d3396929a14ce96703f1b15a43c7cfefefff9826", method="DELETE", path="/v1/a"),
)
# What another client may make of the same request: the signature holds.
OTHER_FORMS = (
    ("a query out of order", {"query": "limit=2&all&deleted=true"}),
    ("a query out of order", {"query": "limit=2&&all=&deleted=true&"}),
    ("a parameter twice", {"query": "tags=c&limit=10&tags=b&tags=a"}),
    ("reserved characters in the query", {"query": "name=a+b%2bc/d%3De%26f%7Eg!*'();:@,?%23[]%25"}),
    ("another script in the query", {"query": "%e5%90%8d%e5%ad%97=%e4%ba%91+%e6%9c%8d%e5%8a%a1%e5%99%a8"}),
    ("a path with an escape", {"path": "/v1/%61%20b/%e4%ba%91%7ex"}),
    ("a path with an escape", {"path": "/v1/a%20b/%E4%BA%91~x/"}),
    ("a path with reserved characters", {"path": "/v1/a%3Ab%40c%21%24%26%27%28%29%2A%2B%2C%3B%3D"}),
    ("spaces around a value", {"headers": {"x-test": "padded  value"}}),
)
# What is another request, though it looks alike: the signature does not hold.
LOOKALIKES = (
    ("a query out of order", {"query": "all=&deleted=True&limit=2"}),
    ("a query out of order", {"query": "all=&deleted=true&limit=02"}),
    ("a query out of order", {"query": "all=&all=&deleted=true&limit=2"}),
    ("a parameter twice", {"query": "limit=10&tags=a&tags=b"}),
    ("reserved characters in the query", {"query": "name=a%20b+c%2Fd%3De%26f~g%21%2A%27%28%29%3B%3A%40%2C%3F%23%5B%5D%25"}),
    ("a path with an escape", {"path": "/v1/a+b/%E4%BA%91~x"}),
    ("a path with an escape", {"path": "/V1/a%20b/%E4%BA%91~x"}),
    ("a path with a slash at its end", {"path": "/v1/a//"}),
    ("spaces around a value", {"headers": {"x-test": "padded value"}}),
    ("spaces around a value", {"headers": {"x-test": "Padded  value"}}),
    ("an empty value", {"headers": {"x-test": '""'}}),
    ("a body that is no ASCII", {"body": b'{"server":{"name":"\\u4e91"}}'}),
    ("a body", {"body": b'{"server":{"name":"web-1"}}\n'}),
    ("another method", {"method": "PUT"}),
)
BY_NAME = {vector.name: vector for vector in VECTORS}


def wire(value: str) -> str:
    """A header's value as the server sees it: the bytes of the wire as Latin-1."""
    return value.encode().decode("latin-1")


def check(vector: Vector, *, signature: str | None = None) -> None:
    headers = {**ALWAYS, **vector.headers}
    value = f"SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders={';'.join(sorted(headers))}, Signature={signature or vector.signature}"
    verify(
        parse_authorization(value),
        secret_key=SECRET_KEY,
        method=vector.method,
        raw_path=vector.path,
        raw_query=vector.query,
        headers={name: wire(value) for name, value in headers.items()},
        body=vector.body,
        now=NOW,
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_what_the_vendors_sdk_signs_holds(vector: Vector) -> None:
    check(vector)


@pytest.mark.parametrize(("name", "change"), OTHER_FORMS)
def test_the_same_request_in_another_form_holds(name: str, change: dict[str, Any]) -> None:
    check(replace(BY_NAME[name], **change))


@pytest.mark.parametrize(("name", "change"), LOOKALIKES)
def test_a_request_that_looks_alike_does_not_hold(name: str, change: dict[str, Any]) -> None:
    with pytest.raises(SignatureError, match="verify aksk signature fail"):
        check(replace(BY_NAME[name], **change))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_no_part_may_be_changed(vector: Vector) -> None:
    others = (
        replace(vector, method="PATCH"),
        replace(vector, path=vector.path + "/x"),
        replace(vector, query=f"{vector.query}&z=1"),
        replace(vector, body=vector.body + b" "),
        replace(vector, headers=vector.headers | {"z-header": "1"}),
    )
    for other in others:
        with pytest.raises(SignatureError):
            check(other)


TEXT = some.text(max_size=8)


@given(
    segments=some.lists(some.text(min_size=1, max_size=6).filter(lambda text: "/" not in text), max_size=4),
    pairs=some.lists(some.tuples(some.text(min_size=1, max_size=6), TEXT), max_size=4),
    value=some.text(some.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=12),
    body=some.binary(max_size=20),
)
def test_what_the_guide_says_to_sign_holds(segments: list[str], pairs: list[tuple[str, str]], value: str, body: bytes) -> None:
    """Whatever is in it: signed here by the guide, with the query left in the order the client had it in."""
    path = "/" + "/".join(quote(segment, safe="") for segment in segments)
    sent = [f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in pairs]
    in_order = sorted(pairs, key=lambda pair: (pair[0].encode(), pair[1].encode()))
    headers = {**ALWAYS, "x-test": value}
    lines = [
        "POST",
        path.rstrip("/") + "/",
        "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in in_order),
        *(f"{name}:{headers[name]}" for name in sorted(headers)),
        "",
        ";".join(sorted(headers)),
        sha256(body).hexdigest(),
    ]
    text = f"SDK-HMAC-SHA256\n{STAMP}\n{sha256(chr(10).join(lines).encode()).hexdigest()}"
    signature = hmac.new(SECRET_KEY.encode(), text.encode(), sha256).hexdigest()
    check(Vector("", signature, method="POST", path=path, query="&".join(sent), headers={"x-test": value}, body=body))
