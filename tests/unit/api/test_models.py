"""The models as the operator uses them: specs are parsed, statuses are built and written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from ecs_operator.api.common import Condition, Job
from ecs_operator.api.project import ProjectSpec
from ecs_operator.api.server import PublicIp, ServerSpec, ServerStatus
from ecs_operator.api.server_group import ServerGroupSpec
from ecs_operator.api.volume_attachment import VolumeAttachmentSpec

_SERVER: dict[str, Any] = {
    "flavor": "s3.large.2",
    "image": {"name": "Ubuntu 24.04 server 64bit"},
    "vpcId": "vpc-1",
    "networkInterfaces": [{"name": "eth0", "subnetId": "subnet-1"}],
    "rootVolume": {"type": "SSD", "sizeGiB": 40},
}


def test_a_spec_is_parsed_with_its_defaults() -> None:
    spec = ServerSpec.model_validate(_SERVER)
    assert (spec.vpc_id, spec.root_volume.size_gib, spec.network_interfaces[0].subnet_id) == ("vpc-1", 40, "subnet-1")
    assert (spec.shutdown.mode, spec.shutdown.timeout_seconds, spec.deletion_policy) == ("Soft", 300, "Delete")
    assert (spec.power_state, spec.project_ref, spec.security_group_ids) == (None, None, None)
    assert (spec.data_volumes, spec.metadata) == ((), {})


def test_the_other_specs_are_parsed_with_their_defaults() -> None:
    assert ServerGroupSpec.model_validate({}).policy == "anti-affinity"
    assert VolumeAttachmentSpec.model_validate({"volumeId": "v-1", "serverId": "s-1"}).detach.mode == "Soft"
    project = ProjectSpec.model_validate(
        {
            "region": "eu-west-0",
            "endpoints": {"ecs": "https://ecs.example.com"},
            "projectId": "p-1",
            "credentials": {"accessKey": {"secretRef": {"name": "ak"}}},
        }
    )
    assert (project.allowed_namespaces.from_, project.create_idempotency, project.resync_period_seconds) == ("All", "Auto", 300)
    assert (project.limits.reads_per_second, project.limits.writes_per_second, project.limits.creates_in_flight) == (20, 10, 50)


def test_what_a_newer_version_stored_is_passed_over() -> None:
    assert ServerSpec.model_validate({**_SERVER, "tags": {"team": "shop"}}).flavor == "s3.large.2"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"flavor": "a/b"}, "flavor"),
        ({"name": "云" + "a" * 128}, "name"),
        ({"name": "a b"}, "name"),
        ({"description": "<b>"}, "description"),
        ({"networkInterfaces": []}, "networkInterfaces"),
        ({"rootVolume": {"type": "NVME"}}, "rootVolume.type"),
        ({"dataVolumes": [{"name": "a", "type": "SSD", "sizeGiB": 9}]}, "dataVolumes.0.sizeGiB"),
    ],
)
def test_bounds_hold_here_too(change: dict[str, Any], field: str) -> None:
    """An object stored before a bound was tightened must not be taken for a good one."""
    with pytest.raises(ValidationError) as refusal:
        ServerSpec.model_validate({**_SERVER, **change})
    assert ".".join(str(step) for step in refusal.value.errors()[0]["loc"]) == field


def test_values_do_not_change() -> None:
    spec = ServerSpec.model_validate(_SERVER)
    with pytest.raises(ValidationError, match="frozen"):
        spec.flavor = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("public_ip", "released"),
    [
        ({"id": "a"}, False),
        ({"id": "a", "deleteWithServer": True}, True),
        ({"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 1}}}, True),
        ({"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 1}}, "deleteWithServer": False}, False),
    ],
)
def test_who_releases_the_public_address(public_ip: dict[str, Any], *, released: bool) -> None:
    assert PublicIp.model_validate(public_ip).released_with_server is released


def test_a_long_text_of_the_cloud_is_cut() -> None:
    job = Job(id="j", fail_reason="x" * 2000, error_code="y" * 200)
    assert (job.fail_reason, job.error_code) == ("x" * 1023 + "…", "y" * 127 + "…")


def test_times_are_written_in_utc() -> None:
    east = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=8)))
    condition = Condition(type="Ready", status="True", last_transition_time=east, reason="Available", message="")
    assert condition.model_dump(mode="json", by_alias=True)["lastTransitionTime"] == "2026-01-01T19:04:05Z"
    with pytest.raises(ValidationError):
        Job(id="j", started_at=datetime(2026, 1, 2))  # noqa: DTZ001 -- a time without zone is the mistake


def test_a_status_is_written_and_read_again() -> None:
    condition = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-02T03:04:05Z", "reason": "Available", "message": ""}
    status = ServerStatus.model_validate({"observedGeneration": -1, "id": "s-1", "conditions": [condition], "newer": 1})
    assert status.model_dump(mode="json", by_alias=True, exclude_none=True) == {
        "observedGeneration": -1,
        "id": "s-1",
        "addresses": [],
        "volumes": [],
        "securityGroups": [],
        "drift": [],
        "conditions": [condition],
    }
    assert status.conditions[0].last_transition_time == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
