"""The operator's definitions and rights on a real API server."""

from __future__ import annotations

import pytest_asyncio

from ecs_lab.control_plane import ControlPlane
from ecs_lab.installation import install


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def installed(control_plane: ControlPlane) -> ControlPlane:
    """A control plane with crds/ and the rights of manifests/base."""
    await install(control_plane)
    return control_plane
