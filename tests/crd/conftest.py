"""The definitions of crds/ on a real API server."""

from __future__ import annotations

import pytest_asyncio

from ecs_lab.control_plane import ControlPlane
from ecs_lab.installation import install_definitions


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(control_plane: ControlPlane) -> ControlPlane:
    """A control plane that serves our kinds."""
    await install_definitions(control_plane)
    return control_plane
