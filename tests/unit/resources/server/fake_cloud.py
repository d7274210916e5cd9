"""A small cloud in memory: servers, jobs, disks, tokens, and a ledger of what was made and what went."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ecs_operator.cloud import (
    Address,
    AttachedVolume,
    BlockDevice,
    CloudError,
    Failure,
    Image,
    Job,
    JobAccepted,
    Meaning,
    Outcome,
    Server,
    Sweep,
    Volume,
)
from ecs_operator.cloud import Fault as CloudFault
from ecs_operator.cloud.models.create import CreateServers
from tests.unit.resources.server.effects import Effects

UBUNTU = Image(id="67f433d8-ed0e-4321-a8a2-a71838539e09", name="Ubuntu 24.04 server 64bit", metadata={"__os_type": "Linux"})
DEBIAN = Image(id="2a7d1c5e-3b1c-4d56-9a0e-6c1f7e3b9d10", name="Debian 13", status="ACTIVE", metadata={"__os_type": "Linux"})
BULKY = Image(id="5b0f8d9a-1f4b-4c7e-8a55-0f6d1c2b3a49", name="Bulky", status="ACTIVE", min_disk=200, metadata={"__os_type": "Linux"})
WINDOWS = Image(id="1189efbf-d48b-46ad-a823-94b942e2a000", name="Windows Server 2022 64bit", metadata={"__os_type": "Windows"})


def refusal(
    operation: str,
    *,
    meaning: Meaning = Meaning.NOT_FOUND,
    outcome: Outcome = Outcome.REFUSED,
    status: int = 404,
    code: str | None = None,
    message: str = "no",
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
            request_id="req-1",
        )
    )


def lost(operation: str = "createServers") -> CloudError:
    """No answer."""
    return refusal(operation, meaning=Meaning.UNREACHABLE, outcome=Outcome.UNKNOWN, status=504, message="no answer in time")


@dataclass
class Entry:
    """One line of the ledger."""

    action: str
    id: str
    marker: str
    time: datetime


@dataclass
class _Row:
    server: Server
    ready_at: datetime
    visible_at: datetime
    becomes: str = "ACTIVE"
    gone_at: datetime | None = None


@dataclass
class _Task:
    kind: str
    server_ids: tuple[str, ...]
    begun: datetime
    ends: datetime
    fails: tuple[str, str] | None = None
    nic_id: str | None = None
    on_end: Callable[[], None] | None = None
    ended: bool = False


@dataclass
class FakeCloud:
    effects: Effects
    now: Callable[[], datetime]
    servers_by_id: dict[str, _Row] = field(default_factory=dict)
    jobs: dict[str, _Task] = field(default_factory=dict)
    volumes_by_id: dict[str, int] = field(default_factory=dict)
    ledger: list[Entry] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    tokens_sent: list[str] = field(default_factory=list)
    deletions: list[dict[str, Any]] = field(default_factory=list)
    deadlines: list[float] = field(default_factory=list)
    honours_tokens: bool = True
    tells_ids: bool = True
    list_lag: float = 0.0
    list_is_complete: bool = True
    build_seconds: float = 20.0
    delete_seconds: float = 5.0
    next_failure: tuple[str, str, bool] | None = None
    """The next create job fails with code and text, and leaves a server or not."""
    late: list[tuple[datetime, Callable[[], object]]] = field(default_factory=list)
    forgets_jobs: bool = False
    ignores_soft_stop: bool = False
    next_power_failure: tuple[str, str] | None = None
    keeps_volumes: bool = False
    images: list[Image] = field(default_factory=lambda: [UBUNTU, WINDOWS, DEBIAN, BULKY])
    asked_for: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What a server was created with, as the request named it."""
    on_arrival: Callable[[str], None] | None = None
    """Called with the id of a server that is there now."""
    hints: dict[str, str | None] = field(default_factory=dict)
    """The server group a server was created with."""
    most_alive: int = 0
    _number: int = 0

    # The world moves on

    def settle(self) -> None:
        now = self.now()
        for due, do in [each for each in self.late if each[0] <= now]:
            self.late.remove((due, do))
            do()
        for task in list(self.jobs.values()):
            if not task.ended and task.ends <= now:
                task.ended = True
                if task.on_end is not None:
                    task.on_end()
        for row in self.servers_by_id.values():
            if row.server.status == "BUILD" and row.ready_at <= now:
                row.server = self._arrived(row)
                if self.on_arrival is not None and row.server.status == "ACTIVE":
                    self.on_arrival(row.server.id)
        for server_id in [key for key, row in self.servers_by_id.items() if row.gone_at is not None and row.gone_at <= now]:
            self.vanish(server_id)

    def vanish(self, server_id: str) -> None:
        """The server is gone, at once."""
        row = self.servers_by_id.pop(server_id, None)
        if row is None:
            return
        self.ledger.append(Entry("delete", server_id, row.server.metadata.get("ecs-operator.owner", ""), self.now()))
        root = f"{server_id}-root"
        if not self.keeps_volumes and any(each.id == root for each in row.server.volumes):
            self.volumes_by_id.pop(root, None)

    def alive(self) -> list[Server]:
        return [row.server for row in self.servers_by_id.values()]

    def created(self) -> list[Entry]:
        return [entry for entry in self.ledger if entry.action == "create"]

    def set(self, server_id: str, **changes: Any) -> None:
        """Somebody's hand."""
        row = self.servers_by_id[server_id]
        row.server = replace(row.server, **changes)

    def set_hint(self, server_id: str, group_id: str | None) -> None:
        """The group a server is in since its creation."""
        self.hints[server_id] = group_id

    def plant(self, server: Server) -> None:
        """A server that was not made here."""
        self.servers_by_id[server.id] = _Row(server, ready_at=self.now(), visible_at=self.now())

    def make(self, request: CreateServers) -> str:
        """Carry out a create, whatever becomes of its answer."""
        body = json.loads(request.body())["server"]
        self._number += 1
        server_id, job_id = f"server-{self._number}", f"job-{self._number}"
        now = self.now()
        data = [f"{server_id}-data{number}" for number, _ in enumerate(body.get("data_volumes", ()))]
        self.volumes_by_id[f"{server_id}-root"] = body["root_volume"].get("size", 10)
        self.volumes_by_id.update(zip(data, (each["size"] for each in body.get("data_volumes", ())), strict=True))
        server = Server(
            id=server_id,
            name=body["name"],
            status="BUILD",
            vm_state="building",
            task_state="spawning",
            flavor_id=body["flavorRef"],
            image_id=body["imageRef"],
            availability_zone=body.get("availability_zone", "eu-west-0a"),
            description=body.get("description", ""),
            security_groups=tuple(f"name of {each['id']}" for each in body.get("security_groups", ({"id": "default"},))),
            metadata={key: value for key, value in body["metadata"].items() if key != "admin_pass"},
            volumes=tuple(AttachedVolume(id=each) for each in (f"{server_id}-root", *data)),
            created=now.isoformat(),
            key_name=body.get("key_name", ""),
            host_id="host of None",
        )
        self.asked_for[server_id] = body
        self.set_hint(server_id, body.get("os:scheduler_hints", {}).get("group"))
        ready = now + timedelta(seconds=self.build_seconds)
        row = _Row(server, ready_at=ready, visible_at=now + timedelta(seconds=self.list_lag))
        task = _Task("createServer", (server_id,), now, ready)
        if self.next_failure is not None:
            code, text, leaves = self.next_failure
            self.next_failure = None
            task.fails = (code, text)
            row.becomes = "ERROR"
            if not leaves:
                task.on_end = lambda: self.vanish(server_id)
        self.servers_by_id[server_id] = row
        self.jobs[job_id] = task
        self.ledger.append(Entry("create", server_id, server.metadata.get("ecs-operator.owner", ""), now))
        self.most_alive = max(self.most_alive, len(self.servers_by_id))
        return job_id

    def _arrived(self, row: _Row) -> Server:
        if row.becomes == "ERROR":
            return replace(row.server, status="ERROR", vm_state="error", task_state="", fault=CloudFault(code=500, message="No valid host"))
        addresses = tuple(
            Address(
                network="vpc", ip=nic.get("ip_address", f"192.168.0.{20 + number}"), mac=f"fa:16:3e:00:00:{number + 1:02}", type="fixed"
            )
            for number, nic in enumerate(self.asked_for[row.server.id]["nics"])
        )
        return replace(row.server, status="ACTIVE", vm_state="active", task_state="", power_state=1, addresses=addresses)

    def _job(self, kind: str, ids: tuple[str, ...], seconds: float, on_end: Callable[[], None] | None = None) -> str:
        self._number += 1
        job_id = f"job-{self._number}"
        self.jobs[job_id] = _Task(kind, ids, self.now(), self.now() + timedelta(seconds=seconds), on_end=on_end)
        return job_id

    # The client, group by group

    async def create(self, request: CreateServers, *, client_token: str | None, deadline: float | None = None) -> JobAccepted:
        self.settle()
        self.tokens_sent.append(client_token or "")
        self.deadlines.append(deadline or 0.0)

        def do() -> JobAccepted:
            self.bodies.append(json.loads(request.body())["server"])
            return self.arrive(request, client_token or "")

        return self.effects.perform("cloud.create", do)

    def arrive(self, request: CreateServers, token: str) -> JobAccepted:
        """A request reaches the cloud, in time or late."""
        if self.honours_tokens and token in self.tokens:
            body, job_id = self.tokens[token]
            if body != request.body():
                raise refusal("createServers", meaning=Meaning.INVALID, outcome=Outcome.UNKNOWN, status=400, code="Ecs.0122")
        else:
            job_id = self.make(request)
            self.tokens[token] = (request.body(), job_id)
        return JobAccepted(job_id=job_id, server_ids=self.jobs[job_id].server_ids if self.tells_ids else ())

    async def delete(self, server_ids: Iterable[str], *, delete_public_ip: bool, delete_volume: bool) -> JobAccepted:
        self.settle()
        ids = tuple(server_ids)

        def do() -> JobAccepted:
            self.deletions.append({"ids": ids, "delete_public_ip": delete_public_ip, "delete_volume": delete_volume})
            known = [each for each in ids if each in self.servers_by_id]
            if not known:
                raise refusal("deleteServers", code="Ecs.0114")
            if any(self.servers_by_id[each].server.locked for each in known):
                raise refusal("deleteServers", meaning=Meaning.CONFLICT, status=400, code="Ecs.0605", message="locked")
            for each in known:
                row = self.servers_by_id[each]
                row.server = replace(row.server, task_state="deleting")
                row.gone_at = self.now() + timedelta(seconds=self.delete_seconds)
                if delete_volume and not self.keeps_volumes:
                    for volume in row.server.volumes:
                        self.volumes_by_id.pop(volume.id, None)
            return JobAccepted(job_id=self._job("deleteServer", ids, self.delete_seconds))

        return self.effects.perform("cloud.delete", do)

    async def get(self, identity: str) -> Any:
        """Servers, jobs, images and volumes alike: their ids tell which."""
        self.settle()
        if identity.startswith("job-"):
            return self.effects.perform("cloud.job", lambda: self._show_job(identity))
        if (image := next((each for each in self.images if each.id == identity), None)) is not None:
            return image
        if identity.count("-") == 4:
            raise refusal("showImage")
        if "-root" in identity or "-data" in identity or identity.startswith("volume"):
            if identity not in self.volumes_by_id:
                raise refusal("showVolume")
            return Volume(id=identity, size=self.volumes_by_id[identity])
        return self.effects.perform("cloud.get", lambda: self._show_server(identity))

    def _show_server(self, server_id: str) -> Server:
        row = self.servers_by_id.get(server_id)
        if row is None or row.visible_at > self.now():
            raise refusal("showServer")
        return row.server

    def _show_job(self, job_id: str) -> Job:
        task = self.jobs.get(job_id)
        if task is None or self.forgets_jobs:
            raise refusal("showJob", code="Common.0011")
        status = ("FAIL" if task.fails else "SUCCESS") if task.ended else "RUNNING"
        code, text = task.fails if task.fails and task.ended else (None, None)
        part = {
            "status": status,
            "entities": {"server_id": task.server_ids[0], "nic_id": task.nic_id},
            "error_code": code,
            "fail_reason": text,
        }
        entities = {"sub_jobs_total": 1, "sub_jobs": [part]}
        return Job.model_validate({"status": status, "job_id": job_id, "job_type": task.kind, "entities": entities})

    async def sweep(self, *, changes_since: str | None = None) -> Sweep:
        assert changes_since is None, "this cloud does not tell the time, so nobody can ask for what has changed"
        self.settle()

        def do() -> Sweep:
            seen = tuple(row.server for row in self.servers_by_id.values() if row.visible_at <= self.now())
            return Sweep(servers=seen, complete=self.list_is_complete, problem="" if self.list_is_complete else "a page is missing")

        return self.effects.perform("cloud.sweep", do)

    async def start(self, server_ids: Iterable[str]) -> JobAccepted:
        return self.effects.perform("cloud.start", lambda: self._power(server_ids, "powering-on", "ACTIVE", "active", 1))

    async def stop(self, server_ids: Iterable[str], mode: str) -> JobAccepted:
        name = f"cloud.stop.{mode.lower()}"
        if mode == "SOFT" and self.ignores_soft_stop:
            return self.effects.perform(name, lambda: JobAccepted(job_id=self._job("stopServer", tuple(server_ids), 5.0)))
        return self.effects.perform(name, lambda: self._power(server_ids, "powering-off", "SHUTOFF", "stopped", 4 - 1))

    async def reboot(self, server_ids: Iterable[str], mode: str) -> JobAccepted:
        del mode
        return self.effects.perform("cloud.reboot", lambda: self._power(server_ids, "rebooting", "ACTIVE", "active", 1))

    def _power(self, server_ids: Iterable[str], task: str, status: str, vm_state: str, power: int) -> JobAccepted:
        (server_id,) = tuple(server_ids)
        self.set(server_id, task_state=task)
        fails, self.next_power_failure = self.next_power_failure, None

        def arrive() -> None:
            if server_id not in self.servers_by_id:
                return
            before = self.servers_by_id[server_id].server
            self.set(server_id, task_state="")
            if fails is None:
                self.set(server_id, status=status, vm_state=vm_state, power_state=power)
            else:
                self.set(server_id, status=before.status)

        job_id = self._job("power", (server_id,), 5.0, arrive)
        self.jobs[job_id].fails = fails
        return JobAccepted(job_id=job_id)

    async def block_devices(self, server_id: str) -> tuple[BlockDevice, ...]:
        row = self.servers_by_id[server_id].server
        letters = "abcdefgh"
        return tuple(
            BlockDevice(
                volume_id=each.id,
                device=f"/dev/vd{letters[index]}",
                size=self.volumes_by_id.get(each.id, 0),
                boot_index=0 if not index else None,
            )
            for index, each in enumerate(row.volumes)
        )

    async def detach(self, server_id: str, volume_id: str, *, force: bool) -> JobAccepted:
        del force

        def arrive() -> None:
            row = self.servers_by_id[server_id]
            row.server = replace(row.server, volumes=tuple(each for each in row.server.volumes if each.id != volume_id))

        def do() -> JobAccepted:
            return JobAccepted(job_id=self._job("detachVolume", (server_id,), 3.0, arrive))

        return self.effects.perform("cloud.detach", do)

    async def list(self, server_id: str = "", *, name: str | None = None) -> Any:
        """Images by name."""
        del server_id
        return tuple(each for each in self.images if name is not None and name in each.name)

    async def remove(self, server_id: str, key: str) -> None:
        def do() -> None:
            row = self.servers_by_id[server_id]
            if row.server.locked:
                raise refusal("deleteServerMetadataItem", meaning=Meaning.CONFLICT, status=409, code="Ecs.0605", message="locked")
            row.server = replace(row.server, metadata={name: value for name, value in row.server.metadata.items() if name != key})

        self.effects.perform("cloud.remove_marker", do)
