"""Floating IPs (ECS API reference 11.5, deprecated)."""

from __future__ import annotations

from ecs_operator.cloud.session import Session


class FloatingIps:
    """Operations on floating IPs. All raise CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session
