"""Server groups, native (ECS API reference 6.12)."""

from __future__ import annotations

from ecs_operator.cloud.session import Session


class NativeServerGroups:
    """Native operations on server groups. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
