"""The process's logging is left as it was found."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

_SET = ("", "kopf", "kopf.objects", "kopf._core.reactor.running", "httpx", "httpcore", "aiohttp.access", "asyncio")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    levels = {name: logging.getLogger(name).level for name in _SET}
    handlers = list(logging.getLogger().handlers)
    yield
    logging.getLogger().handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
