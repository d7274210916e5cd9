"""What objects wait for across kinds, by key: the kinds do not import each other. Some are keys that no object can have."""

from __future__ import annotations

from ecs_operator.api.group import PROJECT, SERVER_GROUP
from ecs_operator.engine.objects import ObjectKey


def project_key(name: str) -> ObjectKey:
    """An EcsProject: what the objects in it wait for."""
    return ObjectKey(PROJECT.plural, "", name)


def alarm_key(project: str) -> ObjectKey:
    """What the EcsProject itself waits for while most of its servers are absent."""
    return ObjectKey("absences", "", project)


def members_of(namespace: str, group: str) -> ObjectKey:
    """What an EcsServerGroup waits for, and an EcsServer in it wakes.

    It is not the group's own key: every write of the group's status would wake that.
    """
    return ObjectKey(f"{SERVER_GROUP.plural}/members", namespace, group)


def turn_key(uid: str) -> ObjectKey:
    """What an object waits for until its creation may begin."""
    return ObjectKey("creations", "", uid)
