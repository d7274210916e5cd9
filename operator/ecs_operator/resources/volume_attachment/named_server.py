"""The EcsServer that an attachment names: what it wants and what is done to it decides what an attachment may do."""

from __future__ import annotations

from ecs_operator.api.group import SERVER
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.resources.volume_attachment.operation import AttachmentVisit
from ecs_operator.resources.volume_attachment.steps import NamedServer


def server_key(visit: AttachmentVisit) -> ObjectKey | None:
    """The EcsServer that the spec names."""
    return ObjectKey(SERVER.plural, visit.obj.key.namespace, visit.spec.server_ref.name) if visit.spec.server_ref else None


async def named_server(visit: AttachmentVisit, *, server_id: str) -> NamedServer | None:
    """The EcsServer, if the spec names one and it stands for this server now. Raises StoreError."""
    key = server_key(visit)
    obj = await visit.desk.store.get(key) if key else None
    return seen_as(obj) if obj is not None and obj.status.get("id") == server_id else None


def seen_as(obj: KubeObject) -> NamedServer:
    """What matters here of an EcsServer."""
    return NamedServer(obj.key.name, wants_power=obj.spec.get("powerState"), work=work_of(obj), is_deleting=obj.is_deleting)


def work_of(obj: KubeObject) -> str | None:
    """What is being done to its server. What has failed for good, and waits for somebody, holds up nobody."""
    operation, change = obj.status.get("operation"), obj.status.get("change")
    if operation and operation.get("step") != "Failed":
        return str(operation.get("kind"))
    if change and not any(step.get("state") == "Failed" for step in change.get("steps") or ()):
        return "a change of the spec"
    if (obj.status.get("interfaceChange") or {}).get("state") == "Sent":
        return "a change of its interfaces"
    return "its replacement" if obj.status.get("replacement") else None
