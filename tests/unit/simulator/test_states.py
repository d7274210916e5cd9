"""Table A-4: vm_state and task_state to status. Written down here once more from the reference."""

from __future__ import annotations

import pytest

from ecs_simulator.world.states import STATUS_TABLE, power_state_of, status_of

A4 = {
    "BUILD": [("building", "scheduling block_device_mapping networking spawning -")],
    "REBOOT": [("active", "rebooting reboot_pending reboot_started")],
    "HARD_REBOOT": [("active", "rebooting_hard reboot_pending_hard reboot_started_hard")],
    "REBUILD": [(state, "rebuilding rebuild_block_device_mapping rebuild_spawning") for state in ("active", "stopped", "error")],
    "MIGRATING": [("active", "migrating")],
    "ACTIVE": [("active", "powering-off deleting -")],
    "RESIZE": [("stopped", "resize_prep resize_migrating resize_migrated resize_finish")],
    "SHUTOFF": [("stopped", "powering-on deleting -")],
    "REVERT_RESIZE": [("resized", "resize_reverting")],
    "VERIFY_RESIZE": [("resized", "-")],
    "ERROR": [("error", "deleting -")],
    "DELETED": [("deleted", "-")],
    "SHELVED": [("shelved", "shelving shelving_image_pending_upload shelving_image_uploading unshelving -")],
    "SHELVED_OFFLOADED": [("shelved_offloaded", "shelving_offloading unshelving -")],
}
PAIRS = [
    (vm_state, None if task == "-" else task, status) for status, rows in A4.items() for vm_state, tasks in rows for task in tasks.split()
]


@pytest.mark.parametrize(("vm_state", "task_state", "status"), PAIRS)
def test_a_listed_pair(vm_state: str, task_state: str | None, status: str) -> None:
    assert status_of(vm_state, task_state) == status


def test_nothing_else_is_listed() -> None:
    assert len(STATUS_TABLE) == len(PAIRS)


@pytest.mark.parametrize(("vm_state", "task_state"), [("building", "deleting"), ("stopped", "rebooting"), ("paused", None), ("", None)])
def test_an_unlisted_pair(vm_state: str, task_state: str | None) -> None:
    assert status_of(vm_state, task_state) == "UNKNOWN"


@pytest.mark.parametrize(("vm_state", "power"), [("building", 0), ("active", 1), ("stopped", 3), ("error", 4)])
def test_power(vm_state: str, power: int) -> None:
    assert power_state_of(vm_state) == power
