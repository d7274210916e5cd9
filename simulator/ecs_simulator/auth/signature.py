"""Verification of ``SDK-HMAC-SHA256`` request signatures, as the vendor's public signing guide describes them.

string to sign  = algorithm LF X-Sdk-Date LF hex(sha256(canonical request))
canonical request = method LF URI ending in "/" LF sorted query LF "name:value" LF … LF LF signed names LF hex(sha256(body))
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote_to_bytes

ALGORITHM = "SDK-HMAC-SHA256"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
MAX_SKEW = 15 * 60
# Section 4.2: signed requests have bodies of up to 12 MB.
MAX_SIGNED_BODY = 12 * 1024 * 1024
# What a signature must vouch for at the least: when and to whom the request was sent.
REQUIRED_HEADERS = ("host", "x-sdk-date")

_AUTHORIZATION = re.compile(rf"{ALGORITHM} +Access=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{{64}})")


class SignatureError(ValueError):
    """The signature does not hold; the text says why without giving anything away."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parts of the Authorization header."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(value: str) -> Authorization:
    """Take an Authorization header apart; SignatureError if it is of another form."""
    found = _AUTHORIZATION.fullmatch(value.strip())
    if found is None:
        raise SignatureError("the Authorization header is malformed")
    signed = tuple(found[2].split(";"))
    if any(name != name.lower() or not name for name in signed) or list(signed) != sorted(set(signed)):
        raise SignatureError("SignedHeaders must be lower-case, sorted and unique")
    return Authorization(access_key=found[1], signed_headers=signed, signature=found[3])


def verify(
    authorization: Authorization,
    *,
    secret_key: str,
    method: str,
    raw_path: str,
    raw_query: str,
    headers: Mapping[str, str],
    body: bytes,
    now: float,
) -> None:
    """Check age and signature of a request; SignatureError if either does not hold. ``now`` is epoch seconds of the gateway's clock.

    ``headers`` has lower-case names; ``raw_path`` and ``raw_query`` are as they came over the wire.
    """
    for name in REQUIRED_HEADERS:
        if name not in authorization.signed_headers:
            raise SignatureError(f"header {name} must be signed")
    for name in authorization.signed_headers:
        if name not in headers:
            raise SignatureError(f"signed header {name} is missing")
    if "x-security-token" in headers and "x-security-token" not in authorization.signed_headers:
        raise SignatureError("header x-security-token must be signed")
    if len(body) > MAX_SIGNED_BODY:
        raise SignatureError("the body of a signed request is limited to 12 MB")
    stamp = headers["x-sdk-date"]
    if abs(_epoch(stamp) - now) > MAX_SKEW:
        raise SignatureError("x-sdk-date is more than 15 minutes off")
    digest = hashlib.sha256(body).hexdigest()
    if headers.get("x-sdk-content-sha256", digest).lower() != digest:
        raise SignatureError("x-sdk-content-sha256 is not the hash of the body")
    request = canonical_request(
        method=method,
        raw_path=raw_path,
        raw_query=raw_query,
        headers=headers,
        signed_headers=authorization.signed_headers,
        body_digest=digest,
    )
    expected = sign(string_to_sign(request, stamp), secret_key)
    if not hmac.compare_digest(expected, authorization.signature):
        raise SignatureError("verify aksk signature fail")


def canonical_request(
    *, method: str, raw_path: str, raw_query: str, headers: Mapping[str, str], signed_headers: tuple[str, ...], body_digest: str
) -> str:
    """Return the text whose hash is signed."""
    lines = [f"{name}:{headers[name].strip()}\n" for name in signed_headers]
    return "\n".join(
        [method.upper(), canonical_uri(raw_path), canonical_query(raw_query), "".join(lines), ";".join(signed_headers), body_digest]
    )


def canonical_uri(raw_path: str) -> str:
    """Return the path encoded anew, with a slash at its end, which the request itself need not have."""
    path = quote(_decode(raw_path), safe="/-_.~")
    return path if path.endswith("/") else path + "/"


def canonical_query(raw_query: str) -> str:
    """Return the parameters encoded anew and sorted by name, then value; one without value gets an equals sign."""
    pairs = []
    for part in raw_query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((_decode(name.replace("+", " ")), _decode(value.replace("+", " "))))
    return "&".join(f"{_encode(name)}={_encode(value)}" for name, value in sorted(pairs))


def string_to_sign(request: str, stamp: str) -> str:
    """Return what the secret key signs."""
    return f"{ALGORITHM}\n{stamp}\n{hashlib.sha256(request.encode()).hexdigest()}"


def sign(text: str, secret_key: str) -> str:
    """Return the signature in lower-case hexadecimal."""
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _epoch(stamp: str) -> float:
    try:
        return datetime.strptime(stamp, DATE_FORMAT).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise SignatureError("x-sdk-date is not of the form YYYYMMDDTHHMMSSZ") from error


def _encode(text: bytes) -> str:
    return quote(text, safe="-_.~")


def _decode(text: str) -> bytes:
    return unquote_to_bytes(text)
