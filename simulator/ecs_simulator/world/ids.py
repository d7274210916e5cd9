"""Ids and chance, drawn from a seed: the same seed and the same calls give the same world."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass


@dataclass(slots=True)
class Ids:
    """A source of ids. Each draw is a hash of the seed and of how many were drawn before it."""

    seed: int
    drawn: int = 0

    def uuid(self) -> str:
        """Return a random-looking UUID of version 4."""
        return str(uuid.UUID(bytes=self._bytes()[:16], version=4))

    def hexadecimal(self) -> str:
        """Return 32 hexadecimal digits, the form of project and user ids."""
        return self._bytes()[:16].hex()

    def job(self) -> str:
        """Return the id of a job, in the form of the reference's examples."""
        return "ff808082" + self._bytes()[:12].hex()

    def mac(self) -> str:
        """Return a hardware address with the prefix of virtual interfaces."""
        return "fa:16:3e:" + ":".join(f"{byte:02x}" for byte in self._bytes()[:3])

    def text(self, length: int) -> str:
        """Return letters and digits, for generated secrets."""
        letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
        return "".join(letters[byte % len(letters)] for byte in (self._bytes() + self._bytes())[:length])

    def fraction(self) -> float:
        """Return a number from 0 up to 1."""
        return int.from_bytes(self._bytes()[:6], "big") / 2**48

    def _bytes(self) -> bytes:
        self.drawn += 1
        return hashlib.sha256(f"{self.seed}/{self.drawn}".encode()).digest()
