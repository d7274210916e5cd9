"""Naming things by URL: Nova takes the id of an image or flavor, or a link to it."""

from __future__ import annotations


def last_segment(reference: str) -> str:
    """Return the id of what is named by its id or its URL."""
    return reference.rstrip("/").rpartition("/")[2]
