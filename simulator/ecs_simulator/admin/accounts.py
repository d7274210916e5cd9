"""The accounts of a world with everything needed to log in: for ``ecs-simulator env`` and for tests."""

from __future__ import annotations

from typing import Any

from ecs_simulator.world import World


def accounts(world: World, project: str | None) -> list[dict[str, Any]]:
    """Return the accounts, of one project if its id or name is given; LookupError if it is unknown. Holds secrets."""
    found = [
        {
            "projectId": item.id,
            "projectName": item.name,
            "domainName": user.domain_name,
            "username": user.name,
            "password": user.password,
            "accessKey": user.access_keys[0].access_key if user.access_keys else "",
            "secretKey": user.access_keys[0].secret_key if user.access_keys else "",
            "region": world.region,
        }
        for item in world.projects.values()
        if project in {None, item.id, item.name}
        for user in item.users.values()
    ]
    if not found:
        raise LookupError(f"there is no account of project {project}" if project else "there is no account")
    return found
