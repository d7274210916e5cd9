"""Jobs as data: a job has one part for each server it works on; batches show their parts as sub-jobs (ECS API reference 5.8.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ecs_simulator.world.ledger import Cause

INIT, RUNNING, SUCCESS, FAIL = "INIT", "RUNNING", "SUCCESS", "FAIL"


@dataclass(slots=True)
class Failure:
    """How a part fails: with which code and text, and what it leaves behind, "server" or "nothing"."""

    code: str
    reason: str
    leave: str = "nothing"


@dataclass(slots=True)
class Order:
    """An order that the next job of a type fails."""

    job_type: str
    failure: Failure


@dataclass(slots=True)
class Part:
    """The work of a job on one server. ``shown`` tells whether the server's id is in the entities yet, ``halfway`` how far it is."""

    id: str
    server_id: str
    begin: float
    status: str = INIT
    end: float | None = None
    shown: bool = True
    halfway: bool = False
    volume_id: str | None = None
    port_id: str | None = None
    failure: Failure | None = None
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """It ended, well or not."""
        return self.status in {SUCCESS, FAIL}


@dataclass(slots=True)
class Job:
    """A job. ``is_batch`` tells whether its parts are shown as sub-jobs. ``cause`` is the request it came with."""

    id: str
    project_id: str
    type: str
    begin: float
    parts: list[Part]
    is_batch: bool
    cause: Cause

    @property
    def status(self) -> str:
        """INIT before any part runs, FAIL if any part failed once all are over."""
        statuses = {part.status for part in self.parts}
        if statuses <= {SUCCESS, FAIL}:
            return FAIL if FAIL in statuses else SUCCESS
        return INIT if statuses <= {INIT, FAIL} else RUNNING

    @property
    def is_over(self) -> bool:
        """All its parts ended."""
        return all(part.is_over for part in self.parts)

    @property
    def end(self) -> float | None:
        """When the last part ended, None before."""
        return max(part.end or part.begin for part in self.parts) if self.is_over else None

    @property
    def failure(self) -> Failure | None:
        """The first failure among the parts, once the job is over."""
        if not self.is_over:
            return None
        return next((part.failure for part in self.parts if part.status == FAIL), None)

    def open_parts(self) -> Iterator[Part]:
        """Yield the parts that are not over."""
        return (part for part in self.parts if not part.is_over)
