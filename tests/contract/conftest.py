"""A fresh simulated cloud for every test that asks for one."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.contract.stage import Lab, frozen_lab


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with frozen_lab() as lab:
        yield lab
