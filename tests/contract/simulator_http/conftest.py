"""A fresh simulator for every test."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest_asyncio

from tests.contract.simulator_http.stage import Lab, running


@pytest_asyncio.fixture
async def lab() -> AsyncGenerator[Lab, None]:
    async with running() as lab:
        yield lab


@pytest_asyncio.fixture
async def user(lab: Lab) -> Lab:
    await lab.log_in()
    return lab
