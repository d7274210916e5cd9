"""A fresh world for every test."""

from __future__ import annotations

import pytest

from tests.unit.simulator.stage import Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()
