"""A server group as both families read and show it (ECS API reference 5.10, 6.12)."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world.resources import ServerGroup

_MAX_NAME_BYTES = 255


def wanted(call: Call) -> tuple[str, list[str]]:
    """Return name and policies of a group that is to be made (tables 5-88 and 6-197)."""
    group = Fields.of(call.body, "server_group")
    name = group.need_text("name")
    if len(name.encode()) > _MAX_NAME_BYTES:
        raise group.bad("name", f"is longer than {_MAX_NAME_BYTES} bytes")
    policies = group.data.get("policies")
    if not isinstance(policies, list) or not all(isinstance(policy, str) for policy in policies):
        raise group.bad("policies", "is missing or no list of texts")
    return name, policies


def row(group: ServerGroup) -> dict[str, Any]:
    """Return a group as 5.10 shows it."""
    return {"id": group.id, "name": group.name, "policies": list(group.policies), "members": list(group.members), "metadata": {}}
