"""Following the links of lists that come in pages."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs, urlsplit

from ecs_operator.cloud.models.catalog import Link


def next_marker(links: Iterable[Link]) -> str:
    """The marker of the next page. Only that is taken from the link: where calls go is not the cloud's to say."""
    href = next((link.href for link in links if link.rel == "next"), "")
    return next(iter(parse_qs(urlsplit(href).query).get("marker", ())), "")
