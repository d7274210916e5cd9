"""What a project owns: servers, volumes, snapshots, ports, floating IPs, server groups. Times are epoch seconds of the world."""

from __future__ import annotations

from dataclasses import dataclass, field

from ecs_simulator.world.states import power_state_of, status_of


@dataclass(slots=True)
class Fault:
    """Why a server is in ERROR."""

    code: int
    message: str
    created: float


@dataclass(slots=True)
class ActionEvent:
    """A step of an action (6.13.2). ``result`` is Success or Error; it and ``finish`` are None while the step is under way."""

    event: str
    start: float
    finish: float | None = None
    result: str | None = None
    traceback: str | None = None


@dataclass(slots=True)
class InstanceAction:
    """What was done to a server, by which request of which user (6.13). ``job_id`` tells which job carries it out."""

    action: str
    request_id: str
    user_id: str
    project_id: str
    start: float
    message: str | None = None
    job_id: str | None = None
    events: list[ActionEvent] = field(default_factory=list)


@dataclass(slots=True)
class Server:
    """A server.

    ``command`` is the id of the job that runs on it: one at a time. ``target_flavor_id`` is set while it is resized, and counts for
    the quota; ``previous_flavor_id`` is what a native resize can go back to. ``volume_ids`` are in the order of their devices, the
    system disk first. ``tags`` are those of both families, a pair of 5.9 as ``k=v``. ``password`` is what the server made itself and
    6.11.5 shows, encrypted, from ``password_from`` on. ``last_state`` is kept when it is deleted, and so are ``actions``.
    ``resumes_as`` is the vm_state it comes back to after a native resize; ``broken_by`` is the ledger action of the installation that
    failed and left it in ERROR.
    ``keeps_resource_type``: it was made natively of an image, and only gets flavors of the same ``resource_type`` (6.2.1).
    ``stuck_devices`` are taken by disks that were detached by force, until it boots again. ``console`` holds boots and shutdowns.
    """

    id: str
    project_id: str
    name: str
    user_id: str
    created: float
    updated: float
    flavor_id: str
    image_id: str
    zone: str
    vpc_id: str
    vm_state: str = "building"
    task_state: str | None = "scheduling"
    description: str = ""
    launched: float | None = None
    terminated: float | None = None
    target_flavor_id: str | None = None
    key_name: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    user_data: str | None = None
    locked: bool = False
    fault: Fault | None = None
    host: str = ""
    reservation_id: str = ""
    launch_index: int = 0
    port_ids: list[str] = field(default_factory=list)
    volume_ids: list[str] = field(default_factory=list)
    floating_ip_ids: list[str] = field(default_factory=list)
    security_group_ids: list[str] = field(default_factory=list)
    group_id: str | None = None
    tags: list[str] = field(default_factory=list)
    hints: dict[str, list[str]] = field(default_factory=dict)
    previous_flavor_id: str | None = None
    resumes_as: str = ""
    broken_by: str = ""
    auto_recovery: bool = False
    keeps_resource_type: bool = False
    monitored: bool = False
    password: str = field(default="", repr=False)
    password_from: float = 0.0
    console: list[str] = field(default_factory=list)
    stuck_devices: list[str] = field(default_factory=list)
    actions: list[InstanceAction] = field(default_factory=list)
    command: str | None = None
    last_state: list[str | None] = field(default_factory=list)

    @property
    def status(self) -> str:
        """The status by table A-4."""
        return status_of(self.vm_state, self.task_state)

    @property
    def power_state(self) -> int:
        """The power state as 6.2.6 numbers it."""
        return power_state_of(self.vm_state)


@dataclass(slots=True)
class Attachment:
    """Where a volume is attached. ``boot_index`` 0 is the system disk."""

    server_id: str
    device: str
    pci_address: str
    boot_index: int
    delete_on_termination: bool = False


@dataclass(slots=True)
class Volume:
    """A volume. ``size`` in GiB. It keeps its attachment while it is being attached and detached."""

    id: str
    project_id: str
    name: str
    size: int
    type: str
    zone: str
    created: float
    status: str = "available"
    description: str | None = None
    bootable: bool = False
    scsi: bool = False
    snapshot_id: str | None = None
    image_id: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    attachment: Attachment | None = None


@dataclass(slots=True)
class Port:
    """An interface with its one private address; ``server_id`` is None while it is on no server.

    One that a server was given by the port's id is ``kept`` when it is removed or the server is deleted, every other goes (6.7.4).
    ``attaching`` while the job that adds it runs.
    """

    id: str
    network_id: str
    address: str
    mac: str
    server_id: str | None
    mtu: int | None = None
    security_group_ids: list[str] = field(default_factory=list)
    kept: bool = False
    attaching: bool = False


@dataclass(slots=True)
class FloatingIp:
    """An elastic IP. ``status`` is DOWN while it is bound to nothing. ``bandwidth`` in Mbit/s; ``pool`` as 11.5 names it."""

    id: str
    address: str
    created: float
    type: str = "5_bgp"
    status: str = "DOWN"
    port_id: str | None = None
    server_id: str | None = None
    bandwidth: int = 5
    share_type: str = "PER"
    delete_on_termination: bool = False
    pool: str = "external"


@dataclass(slots=True)
class Snapshot:
    """A snapshot of a volume. ``size`` in GiB; ``status`` as Cinder calls it."""

    id: str
    volume_id: str
    name: str
    size: int
    created: float
    status: str = "creating"
    description: str | None = None


@dataclass(slots=True)
class ServerGroup:
    """A server group; its members run on different hosts."""

    id: str
    name: str
    created: float
    user_id: str = ""
    policies: list[str] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
