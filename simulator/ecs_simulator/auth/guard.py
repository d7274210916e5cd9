"""The lock on access keys that are tried out: after more than five bad signatures in a row a key is refused for five minutes.

So says the vendor's public documentation; the reference does not know of it. ``accessKeyLock`` of ``POST /_sim/behaviour`` switches it on.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from ecs_simulator.auth.signature import SignatureError

ALLOWED = 5
LOCKED_SECONDS = 300.0
# Only keys that exist are counted, but of those there may be many.
MAX_KEYS = 10_000


@dataclass(slots=True)
class _Record:
    failures: int = 0
    locked_until: float | None = None


class KeyGuard:
    """Counts the bad signatures in a row of each access key. Times are epoch seconds of the world."""

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def require_unlocked(self, access_key: str, *, now: float) -> None:
        """Refuse a key that is locked, whatever it is used with; SignatureError. When the lock ends, counting begins anew."""
        record = self._records.get(access_key)
        if record is None or record.locked_until is None:
            return
        if now < record.locked_until:
            raise SignatureError("AK access failed to reach the limit,forbidden")
        del self._records[access_key]

    def failed(self, access_key: str, *, now: float) -> None:
        """Count a bad signature."""
        record = self._records.setdefault(access_key, _Record())
        record.failures += 1
        if record.failures > ALLOWED:
            record.locked_until = now + LOCKED_SECONDS
        while len(self._records) > MAX_KEYS:
            self._records.popitem(last=False)

    def succeeded(self, access_key: str) -> None:
        """Forget the failures before."""
        self._records.pop(access_key, None)
