"""One project of a cloud in memory, as far as groups and attachments need it: the shape of EcsClient, without HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import cast

from ecs_operator.cloud import (
    AttachedVolume,
    Attachment,
    BlockDevice,
    Catalog,
    CloudError,
    EcsClient,
    Failure,
    Job,
    JobAccepted,
    JobLooks,
    JobStatus,
    Limits,
    Meaning,
    Outcome,
    Server,
    ServerGroup,
    ServerSnapshots,
    Sweep,
    Volume,
    VolumeAttachment,
)
from ecs_operator.engine.ports import Clock
from ecs_operator.resources.absence import AbsenceWatch
from ecs_operator.resources.batches import Batches
from ecs_operator.resources.confirmations import Confirmations
from ecs_operator.resources.ownership import ClusterIdentity
from ecs_operator.resources.tenancy import CreatePolicy, Tenant
from tests.fakes.effects import Effects, When
from tests.fakes.store import FakeStore

SETTLE_AFTER = 150.0
RESYNC = 300.0
IDENTITY = ClusterIdentity(cluster_id="11111111-2222-3333-4444-555555555555", key=b"k" * 32)
HOST = {"server-1": "host-1", "server-2": "host-2"}


def cloud_error(
    operation: str,
    *,
    outcome: Outcome = Outcome.REFUSED,
    meaning: Meaning = Meaning.INVALID,
    code: str | None = None,
    status: int | None = 400,
    message: str = "the cloud says no",
    request_id: str = "req-1",
    retry_after: float | None = None,
) -> CloudError:
    return CloudError(
        Failure(
            operation=operation,
            method="POST",
            outcome=outcome,
            meaning=meaning,
            message=message,
            status=status,
            code=code,
            request_id=request_id,
            retry_after=retry_after,
        )
    )


def lost(operation: str) -> CloudError:
    """No answer: whether it was carried out is not known."""
    return cloud_error(operation, outcome=Outcome.UNKNOWN, meaning=Meaning.UNREACHABLE, status=None, message="no answer in time")


def missing(operation: str, code: str | None = None) -> CloudError:
    return cloud_error(operation, meaning=Meaning.NOT_FOUND, status=404, code=code, message="there is no such thing")


@dataclass
class _Fault:
    operation: str
    error: CloudError
    when: When
    times: int


@dataclass
class _Running:
    kind: str
    server_id: str
    volume_id: str
    ends_at: float
    fails_with: tuple[str, str] | None
    status: JobStatus = JobStatus.RUNNING


@dataclass
class FakeCloud:
    """``calls`` holds every operation in order; ``seconds`` is what a job takes."""

    clock: Clock
    effects: Effects = field(default_factory=Effects)
    seconds: float = 2.0
    calls: list[str] = field(default_factory=list)
    group_rows: dict[str, ServerGroup] = field(default_factory=dict)
    server_rows: dict[str, Server] = field(default_factory=dict)
    volume_rows: dict[str, Volume] = field(default_factory=dict)
    boot_volumes: set[str] = field(default_factory=set)
    job_rows: dict[str, _Running] = field(default_factory=dict)
    limits_now: Limits = field(default_factory=Limits)
    fail_next_job: tuple[str, str] | None = None
    list_is_complete: bool = True
    forced: list[str] = field(default_factory=list)
    devices: dict[str, str] = field(default_factory=dict)
    """Where the guest sees a volume; /dev/vdb if nothing is said."""
    shows_devices: bool = True
    _faults: list[_Fault] = field(default_factory=list)
    _count: int = 0

    def fail(self, operation: str, error: CloudError, *, when: When = "before", times: int = 1) -> None:
        """Let calls of an operation fail: before anything is done, or after it was done (the answer is lost)."""
        self._faults.append(_Fault(operation, error, when, times))

    def tenant(self, *, idempotency: str = "Auto", store: FakeStore | None = None) -> Tenant:
        policy = CreatePolicy(idempotency="Settle" if idempotency == "Settle" else "Auto", request_deadline=60.0, settle_after=SETTLE_AFTER)
        snapshots = ServerSnapshots(_Servers(self), self.clock)
        return Tenant(
            name="lab",
            project_id="project-1",
            client=self.client,
            snapshots=snapshots,
            batches=Batches(self.client.servers),
            confirmations=Confirmations(self.client.servers, snapshots, linger=0.0),
            catalog=Catalog(flavors=self.client.flavors, images=self.client.images, limits=self.client.limits, clock=self.clock),
            jobs=JobLooks(self.client.jobs, self.clock),
            absence=AbsenceWatch(store=store or FakeStore(self.clock, Effects()), clock=self.clock, wake=lambda _: None),
            identity=IDENTITY,
            create_policy=policy,
            resync_seconds=RESYNC,
        )

    @property
    def client(self) -> EcsClient:
        return cast("EcsClient", _Client(self))

    def add_group(self, name: str, *members: str) -> ServerGroup:
        self._count += 1
        group = ServerGroup(id=f"group-{self._count}", name=name, policies=("anti-affinity",), members=members)
        self.group_rows[group.id] = group
        return group

    def set_members(self, group_id: str, *members: str) -> None:
        self.group_rows[group_id] = self.group_rows[group_id].model_copy(update={"members": members})

    def add_server(self, server_id: str, *, status: str = "ACTIVE", zone: str = "a", task: str = "", locked: bool = False) -> None:
        vm_state = {"ACTIVE": "active", "SHUTOFF": "stopped"}.get(status, status.lower())
        self.server_rows[server_id] = Server(
            id=server_id,
            status=status,
            vm_state=vm_state,
            task_state=task,
            availability_zone=zone,
            locked=locked,
            host_id=HOST.get(server_id, f"host-of-{server_id}"),
        )

    def add_volume(self, volume_id: str, *, status: str = "available", zone: str = "a", server: str | None = None) -> None:
        self.volume_rows[volume_id] = Volume(id=volume_id, status=status, size=10, availability_zone=zone)
        if server is not None:
            self.put(volume_id, server)

    def put(self, volume_id: str, server_id: str, *, status: str = "in-use") -> None:
        """The volume is on the server."""
        there = VolumeAttachment(id=volume_id, server_id=server_id, device="/dev/vdb")
        self.volume_rows[volume_id] = self.volume_rows[volume_id].model_copy(update={"attachments": (there,), "status": status})
        server = self.server_rows[server_id]
        if volume_id not in {each.id for each in server.volumes}:
            self.server_rows[server_id] = replace(server, volumes=(*server.volumes, AttachedVolume(id=volume_id)))

    def take_off(self, volume_id: str) -> None:
        """The volume is on no server."""
        for server_id in self.volume_rows[volume_id].server_ids:
            if server_id in self.server_rows:
                server = self.server_rows[server_id]
                rest = tuple(each for each in server.volumes if each.id != volume_id)
                self.server_rows[server_id] = replace(server, volumes=rest)
        self.volume_rows[volume_id] = self.volume_rows[volume_id].model_copy(update={"attachments": (), "status": "available"})

    def remove_server(self, server_id: str) -> None:
        for volume_id, volume in list(self.volume_rows.items()):
            if server_id in volume.server_ids:
                self.take_off(volume_id)
        del self.server_rows[server_id]

    def begin(self, operation: str) -> None:
        """Count a call, bring what is due up to now, fail when told to."""
        self.calls.append(operation)
        self._settle()
        self.maybe_fail(operation, "before")

    def maybe_fail(self, operation: str, when: When) -> None:
        for fault in self._faults:
            if fault.operation == operation and fault.when == when and fault.times:
                fault.times -= 1
                raise fault.error

    def start_job(self, kind: str, server_id: str, volume_id: str) -> JobAccepted:
        self._count += 1
        job_id = f"job-{self._count}"
        self.job_rows[job_id] = _Running(kind, server_id, volume_id, self.clock.monotonic() + self.seconds, self.fail_next_job)
        self.fail_next_job = None
        return JobAccepted(job_id=job_id)

    def _settle(self) -> None:
        for job in self.job_rows.values():
            if job.status is JobStatus.RUNNING and self.clock.monotonic() >= job.ends_at:
                job.status = JobStatus.FAIL if job.fails_with else JobStatus.SUCCESS
                if (job.kind == "attachVolume") != bool(job.fails_with):
                    self.put(job.volume_id, job.server_id)
                else:
                    self.take_off(job.volume_id)


class _Client:
    def __init__(self, cloud: FakeCloud) -> None:
        self.groups = _Groups(cloud)
        self.servers = _Servers(cloud)
        self.volumes = _Volumes(cloud)
        self.jobs = _Jobs(cloud)
        self.limits = _Limits(cloud)
        self.flavors = self.images = None
        self.versions = _Versions(cloud)
        self.project_id = "project-1"
        self.is_closed = False

    async def close(self) -> None:
        self.is_closed = True


class _Groups:
    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    async def list(self) -> tuple[ServerGroup, ...]:
        self._cloud.begin("listServerGroups")
        return tuple(self._cloud.group_rows.values())

    async def get(self, group_id: str) -> ServerGroup:
        self._cloud.begin("showServerGroup")
        if group_id not in self._cloud.group_rows:
            raise missing("showServerGroup")
        return self._cloud.group_rows[group_id]

    async def create(self, name: str, policies: Iterable[str]) -> ServerGroup:
        assert list(policies) == ["anti-affinity"]
        self._cloud.begin("createServerGroup")
        with self._cloud.effects.carried_out("createServerGroup"):
            group = self._cloud.add_group(name)
        self._cloud.maybe_fail("createServerGroup", "after")
        return group

    async def delete(self, group_id: str) -> None:
        self._cloud.begin("deleteServerGroup")
        if group_id not in self._cloud.group_rows:
            raise missing("deleteServerGroup")
        with self._cloud.effects.carried_out("deleteServerGroup"):
            del self._cloud.group_rows[group_id]
        self._cloud.maybe_fail("deleteServerGroup", "after")


class _Servers:
    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    async def get(self, server_id: str) -> Server:
        self._cloud.begin("showServer")
        if server_id not in self._cloud.server_rows:
            raise missing("showServer", "Ecs.0114")
        return self._cloud.server_rows[server_id]

    async def sweep(self, *, changes_since: str | None = None) -> Sweep:
        assert changes_since is None, "this cloud does not tell the time, so nobody can ask for what has changed"
        self._cloud.begin("listServersDetails")
        return Sweep(servers=tuple(self._cloud.server_rows.values()), complete=self._cloud.list_is_complete)


class _Volumes:
    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    async def block_devices(self, server_id: str) -> tuple[BlockDevice, ...]:
        self._cloud.begin("listBlockDevices")
        if server_id not in self._cloud.server_rows:
            raise missing("listBlockDevices")
        return tuple(
            BlockDevice.model_validate(
                {
                    "id": volume.id,
                    "volumeId": volume.id,
                    "serverId": server_id,
                    "device": self._cloud.devices.get(volume.id, "/dev/vdb"),
                    "size": volume.size,
                    "pciAddress": "0000:02:02.0",
                    "bootIndex": 0 if volume.id in self._cloud.boot_volumes else 1,
                }
            )
            for volume in self._cloud.volume_rows.values()
            if server_id in volume.server_ids and self._cloud.shows_devices
        )

    async def get(self, volume_id: str) -> Volume:
        self._cloud.begin("showVolume")
        if volume_id not in self._cloud.volume_rows:
            raise missing("showVolume")
        return self._cloud.volume_rows[volume_id]

    async def attachment(self, server_id: str, volume_id: str) -> Attachment:
        self._cloud.begin("showVolumeAttachment")
        volume = self._cloud.volume_rows.get(volume_id)
        if volume is None or server_id not in volume.server_ids:
            raise missing("showVolumeAttachment")
        return Attachment.model_validate({"id": volume_id, "volumeId": volume_id, "serverId": server_id, "device": "/dev/vdb"})

    async def attach(self, server_id: str, volume_id: str, *, device: str | None = None) -> JobAccepted:
        self._cloud.begin("attachVolume")
        volume = self._cloud.volume_rows.get(volume_id)
        if volume is None or volume.status != "available":
            already = volume is not None and server_id in volume.server_ids
            raise cloud_error("attachVolume", meaning=Meaning.CONFLICT, code="Ecs.0057" if already else "Ecs.0103")
        with self._cloud.effects.carried_out("attachVolume"):
            if device is not None:
                self._cloud.devices[volume_id] = device.replace("/dev/sd", "/dev/vd")
            self._cloud.put(volume_id, server_id, status="attaching")
            accepted = self._cloud.start_job("attachVolume", server_id, volume_id)
        self._cloud.maybe_fail("attachVolume", "after")
        return accepted

    async def detach(self, server_id: str, volume_id: str, *, force: bool) -> JobAccepted:
        self._cloud.begin("detachVolume")
        volume = self._cloud.volume_rows.get(volume_id)
        if volume is None or server_id not in volume.server_ids:
            raise missing("detachVolume", "Ecs.0111")
        if force:
            self._cloud.forced.append(volume_id)
        with self._cloud.effects.carried_out("detachVolume"):
            self._cloud.put(volume_id, server_id, status="detaching")
            accepted = self._cloud.start_job("detachVolume", server_id, volume_id)
        self._cloud.maybe_fail("detachVolume", "after")
        return accepted


class _Jobs:
    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    async def get(self, job_id: str) -> Job:
        self._cloud.begin("showJob")
        row = self._cloud.job_rows.get(job_id)
        if row is None:
            raise missing("showJob", "Common.0011")
        code, reason = row.fails_with if row.fails_with and row.status is JobStatus.FAIL else (None, None)
        return Job(status=row.status, job_id=job_id, job_type=row.kind, error_code=code, fail_reason=reason)


class _Limits:
    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    async def get(self) -> Limits:
        self._cloud.begin("showLimits")
        return self._cloud.limits_now


class _Versions:
    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud

    async def for_reads(self) -> str:
        self._cloud.begin("listVersions")
        return "2.46"
