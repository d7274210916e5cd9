"""Console output of servers (ECS API reference 6.14)."""

from __future__ import annotations

from ecs_operator.cloud.session import Session


class Consoles:
    """Console output. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
