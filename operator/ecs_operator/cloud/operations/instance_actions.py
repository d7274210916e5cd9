"""What was done to a server (ECS API reference 6.13)."""

from __future__ import annotations

from ecs_operator.cloud.session import Session


class InstanceActions:
    """What was done to servers. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
