"""Security groups, their rules, and the servers they protect (ECS API reference 6.5, 11.3)."""

from __future__ import annotations

from ecs_operator.cloud.session import Session


class SecurityGroups:
    """Operations on security groups. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
