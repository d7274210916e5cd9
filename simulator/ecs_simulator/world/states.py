"""The three states of a server and how they go together (ECS API reference A.3, table A-4)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_REBUILDING = ("rebuilding", "rebuild_block_device_mapping", "rebuild_spawning")
_ROWS: tuple[tuple[str, str, tuple[str | None, ...]], ...] = (
    ("building", "BUILD", ("scheduling", "block_device_mapping", "networking", "spawning", None)),
    ("active", "REBOOT", ("rebooting", "reboot_pending", "reboot_started")),
    ("active", "HARD_REBOOT", ("rebooting_hard", "reboot_pending_hard", "reboot_started_hard")),
    ("active", "REBUILD", _REBUILDING),
    ("active", "MIGRATING", ("migrating",)),
    ("active", "ACTIVE", ("powering-off", "deleting", None)),
    ("stopped", "RESIZE", ("resize_prep", "resize_migrating", "resize_migrated", "resize_finish")),
    ("stopped", "REBUILD", _REBUILDING),
    ("stopped", "SHUTOFF", ("powering-on", "deleting", None)),
    ("resized", "REVERT_RESIZE", ("resize_reverting",)),
    ("resized", "VERIFY_RESIZE", (None,)),
    ("error", "REBUILD", _REBUILDING),
    ("error", "ERROR", ("deleting", None)),
    ("deleted", "DELETED", (None,)),
    ("shelved", "SHELVED", ("shelving", "shelving_image_pending_upload", "shelving_image_uploading", "unshelving", None)),
    ("shelved_offloaded", "SHELVED_OFFLOADED", ("shelving_offloading", "unshelving", None)),
)

STATUS_TABLE: Mapping[tuple[str, str | None], str] = MappingProxyType(
    {(vm_state, task_state): status for vm_state, status, task_states in _ROWS for task_state in task_states}
)

# 6.2.6: 0 pending, 1 running, 2 paused, 3 shut down, 4 crashed. Nova's own numbers differ.
_POWER: Mapping[str, int] = MappingProxyType(
    {"building": 0, "active": 1, "paused": 2, "stopped": 3, "resized": 3, "error": 4, "deleted": 0}
)


def status_of(vm_state: str, task_state: str | None) -> str:
    """Return the status; UNKNOWN for a pair the table does not list."""
    return STATUS_TABLE.get((vm_state, task_state), "UNKNOWN")


def power_state_of(vm_state: str) -> int:
    """Return the power state as 6.2.6 numbers it."""
    return _POWER.get(vm_state, 0)
