"""Snapshots of volumes (ECS API reference 11.6, deprecated)."""

from __future__ import annotations

from ecs_operator.cloud.session import Session


class Snapshots:
    """Operations on snapshots. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
