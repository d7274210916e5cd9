"""Marks of ownership on cloud resources: which object of which cluster a server belongs to, provably (design: lifecycle.md, Names)."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass, field

MARKER_KEY = "ecs-operator.owner"
"""Metadata key of the marker. Reserved: the schema refuses it in a spec."""

_TOKENS = uuid.UUID("6f0b4b1e-3c86-5c0e-9d5e-5c1d3d0a7a11")
_MAC_HEX = 32


@dataclass(frozen=True, slots=True)
class Owner:
    """The object a marker names. ``incarnation`` counts the servers the object has had, from 1."""

    uid: str
    incarnation: int


@dataclass(frozen=True, slots=True)
class ClusterIdentity:
    """Who this cluster is towards the cloud. Made once, kept in a Secret in the operator's namespace."""

    cluster_id: str
    key: bytes = field(repr=False)

    def marker(self, owner: Owner) -> str:
        """Value of the metadata pair: ``<cluster>/<uid>/<incarnation>/<mac>``, at most 255 characters."""
        claim = f"{self.cluster_id}/{owner.uid}/{owner.incarnation}"
        return f"{claim}/{self._mac(claim)}"

    def read(self, marker: str | None) -> Owner | None:
        """The owner a marker names, or None unless it is ours and its mac is good."""
        claim, _, mac = (marker or "").rpartition("/")
        parts = claim.split("/")
        if len(parts) != 3 or parts[0] != self.cluster_id or not parts[2].isdigit():
            return None
        if not hmac.compare_digest(mac.encode(), self._mac(claim).encode()):
            return None
        return Owner(uid=parts[1], incarnation=int(parts[2]))

    def client_token(self, owner: Owner) -> str:
        """The idempotency token of one incarnation's create call: deterministic, so even a lost write yields the same one."""
        return str(uuid.uuid5(_TOKENS, f"{self.cluster_id}/{owner.uid}/{owner.incarnation}"))

    def suffix(self, owner: Owner) -> str:
        """8 hex digits that mark a resource which has nothing but a name."""
        return hashlib.sha256(f"{self.cluster_id}/{owner.uid}/{owner.incarnation}".encode()).hexdigest()[:8]

    def _mac(self, claim: str) -> str:
        return hmac.new(self.key, claim.encode(), hashlib.sha256).hexdigest()[:_MAC_HEX]
