"""Verification of ``SDK-HMAC-SHA256`` request signatures, as the vendor's public signing guide describes them.

string to sign  = algorithm LF X-Sdk-Date LF hex(sha256(canonical request))
canonical request = method LF URI ending in "/" LF sorted query LF "name:value" LF … LF LF signed names LF hex(sha256(body))

Where the guide leaves something open the stricter reading is taken: a client that passes here passes everywhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
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
# What it must vouch for if it is there: by whose leave, and for which project.
_TELLING_HEADERS = ("x-security-token", "x-project-id", "x-domain-id", "x-sdk-content-sha256")

_AUTHORIZATION = re.compile(rf"{ALGORITHM} +Access=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{{64}})")
# What HTTP allows around a value. Python would also strip bytes that are halves of letters.
_BLANKS = " \t"
_STAMP = re.compile(r"[0-9]{8}T[0-9]{6}Z")


class SignatureError(ValueError):
    """The signature does not hold; the text says why without giving anything away."""


class ForgedError(SignatureError):
    """The signature is well formed and in time, but it is another than the secret key makes."""


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
    repeated: Collection[str] = (),
) -> None:
    """Check age and signature of a request; SignatureError if either does not hold. ``now`` is epoch seconds of the gateway's clock.

    ``headers`` has lower-case names and the bytes of the wire as Latin-1; ``raw_path`` and ``raw_query`` are as they came over the
    wire. ``repeated`` names the headers that came more than once: what was signed of them nobody knows.
    """
    _check_headers(authorization.signed_headers, headers, repeated)
    if len(body) > MAX_SIGNED_BODY:
        raise SignatureError("the body of a signed request is limited to 12 MB")
    stamp = headers["x-sdk-date"].strip(_BLANKS)
    if abs(_epoch(stamp) - now) > MAX_SKEW:
        raise SignatureError("x-sdk-date is more than 15 minutes off")
    digest = hashlib.sha256(body).hexdigest()
    if headers.get("x-sdk-content-sha256", digest).strip(_BLANKS) != digest:
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
        raise ForgedError("verify aksk signature fail")


def _check_headers(signed: tuple[str, ...], headers: Mapping[str, str], repeated: Collection[str]) -> None:
    needed = (*REQUIRED_HEADERS, *(name for name in _TELLING_HEADERS if name in headers))
    for name in needed:
        if name not in signed:
            raise SignatureError(f"header {name} must be signed")
    for name in signed:
        if name not in headers:
            raise SignatureError(f"signed header {name} is missing")
        if name in repeated:
            raise SignatureError(f"signed header {name} was sent more than once")


def canonical_request(
    *, method: str, raw_path: str, raw_query: str, headers: Mapping[str, str], signed_headers: tuple[str, ...], body_digest: str
) -> bytes:
    """Return what is hashed and signed. Values of headers lose the spaces around them and are otherwise taken as they came."""
    lines = [f"{name}:{headers[name].strip(_BLANKS)}\n" for name in signed_headers]
    parts = [method, canonical_uri(raw_path), canonical_query(raw_query), "".join(lines), ";".join(signed_headers), body_digest]
    # Latin-1 gives back the bytes of the wire, whatever they mean; everything else here is ASCII.
    return "\n".join(parts).encode("latin-1")


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


def string_to_sign(request: bytes, stamp: str) -> str:
    """Return what the secret key signs."""
    return f"{ALGORITHM}\n{stamp}\n{hashlib.sha256(request).hexdigest()}"


def sign(text: str, secret_key: str) -> str:
    """Return the signature in lower-case hexadecimal."""
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _epoch(stamp: str) -> float:
    # What strptime alone would let through: fewer digits, and those of other scripts.
    if _STAMP.fullmatch(stamp) is None:
        raise SignatureError("x-sdk-date is not of the form YYYYMMDDTHHMMSSZ")
    try:
        return datetime.strptime(stamp, DATE_FORMAT).replace(tzinfo=UTC).timestamp()
    except ValueError as error:
        raise SignatureError("x-sdk-date is not of the form YYYYMMDDTHHMMSSZ") from error


def _encode(text: bytes) -> str:
    return quote(text, safe="-_.~")


def _decode(text: str) -> bytes:
    return unquote_to_bytes(text)
