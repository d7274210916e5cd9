"""SDK-HMAC-SHA256 as the vendor's signing guide describes it, checked against the example printed there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from ecs_simulator.auth.signature import (
    MAX_SIGNED_BODY,
    SignatureError,
    canonical_query,
    canonical_request,
    canonical_uri,
    parse_authorization,
    sign,
    string_to_sign,
    verify,
)

# The example of the signing guide: list VPCs, published with its access key, secret key and signature.
STAMP = "20191115T033655Z"
NOW = datetime(2019, 11, 15, 3, 36, 55, tzinfo=UTC).timestamp()
SECRET = "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc"
PATH = "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs"
QUERY = "limit=2&marker=13551d6b-755d-4757-b956-536f674975c0"
HEADERS = {"content-type": "application/json", "host": "service.region.example.com", "x-sdk-date": STAMP}
SIGNATURE = "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
AUTHORIZATION = f"SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, SignedHeaders=content-type;host;x-sdk-date, Signature={SIGNATURE}"


def check(
    *,
    authorization: str = AUTHORIZATION,
    secret: str = SECRET,
    method: str = "GET",
    path: str = PATH,
    query: str = QUERY,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    now: float = NOW,
    repeated: Collection[str] = (),
) -> None:
    verify(
        parse_authorization(authorization),
        secret_key=secret,
        method=method,
        raw_path=path,
        raw_query=query,
        headers=HEADERS if headers is None else headers,
        body=body,
        now=now,
        repeated=repeated,
    )


def test_the_published_example_holds() -> None:
    check()
    request = canonical_request(
        method="GET",
        raw_path=PATH,
        raw_query=QUERY,
        headers=HEADERS,
        signed_headers=("content-type", "host", "x-sdk-date"),
        body_digest=sha256(b"").hexdigest(),
    )
    assert sha256(request).hexdigest() == "b25362e603ee30f4f25e7858e8a7160fd36e803bb2dfe206278659d71a9bcd7a"
    assert sign(string_to_sign(request, STAMP), SECRET) == SIGNATURE


@pytest.mark.parametrize("offset", [-15 * 60, -60, 0, 60, 15 * 60])
def test_fifteen_minutes_either_way_are_allowed(offset: int) -> None:
    check(now=NOW + offset)


def test_an_unsigned_header_may_come_twice() -> None:
    check(headers=HEADERS | {"accept": "a, b"}, repeated={"accept"})


@pytest.mark.parametrize(
    ("case", "change"),
    [
        ("one second too old", {"now": NOW + 15 * 60 + 1}),
        ("one second too early", {"now": NOW - 15 * 60 - 1}),
        ("forged signature", {"authorization": AUTHORIZATION[:-1] + ("0" if AUTHORIZATION[-1] != "0" else "1")}),
        ("another secret key", {"secret": SECRET + "x"}),
        ("another method", {"method": "POST"}),
        ("another path", {"path": PATH + "/x"}),
        ("another query", {"query": QUERY + "&limit=3"}),
        ("another body", {"body": b"{}"}),
        ("another host", {"headers": HEADERS | {"host": "elsewhere"}}),
        ("a signed header is gone", {"headers": {name: value for name, value in HEADERS.items() if name != "content-type"}}),
        ("the date is no date", {"headers": HEADERS | {"x-sdk-date": "yesterday"}}),
        ("a hash of another body", {"headers": HEADERS | {"x-sdk-content-sha256": sha256(b"{}").hexdigest()}}),
        ("an unsigned security token", {"headers": HEADERS | {"x-security-token": "t"}}),
        ("a body above 12 MB", {"body": b"x" * (MAX_SIGNED_BODY + 1)}),
        ("a host that is not signed", {"authorization": AUTHORIZATION.replace(";host", "")}),
        ("a date that is not signed", {"authorization": AUTHORIZATION.replace(";x-sdk-date", "")}),
        ("a date with too few digits", {"headers": HEADERS | {"x-sdk-date": "20191115T33655Z"}}),
        ("a date of another zone", {"headers": HEADERS | {"x-sdk-date": "20191115T033655+00:00"}}),
        ("a date in digits of another script", {"headers": HEADERS | {"x-sdk-date": "２０１９1115T033655Z"}}),
        ("an unsigned project", {"headers": HEADERS | {"x-project-id": "p"}}),
        ("an unsigned domain", {"headers": HEADERS | {"x-domain-id": "d"}}),
        ("an unsigned hash of the body", {"headers": HEADERS | {"x-sdk-content-sha256": sha256(b"").hexdigest()}}),
        ("a host that came twice", {"repeated": {"host"}}),
        ("a signed header that came twice", {"repeated": {"content-type"}}),
        ("a host with another port", {"headers": HEADERS | {"host": "service.region.example.com:443"}}),
    ],
)
def test_everything_else_is_refused(case: str, change: dict[str, Any]) -> None:
    with pytest.raises(SignatureError):
        check(**change)
    assert case


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer abc",
        AUTHORIZATION.replace("SDK-HMAC-SHA256", "SDK-HMAC-SM3"),
        AUTHORIZATION.replace("Access=", "Credential="),
        AUTHORIZATION.replace("content-type;host", "host;content-type"),
        AUTHORIZATION.replace("content-type", "Content-Type"),
        AUTHORIZATION.replace("host;", "host;host;"),
        AUTHORIZATION[:-2],
        AUTHORIZATION + "00",
        AUTHORIZATION.replace(SIGNATURE, SIGNATURE.upper()),
        AUTHORIZATION.replace("SDK-HMAC", "sdk-hmac"),
        AUTHORIZATION.replace("SDK-HMAC-SHA256", "V11-HMAC-SHA256"),
        AUTHORIZATION.replace("Access=QTWAOYTTINDUT2QVKYUC, ", ""),
        AUTHORIZATION.replace("SignedHeaders=content-type;host;x-sdk-date", "SignedHeaders="),
        AUTHORIZATION.replace("content-type;", ";content-type;"),
        AUTHORIZATION + ", " + AUTHORIZATION,
    ],
)
def test_a_malformed_authorization_is_refused(header: str) -> None:
    with pytest.raises(SignatureError):
        parse_authorization(header)


@pytest.mark.parametrize(
    ("path", "canonical"),
    [("/", "/"), ("/v1/a", "/v1/a/"), ("/v1/a/", "/v1/a/"), ("/v1/%e4%bd%a0", "/v1/%E4%BD%A0/"), ("/v1/a b~c", "/v1/a%20b~c/")],
)
def test_the_canonical_uri_ends_with_a_slash(path: str, canonical: str) -> None:
    assert canonical_uri(path) == canonical


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("", ""),
        ("b=2&a=1", "a=1&b=2"),
        ("a=2&a=10", "a=10&a=2"),
        ("flag", "flag="),
        ("name=a+b&x=%7E%2f", "name=a%20b&x=~%2F"),
        ("a-b=1&a=2", "a=2&a-b=1"),
    ],
)
def test_the_canonical_query_is_sorted_and_encoded_anew(query: str, canonical: str) -> None:
    assert canonical_query(query) == canonical
