"""Operating systems and hosts of servers (ECS API reference 5.2.1 to 5.2.3)."""

from __future__ import annotations

from ecs_operator.cloud.session import Session


class ServerSystems:
    """What servers run and where. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
