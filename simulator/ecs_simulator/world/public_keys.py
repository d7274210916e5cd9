"""Public keys as OpenSSH writes them: reading one, and its fingerprint."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator
from types import MappingProxyType

_FIELDS = MappingProxyType(
    {
        "ssh-rsa": 3,
        "ssh-dss": 5,
        "ssh-ed25519": 2,
        "ecdsa-sha2-nistp256": 3,
        "ecdsa-sha2-nistp384": 3,
        "ecdsa-sha2-nistp521": 3,
        "sk-ssh-ed25519@openssh.com": 3,
        "sk-ecdsa-sha2-nistp256@openssh.com": 4,
    }
)
"""How many fields a key of a type has, the name of its type included (RFC 4253, 5656, 8709)."""


def fields_of(public_key: str) -> list[bytes]:
    """Return the fields of a public key, the first of which is its type; ValueError says why it is none."""
    kind, _, rest = public_key.strip().partition(" ")
    if kind not in _FIELDS:
        raise ValueError("it is of no known type")
    fields = list(_split(_decode(rest)))
    if len(fields) != _FIELDS[kind] or fields[0] != kind.encode() or not all(fields):
        raise ValueError("it does not hold what its type needs")
    return fields


def fingerprint(public_key: str) -> str:
    """Return the MD5 of a public key, as Nova shows it; ValueError says why it is none."""
    fields_of(public_key)
    blob = _decode(public_key.strip().partition(" ")[2])
    return colons(hashlib.md5(blob, usedforsecurity=False).digest())


def colons(digest: bytes) -> str:
    """Write a digest as fingerprints are written."""
    return ":".join(f"{byte:02x}" for byte in digest)


def nobodys(chance: str) -> str:
    """Return a public key in the right form that nobody has the private half of."""
    blob = b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-ed25519", hashlib.sha256(chance.encode()).digest()))
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} simulated"


def _decode(rest: str) -> bytes:
    """Return what stands in base64 between type and comment."""
    try:
        return base64.b64decode(next(iter(rest.split()), ""), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is no base64") from None


def _split(blob: bytes) -> Iterator[bytes]:
    """Yield the fields: each has its length in four bytes before it."""
    place = 0
    while place < len(blob):
        end = place + 4 + int.from_bytes(blob[place : place + 4], "big")
        if end > len(blob):
            raise ValueError("it is cut off")
        yield blob[place + 4 : end]
        place = end
