"""Which objects use an EcsProject: as long as there is one, its connection is needed, to delete what they have in the cloud."""

from __future__ import annotations

from collections.abc import Sequence

from ecs_operator.api.group import KINDS, PROJECT
from ecs_operator.engine.objects import KubeObject
from ecs_operator.engine.ports import KubeStore
from ecs_operator.resources.naming import named


async def users_of(store: KubeStore, project: str) -> Sequence[KubeObject]:
    """All objects of the project, or that name it and have not begun. Raises StoreError."""
    found: list[KubeObject] = []
    for kind in KINDS:
        if kind is not PROJECT:
            found += [each for each in await store.list(kind.plural) if uses(each, project)]
    return sorted(found, key=lambda each: each.key)


def uses(obj: KubeObject, project: str) -> bool:
    """The object is in the project, or will be unless somebody changes it."""
    pinned = obj.status.get("project")
    if pinned is not None:
        return bool(pinned == project)
    return not obj.is_deleting and (obj.spec.get("projectRef") or {}).get("name") == project


def listed(users: Sequence[KubeObject]) -> str:
    """A few of them by name, and how many more there are."""
    return named([f"{each.kind} {each.key.namespace}/{each.key.name}" for each in users])
