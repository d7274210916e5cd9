"""The Date header of answers: clients learn from it how wrong their own clock is."""

from __future__ import annotations

from email.utils import formatdate


class HttpDate:
    """Formats a time for HTTP, once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = b""

    def at(self, epoch: float) -> bytes:
        """Return the header's value for a time in epoch seconds."""
        second = int(epoch)
        if second != self._second:
            self._second = second
            self._text = formatdate(second, usegmt=True).encode("ascii")
        return self._text
