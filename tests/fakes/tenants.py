"""A TenantDirectory of one tenant."""

from __future__ import annotations

from ecs_operator.resources.tenancy import Tenant, TenantUnavailable


class OneTenant:
    """Gives the same answer to all; set ``answer`` to something else to take the project away."""

    def __init__(self, answer: Tenant | TenantUnavailable) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str | None, str | None]] = []

    async def find(self, *, namespace: str, project_ref: str | None, pinned: str | None) -> Tenant | TenantUnavailable:
        self.asked.append((namespace, project_ref, pinned))
        return self.answer
