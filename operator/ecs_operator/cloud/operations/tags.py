"""Tags of servers as keys and values (ECS API reference 5.9)."""

from __future__ import annotations

from ecs_operator.cloud.session import Session


class ServerTags:
    """Operations on tags. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
