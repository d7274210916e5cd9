"""Tags of servers as texts (ECS API reference 6.15)."""

from __future__ import annotations

from ecs_operator.cloud.session import Session


class NativeTags:
    """Native operations on tags. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
