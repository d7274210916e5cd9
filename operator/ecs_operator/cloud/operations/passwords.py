"""Passwords that servers made themselves (ECS API reference 6.11.5, 6.11.6)."""

from __future__ import annotations

from ecs_operator.cloud.session import Session


class ServerPasswords:
    """Passwords of servers. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
