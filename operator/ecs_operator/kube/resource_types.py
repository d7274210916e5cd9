"""The kinds the adapter is asked about: where each is served. The caller brings the table; the adapter knows no kind by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ecs_operator.engine.objects import ObjectKey


@dataclass(frozen=True, slots=True)
class ResourceType:
    """One kind of custom resource."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def api_version(self) -> str:
        """What stands in ``apiVersion``."""
        return f"{self.group}/{self.version}"

    def collection(self, namespace: str | None = None) -> str:
        """Path of the list: of one namespace, or of the whole cluster."""
        inside = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"/apis/{self.group}/{self.version}{inside}/{self.plural}"

    def path(self, key: ObjectKey, *, subresource: str = "") -> str:
        """Path of one object."""
        end = f"/{subresource}" if subresource else ""
        return f"{self.collection(key.namespace)}/{key.name}{end}"


def by_plural(types: Iterable[ResourceType]) -> Mapping[str, ResourceType]:
    """The table by ``ObjectKey.resource``."""
    return {each.plural: each for each in types}
