"""SDK-HMAC-SHA256: signing a request with an access key (ECS API reference 4.2; the API signing guide gives the algorithm)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from ecs_operator.cloud.credentials import AccessKey

ALGORITHM = "SDK-HMAC-SHA256"
_SAFE = "-._~"


def sign(*, key: AccessKey, method: str, url: str, headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, str]:
    """The headers that authenticate a request: ``X-Sdk-Date``, ``Authorization``, with temporary keys ``X-Security-Token``.

    ``url`` is the whole address as it is sent. All of ``headers`` are signed, and must reach the server unchanged;
    ``Host`` is added from the address. ``now`` is the cloud's time: it refuses more than 15 minutes of difference.
    """
    parts = urlsplit(url)
    moment = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    added = {"X-Sdk-Date": moment}
    if key.security_token:
        added["X-Security-Token"] = key.security_token
    signed = {"host": parts.netloc} | {name.lower(): value.strip() for name, value in {**headers, **added}.items()}
    names = ";".join(sorted(signed))
    canonical = "\n".join(
        (
            method.upper(),
            canonical_path(parts.path),
            canonical_query(parts.query),
            "".join(f"{name}:{signed[name]}\n" for name in sorted(signed)),
            names,
            hashlib.sha256(body).hexdigest(),
        )
    )
    to_sign = "\n".join((ALGORITHM, moment, hashlib.sha256(canonical.encode()).hexdigest()))
    signature = hmac.new(key.secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return {**added, "Authorization": f"{ALGORITHM} Access={key.access_key}, SignedHeaders={names}, Signature={signature}"}


def canonical_path(path: str) -> str:
    """Every segment encoded once more from its plain form; always with a slash at the end."""
    encoded = "/".join(quote(unquote(segment), safe=_SAFE) for segment in path.split("/"))
    return encoded if encoded.endswith("/") else f"{encoded}/"


def canonical_query(query: str) -> str:
    """Parameters sorted by name, then by value."""
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{quote(name, safe=_SAFE)}={quote(value, safe=_SAFE)}" for name, value in pairs)
