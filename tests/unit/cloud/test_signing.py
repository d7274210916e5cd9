"""SDK-HMAC-SHA256 against published vectors: those of the vendor's SDK, with the key pair of its signing guide."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from ecs_operator.cloud import AccessKey
from ecs_operator.cloud.signing import canonical_path, canonical_query, sign

KEY = AccessKey(access_key="QTWAOYTTINDUT2QVKYUC", secret_key="MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc")
MOMENT = datetime(2019, 11, 15, 3, 36, 55, tzinfo=UTC)
VPCS = "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs"


@dataclass(frozen=True)
class Vector:
    name: str
    url: str
    signature: str
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    signed: str = "content-type;host;x-sdk-date"


VECTORS = [
    Vector(
        "with a query",
        f"https://service.region.example.com{VPCS}?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
        "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
    ),
    Vector(
        "the query's order does not matter",
        f"https://service.region.example.com{VPCS}?marker=13551d6b-755d-4757-b956-536f674975c0&limit=2",
        "7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe",
    ),
    Vector(
        "without a query",
        f"https://service.test-region-1.myhuaweicloud.com{VPCS}",
        "4a30e690c3032a1975323588d79e858f188834f91df411a47ada7def6ad8081f",
    ),
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_published_vectors(vector: Vector) -> None:
    headers = sign(key=KEY, method="get", url=vector.url, headers=vector.headers, body=b"", now=MOMENT)
    assert headers == {
        "X-Sdk-Date": "20191115T033655Z",
        "Authorization": f"SDK-HMAC-SHA256 Access={KEY.access_key}, SignedHeaders={vector.signed}, Signature={vector.signature}",
    }


CHANGES = [
    ("method", {"method": "POST"}),
    ("path", {"url": f"https://service.region.example.com{VPCS}x"}),
    ("query", {"url": f"https://service.region.example.com{VPCS}?limit=3"}),
    ("host", {"url": f"https://other.region.example.com{VPCS}"}),
    ("port", {"url": f"https://service.region.example.com:8443{VPCS}"}),
    ("body", {"body": b"{}"}),
    ("header", {"headers": {"X-Project-Id": "p"}}),
    ("time", {"now": datetime(2019, 11, 15, 3, 36, 56, tzinfo=UTC)}),
]


@pytest.mark.parametrize("change", [case[1] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_everything_is_covered(change: dict[str, object]) -> None:
    plain: dict[str, object] = {
        "key": KEY,
        "method": "GET",
        "url": f"https://service.region.example.com{VPCS}",
        "headers": {},
        "body": b"",
        "now": MOMENT,
    }
    assert _signature(plain) != _signature(plain | change)


def _signature(arguments: dict[str, object]) -> str:
    return sign(**arguments)["Authorization"].partition("Signature=")[2]  # type: ignore[arg-type]


def test_a_temporary_key_signs_its_security_token() -> None:
    key = AccessKey(access_key="AK", secret_key="SK", security_token="ST")
    headers = sign(key=key, method="GET", url="https://h/", headers={}, body=b"", now=MOMENT)
    assert headers["X-Security-Token"] == "ST"
    assert "SignedHeaders=host;x-sdk-date;x-security-token," in headers["Authorization"]


PATHS = [("", "/"), ("/", "/"), ("/v1/a", "/v1/a/"), ("/v1/a/", "/v1/a/"), ("/a%20b", "/a%20b/"), ("/a:b", "/a%3Ab/"), ("/~a", "/~a/")]


@pytest.mark.parametrize(("path", "canonical"), PATHS)
def test_canonical_path(path: str, canonical: str) -> None:
    assert canonical_path(path) == canonical


QUERIES = [("", ""), ("b=2&a=1", "a=1&b=2"), ("a=2&a=1", "a=1&a=2"), ("a=", "a="), ("a=x+y", "a=x%20y"), ("t=1:2", "t=1%3A2")]


@pytest.mark.parametrize(("query", "canonical"), QUERIES)
def test_canonical_query(query: str, canonical: str) -> None:
    assert canonical_query(query) == canonical
