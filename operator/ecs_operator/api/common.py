"""Pieces that several kinds share: bounded text, references, conditions, jobs, operations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo


class ApiModel(BaseModel):
    """A part of a custom resource: snake_case here, camelCase in YAML, never changed in place."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
        frozen=True,
        # The API server prunes what the schema does not have; what a newer version stored must not stop this one.
        extra="ignore",
    )


def text(longest: int, *, pattern: str | None = None, form: str | None = None) -> FieldInfo:
    """Bounds of a string that users write, 1 to `longest` characters.

    Patterns are RE2, the language of the API server and of pydantic; ``form`` is a format that the API server knows, such as ipv4.
    """
    extra: dict[str, Any] | None = {"format": form} if form else None
    bounds: FieldInfo = Field(min_length=1, max_length=longest, pattern=pattern, json_schema_extra=extra)
    return bounds


def list_map(*keys: str) -> dict[str, Any]:
    """Schema extension of a list whose items have a key: server-side apply merges them one by one."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


LIST_SET: dict[str, Any] = {"x-kubernetes-list-type": "set"}
LIST_ATOMIC: dict[str, Any] = {"x-kubernetes-list-type": "atomic"}
MAP_ATOMIC: dict[str, Any] = {"x-kubernetes-map-type": "atomic"}


def _clip(longest: int) -> Callable[[object], object]:
    def clip(value: object) -> object:
        return value[: longest - 1] + "…" if isinstance(value, str) and len(value) > longest else value

    return clip


def _seen(longest: int) -> tuple[FieldInfo, BeforeValidator]:
    """Bounds of a string that the cloud wrote. What is too long is cut: a long text must never stop a status from being written."""
    bounds: FieldInfo = Field(max_length=longest)
    return bounds, BeforeValidator(_clip(longest))


_SHORT, _LONG = _seen(128), _seen(1024)

SeenText = Annotated[str, _SHORT[0], _SHORT[1]]
"""A name, id or code as the cloud gave it, at most 128 characters."""

SeenMessage = Annotated[str, _LONG[0], _LONG[1]]
"""A sentence as the cloud gave it, at most 1024 characters."""

Timestamp = Annotated[AwareDatetime, AfterValidator(lambda value: value.astimezone(UTC))]
"""A point in time; in JSON always UTC with a ``Z``."""

CloudId = Annotated[str, text(64, pattern=r"^[A-Za-z0-9_-]+$")]
"""Id of a resource in the cloud, usually a UUID."""

ItemName = Annotated[str, text(63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
"""Key of a list item, a DNS label."""

ObjectName = Annotated[str, text(253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
"""Name of a Kubernetes object, a DNS subdomain."""

Count = Annotated[int, Field(ge=0, le=1_000_000)]
Generation = Annotated[int, Field(ge=-1, le=2**53)]

DeletionPolicy = Literal["Delete", "Retain"]

ManagementPolicy = Literal["Managed", "Observe"]


class ObjectRef(ApiModel):
    """An object of ours in the same namespace."""

    name: ObjectName
    """Name of the object, in the same namespace."""


class Import(ApiModel):
    """An object of the cloud that is there already."""

    id: CloudId
    """Its id. By name nothing is ever taken over."""


class ProjectRef(ApiModel):
    """An EcsProject."""

    name: ObjectName
    """Name of the EcsProject."""


class KeyRef(ApiModel):
    """One key of a Secret or ConfigMap in the same namespace."""

    name: ObjectName
    """Name of the object that holds the value, in the same namespace."""
    key: Annotated[str, text(253, pattern=r"^[-._a-zA-Z0-9]+$")]
    """Key under which the value stands in it."""


class Condition(ApiModel):
    """One condition, in the form of metav1.Condition."""

    type: Annotated[str, text(63, pattern=r"^[A-Za-z]+$")]
    """Which condition it is, for example Ready. Ready is always there; Reconciling and Stalled only while they are True."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    observed_generation: Generation | None = None
    """metadata.generation it was computed for."""
    last_transition_time: Timestamp
    """When its status changed last."""
    reason: Annotated[str, text(64, pattern=r"^[A-Za-z][A-Za-z0-9]*$")]
    """One word of the documented list of reasons; it tells what to do."""
    message: Annotated[str, Field(max_length=4096), BeforeValidator(_clip(4096))]
    """What goes on or went wrong, with the cloud's error code and request id where there is one."""


Conditions = Annotated[tuple[Condition, ...], Field(max_length=16, json_schema_extra=list_map("type"))]


class Job(ApiModel):
    """A job of the cloud, as the cloud showed it last."""

    id: SeenText
    """Id of the job in the cloud."""
    type: SeenText | None = None
    """What the job does, for example createServer."""
    status: SeenText | None = None
    """INIT, RUNNING, SUCCESS or FAIL."""
    progress: SeenText | None = None
    """Sub-jobs that ended of all sub-jobs, for example 1/2."""
    started_at: Timestamp | None = None
    """When the cloud began it."""
    ended_at: Timestamp | None = None
    """When the cloud ended it."""
    error_code: SeenText | None = None
    """The cloud's error code of a job that failed."""
    fail_reason: SeenMessage | None = None
    """The cloud's text about a job that failed."""


class Restore(ApiModel):
    """What an operation disturbed and has to bring back at its end."""

    power_state: Literal["Running", "Stopped"] | None = None
    """Power state before the operation."""


class Operation(ApiModel):
    """A change that is being carried through, over as many jobs as it takes. Written before the cloud is asked."""

    id: SeenText
    """Names this run of the operation."""
    kind: SeenText
    """What is being done, for example Start, Stop, Restart, Delete, Attach or Detach."""
    step: SeenText
    """The step it is at."""
    job_id: SeenText | None = None
    """The cloud's job of this step."""
    started_at: Timestamp
    """When the operation began."""
    deadline: Timestamp | None = None
    """When the step is given up, or goes on in another way."""
    attempts: Count | None = None
    """How many times the step was sent."""
    restore: Restore | None = None
    """What to bring back at the end."""
