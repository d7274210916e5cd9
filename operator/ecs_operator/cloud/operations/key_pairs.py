"""SSH key pairs (ECS API reference 6.11.1 to 6.11.4)."""

from __future__ import annotations

from ecs_operator.cloud.session import Session


class KeyPairs:
    """Operations on key pairs. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
