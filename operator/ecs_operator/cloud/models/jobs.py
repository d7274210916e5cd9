"""Asynchronous tasks (ECS API reference 5.8.1, 10.3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from ecs_operator.cloud.codes import lookup
from ecs_operator.cloud.errors import MESSAGE_LIMIT, Meaning
from ecs_operator.cloud.models.wire import Answer, MaybeNumber, MaybeText, Text


class JobStatus(StrEnum):
    """State of a task."""

    INIT = "INIT"
    RUNNING = "RUNNING"
    SUCCESS = "SUCCESS"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAccepted:
    """The cloud took a task on. ``server_ids`` is empty where the endpoint does not tell them with the answer."""

    job_id: str
    server_ids: tuple[str, ...] = ()


class JobAcceptedAnswer(Answer):
    """``{"job_id": …}``; public versions of the API add ``serverIds`` to a create."""

    job_id: str = Field(min_length=1)
    server_ids: tuple[str, ...] | None = Field(alias="serverIds", default=None)

    def accepted(self) -> JobAccepted:
        """The answer as a plain value."""
        return JobAccepted(job_id=self.job_id, server_ids=self.server_ids or ())


class SubJobEntities(Answer):
    """What one part of a task works on."""

    server_id: MaybeText = None
    nic_id: MaybeText = None
    volume_id: MaybeText = None
    errorcode_message: Text = ""


def _no_entities(value: object) -> object:
    return {} if value is None or value == "" else value


class _Task(Answer):
    """What tasks and their parts tell alike."""

    status: JobStatus
    job_id: Text = ""
    job_type: Text = ""
    begin_time: Text = ""
    end_time: Text = ""
    error_code: MaybeText = None
    fail_reason: MaybeText = None


class SubJob(_Task):
    """One part of a task."""

    entities: Annotated[SubJobEntities, BeforeValidator(_no_entities)] = Field(default_factory=SubJobEntities)

    @property
    def tells_why(self) -> bool:
        """It gives a code or a text for its failure."""
        return bool(self.error_code or self.fail_reason or self.entities.errorcode_message)


def _no_jobs(value: object) -> object:
    return () if value is None else value


class JobEntities(SubJobEntities):
    """What a task works on, directly or through its parts."""

    sub_jobs_total: MaybeNumber = None
    sub_jobs: Annotated[tuple[SubJob, ...], BeforeValidator(_no_jobs)] = ()


class Job(_Task):
    """A task. SUCCESS is a reason to look at the server, not the proof; a failed one may have parts that succeeded."""

    entities: Annotated[JobEntities, BeforeValidator(_no_entities)] = Field(default_factory=JobEntities)

    @property
    def sub_jobs(self) -> tuple[SubJob, ...]:
        """The parts of the task, none when it is simple."""
        return self.entities.sub_jobs

    @property
    def is_over(self) -> bool:
        """It ended, well or not."""
        return self.status in {JobStatus.SUCCESS, JobStatus.FAIL}

    def server_ids(self) -> tuple[str, ...]:
        """Ids of all servers that the task or any of its parts names, whether the part succeeded or not."""
        named = (self.entities.server_id, *(part.entities.server_id for part in self.sub_jobs))
        return tuple(dict.fromkeys(server_id for server_id in named if server_id))

    def part_of(self, server_id: str | None) -> Job:
        """The task as far as it concerns one server: of a batch, other servers' parts tell nothing about it.

        The whole task stands for a server that no part names. A part that a task left open when it ended has ended with it.
        """
        parts = tuple(part for part in self.sub_jobs if server_id and part.entities.server_id == server_id)
        if not parts:
            return self
        status = self._status_of(parts)
        changes: dict[str, object] = {"status": status, "end_time": max(part.end_time for part in parts) or self.end_time}
        entities: dict[str, object] = {"server_id": server_id, "sub_jobs": parts, "sub_jobs_total": len(parts)}
        if status is not JobStatus.FAIL or any(part.tells_why for part in parts):
            # What the task gives as its cause may be another server's.
            changes |= {"error_code": None, "fail_reason": None}
            entities |= {"errorcode_message": ""}
        return self.model_copy(update={**changes, "entities": self.entities.model_copy(update=entities)})

    def progress(self) -> str:
        """Parts that ended, of all: ``1/2``."""
        total = max(self.entities.sub_jobs_total or 0, len(self.sub_jobs), 1)
        ended = sum(part.status in {JobStatus.SUCCESS, JobStatus.FAIL} for part in self.sub_jobs)
        if not self.sub_jobs:
            ended = total if self.is_over else 0
        return f"{ended}/{total}"

    def codes(self) -> tuple[str, ...]:
        """All error codes of the task and its parts, the parts' first: they are the specific ones."""
        return tuple(dict.fromkeys(code for code, _ in self._failures() if code))

    @property
    def failure_code(self) -> str | None:
        """The most specific error code."""
        return next(iter(self.codes()), None)

    @property
    def was_refused(self) -> bool:
        """It failed with a code by which the cloud refuses a command: nothing was done."""
        entry = next((entry for entry in map(lookup, self.codes()) if entry), None)
        return self.status is JobStatus.FAIL and entry is not None and entry.is_definite

    @property
    def failure_text(self) -> str:
        """The cloud's words for why it failed, one line of at most 400 characters."""
        reasons = dict.fromkeys(" ".join(reason.split()) for _, reason in self._failures() if reason)
        return "; ".join(reasons)[:MESSAGE_LIMIT]

    @property
    def failure_meaning(self) -> Meaning:
        """What the most specific known code means, ``INTERNAL`` when none is known."""
        known = (entry for entry in map(lookup, self.codes()) if entry)
        return next((entry.meaning for entry in known), Meaning.INTERNAL)

    def _status_of(self, parts: tuple[SubJob, ...]) -> JobStatus:
        """What parts come to: the worst once all have ended, else the task's own."""
        statuses = {part.status for part in parts}
        if statuses <= {JobStatus.SUCCESS, JobStatus.FAIL}:
            return JobStatus.FAIL if JobStatus.FAIL in statuses else JobStatus.SUCCESS
        return self.status

    def _failures(self) -> Iterator[tuple[str | None, str | None]]:
        for part in self.sub_jobs:
            if part.status is JobStatus.FAIL:
                yield part.error_code, part.fail_reason or part.entities.errorcode_message
        yield self.error_code, self.fail_reason or self.entities.errorcode_message
