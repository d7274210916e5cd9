"""The status models and the served schema agree: every field a model can write is stored as it was written."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from ecs_lab.control_plane import ControlPlane
from ecs_operator.api.common import ApiModel, Condition, Job, KeyRef, ObjectRef, Operation, Restore
from ecs_operator.api.project import Orphan, Orphans, ProjectQuota, ProjectStatus, QuotaUse
from ecs_operator.api.server import (
    Address,
    Adoption,
    Applied,
    AppliedInterface,
    AppliedPublicIp,
    ChangeRecord,
    ChangeStep,
    CreateRecord,
    DriftEntry,
    Fault,
    GroupPin,
    Installation,
    InstalledDataRef,
    InterfaceChange,
    Membership,
    Origin,
    OriginDisk,
    OriginPublicIp,
    Placement,
    Plan,
    PlannedChange,
    ReplacementRecord,
    ResolvedImage,
    SecurityGroup,
    ServerStatus,
    Volume,
)
from ecs_operator.api.server_group import GroupAdoption, GroupIntent, GroupMember, ServerGroupStatus
from ecs_operator.api.volume_attachment import VolumeAttachmentStatus
from tests.crd.manifests import PLURALS, manifest, text

pytestmark = pytest.mark.asyncio(loop_scope="session")

_NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
_LONG = "x" * 5000
_JOB = Job(
    id="j-1", type="createServer", status="FAIL", progress="1/2", started_at=_NOW, ended_at=_NOW, error_code="Ecs.0219", fail_reason=_LONG
)
_OPERATION = Operation(
    id="o-1", kind="Stop", step="Wait", job_id="j-1", started_at=_NOW, deadline=_NOW, attempts=3, restore=Restore(power_state="Running")
)
_CONDITION = Condition(type="Ready", status="False", observed_generation=3, last_transition_time=_NOW, reason="Creating", message=_LONG)
_CREATE = CreateRecord(
    incarnation=2,
    token="5a6f0b4b-1e3c-56c0-8d5e-5c1d3d0a7a11",
    digest="sha256:" + "0" * 64,
    request='{"server": {}}',
    secret_versions={"adminPasswordSecretRef": "12"},
    intended_at=_NOW,
    attempts=2,
    last_attempt_at=_NOW,
    outcome="Accepted",
    job_id="j-1",
    failures=1,
    last_error=_LONG,
)

_INSTALLATION = Installation(
    image_id="i-1",
    image_name="Debian",
    key_pair_name="ops",
    admin_password_secret_ref=KeyRef(name="a", key="b"),
    user_data_ref=InstalledDataRef(secret=KeyRef(name="a", key="b"), config_map=KeyRef(name="c", key="d")),
)
_CHANGE = ChangeRecord(
    id="change-1",
    steps=(
        ChangeStep(kind="Migrate", target="", state="Done", attempts=0),
        ChangeStep(
            kind="Install",
            target="i-1",
            install=_INSTALLATION,
            state="Sent",
            before="v-1",
            sent_at=_NOW,
            attempts=1,
            job_id="j-1",
            cause="why",
        ),
    ),
    approved="0123456789ab",
    repairs=True,
    restore=Restore(power_state="Running"),
    started_at=_NOW,
)
_FULL: dict[str, ApiModel] = {
    "EcsProject": ProjectStatus(
        observed_generation=3,
        project_id="p-1",
        microversion="2.26",
        quota=ProjectQuota(instances=QuotaUse(used=1, limit=-1), cores=QuotaUse(used=1, limit=8000), ram_mib=QuotaUse(used=1, limit=2**40)),
        orphans=Orphans(count=1, servers=(Orphan(server_id="s-1", name=_LONG, since=_NOW),)),
        last_handled_reconcile_at="now",
        conditions=(_CONDITION,),
    ),
    "EcsServer": ServerStatus(
        observed_generation=3,
        project="lab",
        id="s-1",
        server_status="ACTIVE",
        vm_state="active",
        task_state="powering-off",
        power_state="Running",
        job=_JOB,
        operation=_OPERATION,
        change=_CHANGE,
        plan=Plan(hash="0123456789ab", cost="Restart", changes=(PlannedChange(path="spec.flavor", have="a", want="b", cost="Restart"),)),
        drift=(DriftEntry(path="spec.tags.team", want="team=shop", have="", since=_NOW),),
        applied=Applied(
            metadata_keys=("a",),
            tag_keys=("b",),
            installed=_INSTALLATION,
            placement=Placement(tenancy="dedicated", dedicated_host_id="h-1"),
            server_group=GroupPin(id="g-1", name="web"),
            origin=Origin(
                availability_zone="eu-west-0a",
                vpc_id="v-1",
                root_volume=OriginDisk(type="SSD", size_gib=40, scsi=True, storage_pool_id="p-1"),
                public_ip=OriginPublicIp(id="e-1", type="5_bgp", size_mbps=10, share_type="PER", released=True),
                agency_name="backup",
            ),
            interfaces=(AppliedInterface(name="eth0", subnet_id="s", ip_address="192.168.0.20", mtu=1400, port_id="p", lost=True),),
            public_ip=AppliedPublicIp(id="a-1", address="80.158.1.2", found=True),
            settled={"spec.flavor": "0123abcd", "spec.metadata.role": "0123abcd"},
        ),
        replacement=ReplacementRecord(
            id="replacement-1",
            phase="Deleting",
            cause="Changed",
            server_id="s-0",
            paths=("spec.vpcId",),
            approved="8f3a",
            restore=Restore(power_state="Running"),
            started_at=_NOW,
        ),
        interface_change=InterfaceChange(
            id="add-eth1",
            kind="Add",
            interface=AppliedInterface(name="eth1", subnet_id="s"),
            state="Failed",
            before=("p",),
            sent_at=_NOW,
            attempts=1,
            job_id="j-1",
            reason="Rejected",
            cause=_LONG,
        ),
        server_group=Membership(id="g-1"),
        adoption=Adoption(
            id="s-1",
            state="Marking",
            approved="0123456789ab",
            agreed=(PlannedChange(path="spec.flavor", have="a", want="b", cost="Restart"),),
            attempts=1,
            sent_at=_NOW,
            open_until=_NOW,
        ),
        resolved_image=ResolvedImage(name="Debian", id="i-1"),
        security_groups=(SecurityGroup(id="g-1", name="default"),),
        auto_recovery=True,
        create=_CREATE,
        private_ip="192.168.0.20",
        public_ip="80.158.1.2",
        addresses=(Address(network="n", ip="192.168.0.20", mac="fa:16:3e:00:00:01", type="fixed", version=4, port_id="p"),),
        volumes=(Volume(id="v-1", device="/dev/vda", boot_index=0, size_gib=40, delete_with_server=True),),
        flavor="s3.large.2",
        image_id="i-1",
        availability_zone="eu-west-0a",
        locked=False,
        fault=Fault(code=500, message="No valid host was found"),
        last_handled_reconcile_at="now",
        last_handled_restart_at="now",
        conditions=(_CONDITION,),
    ),
    "EcsServerGroup": ServerGroupStatus(
        observed_generation=3,
        project="lab",
        id="g-1",
        members=(GroupMember(server_id="s-1", server_ref=ObjectRef(name="web-0"), host_id="h-1"),),
        violations=("s-1 and s-2 stand on one host",),
        intent=GroupIntent(name="web-01234567", intended_at=_NOW, attempts=1, last_attempt_at=_NOW, outcome="Unknown"),
        adoption=GroupAdoption(id="g-1", state="Claimed"),
        last_handled_reconcile_at="now",
        conditions=(_CONDITION,),
    ),
    "EcsVolumeAttachment": VolumeAttachmentStatus(
        observed_generation=3,
        project="lab",
        server_id="s-1",
        device="/dev/vdb",
        pci_address="0000:02:02.0",
        boot_index=1,
        size_gib=10,
        attachment_id="a-1",
        detach_mode="Force",
        operation=_OPERATION,
        job=_JOB,
        last_handled_reconcile_at="now",
        conditions=(_CONDITION,),
    ),
}


@pytest_asyncio.fixture(loop_scope="session")
async def name(served: ControlPlane) -> AsyncIterator[str]:
    unique = f"sample-{secrets.token_hex(4)}"
    yield unique
    await served.kubectl("delete", ",".join(PLURALS.values()), unique, "--ignore-not-found", "--wait=false")


@pytest.mark.parametrize("kind", list(_FULL))
async def test_full_status_is_stored_as_it_is(served: ControlPlane, kind: str, name: str) -> None:
    status = _FULL[kind]
    assert not [field for field in type(status).model_fields if not getattr(status, field)] or kind == "EcsServer", "every field is filled"
    written = status.model_dump(mode="json", by_alias=True, exclude_none=True)
    whole = manifest(kind, name=name, patch={})
    await served.kubectl("create", "-f", "-", stdin=text(whole))
    apply = ("apply", "--server-side", "--subresource=status", "--field-manager=ecs-operator", "--force-conflicts", "-f", "-")
    bare = {"apiVersion": whole["apiVersion"], "kind": kind, "metadata": {"name": name}, "status": written}
    await served.kubectl(*apply, "-o", "name", stdin=text(bare))
    stored = json.loads(await served.kubectl("get", PLURALS[kind], name, "-o", "json"))
    assert stored["status"] == written
    assert type(status).model_validate(stored["status"]) == status


async def test_apply_replaces_what_was_applied_before(served: ControlPlane, name: str) -> None:
    """The operator applies its whole status each time: what it leaves out goes."""
    whole = manifest("EcsServer", name=name, patch={})
    await served.kubectl("create", "-f", "-", stdin=text(whole))
    apply = ("apply", "--server-side", "--subresource=status", "--field-manager=ecs-operator", "--force-conflicts", "-f", "-")
    for status in (_FULL["EcsServer"], ServerStatus(observed_generation=4, id="s-1", volumes=(Volume(id="v-2"),))):
        written = status.model_dump(mode="json", by_alias=True, exclude_none=True)
        bare = {"apiVersion": whole["apiVersion"], "kind": "EcsServer", "metadata": {"name": name}, "status": written}
        await served.kubectl(*apply, stdin=text(bare))
    stored = json.loads(await served.kubectl("get", "ecsservers", name, "-o", "json"))["status"]
    # An empty list that merges by key goes with its last item; an empty one that is replaced whole stays.
    assert stored == {"observedGeneration": 4, "id": "s-1", "volumes": [{"id": "v-2"}], "addresses": [], "drift": [], "securityGroups": []}
