"""Automatic recovery of servers (ECS API reference 11.1, deprecated)."""

from __future__ import annotations

from ecs_operator.cloud.session import Session


class AutoRecovery:
    """Automatic recovery. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
