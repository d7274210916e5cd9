"""The facts that attaching and detaching are decided from, and the steps that are decided on, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ecs_operator.api.common import Operation
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Attachment, BlockDevice, Job, Server, Volume

Kind = Literal["Attach", "Detach"]

SENDING, RUNNING, RETRYING, FAILED = "Sending", "Running", "Retrying", "Failed"
"""Steps of an operation. Sending: written before the call, whose outcome is unknown until the next step is written. Running: the job is
known. Retrying: the last call did nothing, or its job failed. Failed: given up until somebody asks for another try."""

MOST_ATTEMPTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 10.0, 120.0
"""Seconds before a call that did not help is repeated."""
MOVING_PAUSE = 3.0
"""Seconds between looks at something that changes by itself."""
WAITING_PAUSE = 30.0
"""Seconds between looks at something that somebody else must change."""
MOVING_VOLUME = frozenset({"attaching", "detaching", "creating", "downloading", "reserved", "extending"})
GONE_SERVER = frozenset({"DELETED"})
"""A row of a server that is no more. SOFT_DELETED is not among them: it can come back, with its volumes."""


@dataclass(frozen=True, slots=True)
class NamedServer:
    """The EcsServer that the spec names: what it wants and what is done to it decides what an attachment may do."""

    name: str
    wants_power: str | None = None
    """spec.powerState."""
    work: str | None = None
    """What is being done to the server; None when nothing is."""
    is_deleting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the decision rests on. ``server``, ``volume``, ``attachment`` and ``job`` are None when the cloud knows no such thing."""

    now: datetime
    server_id: str
    volume_id: str
    server: Server | None
    volume: Volume | None
    attachment: Attachment | None
    operation: Operation | None = None
    """The operation of this kind."""
    open_until: datetime | None = None
    """Until when an attach that was never answered can still arrive."""
    job: Job | None = None
    """The job of whichever operation is under way."""
    is_urged: bool = False
    is_system_disk: bool = False
    wanted_device: str | None = None
    devices: tuple[BlockDevice, ...] = ()
    """The disks of the server, where the spec wants a certain device."""
    named: NamedServer | None = None
    """The EcsServer that the spec names, if it stands for this server."""


@dataclass(frozen=True, slots=True)
class Attached:
    """The volume is on the server."""


@dataclass(frozen=True, slots=True)
class Detached:
    """Proven: the volume is not on the server, and no request can put it there any more."""


@dataclass(frozen=True, slots=True)
class Send:
    """Write the operation, then call."""

    attempts: int


@dataclass(frozen=True, slots=True)
class Watch:
    """Look again in ``seconds``."""

    seconds: float
    text: str = ""


@dataclass(frozen=True, slots=True)
class Hindered:
    """It cannot be done as things are; ``seconds`` until the next look, should nobody tell."""

    reason: Reason
    text: str
    seconds: float = WAITING_PAUSE
    is_about_volume: bool = False
    """Another object may be the cause."""


@dataclass(frozen=True, slots=True)
class JobFailed:
    """The operation's job failed, and the failure is not recorded yet."""

    job: Job


@dataclass(frozen=True, slots=True)
class Stalled:
    """Given up; somebody must ask for another try."""


Step = Attached | Detached | Send | Watch | Hindered | JobFailed | Stalled
