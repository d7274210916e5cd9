"""Which servers a list shows, and in which order (ECS API reference, tables 6-31 and 6-36)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from ecs_operator.cloud.operation import Operation
from ecs_operator.cloud.operations.checks import check

STATUSES = frozenset(
    {"ACTIVE", "BUILD", "ERROR", "HARD_REBOOT", "MIGRATING", "REBOOT", "REBUILD", "RESIZE", "REVERT_RESIZE", "SHUTOFF", "VERIFY_RESIZE"}
)
_SORT_KEYS = (
    *("created_at", "availability_zone", "display_name", "host", "instance_type_id", "key_name", "project_id", "user_id", "updated_at"),
    *("uuid", "vm_state"),
)
_MORE_SORT_KEYS = (
    *("auto_disk_config", "display_description", "host_name", "image_ref", "kernel_id", "launch_index", "launched_at", "locked_by", "node"),
    *("power_state", "ramdisk_id", "reservation_id", "root_device_name", "task_state", "terminated_at"),
)
SORT_KEYS: Mapping[str, frozenset[str]] = {"6.2.4": frozenset(_SORT_KEYS), "6.2.5": frozenset((*_SORT_KEYS, *_MORE_SORT_KEYS))}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFilter:
    """Which servers; everything given must hold. ``flavor``, ``name`` and ``ip`` are matched by a part of the value.

    ``changes_since`` is ISO 8601: what changed after it, deleted servers too. ``image`` excludes all the others. ``tags`` are those a
    server has, ``not_tags`` those it does not have all of. ``reservation_id`` is what several servers were created with (6.2.1).
    ``sort_key`` orders them, the greatest first; without it the newest come first.
    """

    changes_since: str | None = None
    image: str | None = None
    flavor: str | None = None
    name: str | None = None
    status: str | None = None
    tags: tuple[str, ...] = ()
    not_tags: tuple[str, ...] = ()
    reservation_id: str | None = None
    ip: str | None = None
    sort_key: str | None = None

    def query(self, operation: Operation) -> dict[str, str]:
        """The parameters of a list. Raises CloudError (not sent, invalid) that names the one that is wrong."""
        given = {field.name: getattr(self, field.name) for field in fields(self) if getattr(self, field.name) not in (None, ())}
        for name, value in given.items():
            check(operation, _alias(name), "must not be empty", holds=all([value] if isinstance(value, str) else value))
        check(operation, "image", "excludes all other filters", holds=self.image is None or set(given) == {"image"})
        check(operation, "status", f"one of {', '.join(sorted(STATUSES))}", holds=self.status is None or self.status in STATUSES)
        known = SORT_KEYS[operation.section]
        check(operation, "sort_key", f"one of {', '.join(sorted(known))}", holds=self.sort_key is None or self.sort_key in known)
        for name in ("tags", "not_tags"):
            check(operation, _alias(name), "no commas within a tag", holds=not any("," in tag for tag in given.get(name, ())))
        return {_alias(name): value if isinstance(value, str) else ",".join(value) for name, value in given.items()}


def _alias(name: str) -> str:
    return {"changes_since": "changes-since", "not_tags": "not-tags"}.get(name, name)
