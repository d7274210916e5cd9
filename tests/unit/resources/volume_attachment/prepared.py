"""A volume and two servers in a cloud in memory, and one EcsVolumeAttachment: what the tests of this kind begin with."""

from __future__ import annotations

from typing import Any

from ecs_operator.api.group import SERVER, VOLUME_ATTACHMENT
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.resources.volume_attachment.reconciler import VolumeAttachmentReconciler
from tests.fakes.stage import Stage

KEY = ObjectKey(VOLUME_ATTACHMENT.plural, "shop", "data")
WEB_0 = ObjectKey(SERVER.plural, "shop", "web-0")
BUILT = {"id": "server-1", "serverStatus": "ACTIVE", "project": "lab"}


def build(stage: Stage) -> VolumeAttachmentReconciler:
    return VolumeAttachmentReconciler(stage.desk)


def prepared(**spec: Any) -> Stage:
    stage = Stage(build)
    stage.cloud.add_server("server-1")
    stage.cloud.add_server("server-2")
    stage.cloud.add_volume("volume-1")
    wanted = {"serverId": "server-1", "volumeId": "volume-1", **spec}
    stage.store.create(KEY.resource, KEY.name, {key: value for key, value in wanted.items() if value is not None}, namespace=KEY.namespace)
    return stage


def with_server(**spec: Any) -> Stage:
    """The attachment names EcsServer web-0, which is server-1."""
    stage = prepared(serverRef={"name": "web-0"}, serverId=None)
    stage.store.create(WEB_0.resource, WEB_0.name, spec, namespace="shop", status=BUILT)
    return stage


def another(stage: Stage, name: str, **spec: Any) -> ObjectKey:
    """One more EcsVolumeAttachment."""
    wanted = {"serverId": "server-1", "volumeId": "volume-1", **spec}
    key = ObjectKey(KEY.resource, "shop", name)
    stage.store.create(key.resource, key.name, {field: value for field, value in wanted.items() if value is not None}, namespace="shop")
    return key


def server_of(stage: Stage) -> tuple[str, ...]:
    return stage.cloud.volume_rows["volume-1"].server_ids


async def attached(stage: Stage) -> None:
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available"), stage.status(KEY)


async def removed(stage: Stage) -> None:
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert server_of(stage) == ()
    assert stage.cloud.volume_rows["volume-1"].status == "available"
