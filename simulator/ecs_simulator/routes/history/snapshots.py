"""ECS API reference 11.6: snapshots. Nova took these away after microversion 2.35."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes import stamps
from ecs_simulator.routes.answering import cause_of, until
from ecs_simulator.routes.fields import Fields
from ecs_simulator.world import snapshots
from ecs_simulator.world.resources import Snapshot

_SNAPSHOTS = "/v2.1/{project_id}/os-snapshots"
_SNAPSHOT = f"{_SNAPSHOTS}/{{snapshot_id}}"
_LAST = (2, 35)
_FIELDS = frozenset({"volume_id", "display_name", "display_description", "force"})
_MAX_BYTES = 255


def create_snapshot(call: Call) -> Reply:
    """11.6.1."""
    wanted = Fields.of(call.body, "snapshot")
    wanted.only(_FIELDS)
    name, description = wanted.text("display_name") or "", wanted.text("display_description")
    for field, text in (("display_name", name), ("display_description", description or "")):
        if len(text.encode("utf-8", "surrogatepass")) > _MAX_BYTES:
            raise wanted.bad(field, f"is longer than {_MAX_BYTES} bytes")
    if name.startswith(snapshots.RESERVED_PREFIX):
        raise wanted.bad("display_name", f"must not begin with {snapshots.RESERVED_PREFIX}")
    made = snapshots.create(
        call.world,
        call.project,
        volume_id=wanted.need_text("volume_id"),
        name=name,
        description=description,
        force=bool(wanted.flag("force")),
        cause=cause_of(call),
    )
    return Reply(200, {"snapshot": _row(made)})


def show_snapshot(call: Call) -> Reply:
    """11.6.2."""
    return Reply(200, {"snapshot": _row(snapshots.snapshot(call.project, call.path["snapshot_id"]))})


def delete_snapshot(call: Call) -> Reply:
    """11.6.3."""
    snapshots.delete(call.world, call.project, snapshots.snapshot(call.project, call.path["snapshot_id"]), cause=cause_of(call))
    return Reply(202)


def _row(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "id": snapshot.id,
        "status": snapshot.status,
        "displayName": snapshot.name,
        "displayDescription": snapshot.description,
        "createdAt": stamps.microseconds(snapshot.created),
        "volumeId": snapshot.volume_id,
        "size": snapshot.size,
    }


OPERATIONS = (
    Operation("11.6.1", "createSnapshot", "POST", _SNAPSHOTS, until(_LAST, create_snapshot)),
    Operation("11.6.2", "showSnapshot", "GET", _SNAPSHOT, until(_LAST, show_snapshot)),
    Operation("11.6.3", "deleteSnapshot", "DELETE", _SNAPSHOT, until(_LAST, delete_snapshot)),
)
