"""Examples that are no request or response of their own, and why. Everything else in the reference's examples is replayed."""

from __future__ import annotations

from collections.abc import Mapping

FRAGMENTS: Mapping[tuple[str, str, int], str] = {
    (
        "6.11.4",
        "request",
        0,
    ): "the heading of 6.11.4 is missing from the text: these are the requests of 6.11.3 once more; a DELETE has no body",
    ("6.11.4", "request", 1): "the same",
    (
        "11.2.2",
        "response",
        1,
    ): "decided, 11.2.2: one object under image, whose brace closes too early, where the list of the other example is due",
}
