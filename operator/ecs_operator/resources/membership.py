"""How a server lets its group know that it joined or left: the kinds do not import each other."""

from __future__ import annotations

from ecs_operator.api.group import SERVER_GROUP
from ecs_operator.engine.objects import ObjectKey


def members_of(namespace: str, group: str) -> ObjectKey:
    """What an EcsServerGroup waits for, and an EcsServer in it wakes.

    It is not the group's own key: every write of the group's status would wake that.
    """
    return ObjectKey(f"{SERVER_GROUP.plural}/members", namespace, group)
