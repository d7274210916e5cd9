"""Jobs, interfaces, metadata, versions, projects (ECS API reference 5.8, 6.1, 6.7, 6.9, 10.2)."""

from __future__ import annotations

from collections.abc import Mapping

from ecs_operator.cloud.microversions import LIST_VERSIONS
from ecs_operator.cloud.models.access import ApiVersion, ApiVersions, IamProject, IamProjects, Interface, Interfaces, Metadata
from ecs_operator.cloud.models.jobs import Job
from ecs_operator.cloud.models.servers import SECRET_METADATA
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check, metadata_pairs
from ecs_operator.cloud.session import Session

_SERVER = "/v2.1/{project_id}/servers/{server_id}"

SHOW_JOB = Operation(section="5.8.1", name="showJob", method="GET", path="/v1/{project_id}/jobs/{job_id}")
LIST_INTERFACES = Operation(
    section="6.7.1",
    name="listInterfaces",
    method="GET",
    path=f"{_SERVER}/os-interface",
    family=Family.NOVA,
    microversion=MICROVERSION_HIGHEST,
)
MERGE_METADATA = Operation(
    section="6.9.1",
    name="updateServerMetadata",
    method="POST",
    path=f"{_SERVER}/metadata",
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
)
REMOVE_METADATA = Operation(
    section="6.9.3",
    name="deleteServerMetadataItem",
    method="DELETE",
    path=f"{_SERVER}/metadata/{{key}}",
    family=Family.NOVA,
    kind=Kind.WRITE,
    lane=Lane.URGENT,
)
SHOW_METADATA = Operation(section="6.9.4", name="listServerMetadata", method="GET", path=f"{_SERVER}/metadata", family=Family.NOVA)
LIST_PROJECTS = Operation(section="10.2", name="listProjects", method="GET", path="/v3/projects", family=Family.IAM, lists=True)


class Jobs:
    """Asynchronous tasks. Raises CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, job_id: str) -> Job:
        """5.8.1: one task. ``NOT_FOUND`` (404, or 400 ``Common.0011``) when it is forgotten: then look at the server."""
        return (await self._session.call(SHOW_JOB, path={"job_id": job_id})).read(Job)


class InterfaceList:
    """Interfaces of servers. Raises CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def list(self, server_id: str) -> tuple[Interface, ...]:
        """6.7.1: the interfaces of a server."""
        answer = await self._session.call(LIST_INTERFACES, path={"server_id": server_id})
        return answer.read(Interfaces).interface_attachments


class ServerMetadata:
    """Metadata of servers. All raise CloudError.

    Writable only while vm_state is active, stopped, paused or suspended. 6.9.2, which replaces all pairs, is left out on purpose.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def merge(self, server_id: str, pairs: Mapping[str, str]) -> Mapping[str, str]:
        """6.9.1: set these pairs and leave the others as they are."""
        body = {"metadata": metadata_pairs(MERGE_METADATA, pairs)}
        check(MERGE_METADATA, "metadata", "must not be empty", holds=bool(pairs))
        answer = await self._session.call(MERGE_METADATA, path={"server_id": server_id}, body=body)
        return _without_secrets(answer.read(Metadata).metadata)

    async def remove(self, server_id: str, key: str) -> None:
        """6.9.3: remove one pair."""
        await self._session.call(REMOVE_METADATA, path={"server_id": server_id, "key": key})

    async def get(self, server_id: str) -> Mapping[str, str]:
        """6.9.4: all pairs, without those that hold a password."""
        answer = await self._session.call(SHOW_METADATA, path={"server_id": server_id})
        return _without_secrets(answer.read(Metadata).metadata)


class Versions:
    """Versions of the native API. Raises CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def discover(self) -> tuple[ApiVersion, ...]:
        """6.1.1: the versions the endpoint has."""
        return (await self._session.call(LIST_VERSIONS)).read(ApiVersions).versions

    async def for_reads(self) -> str | None:
        """The microversion that servers are read with, e.g. ``2.46``; None where the endpoint has none that shows tags."""
        return await self._session.microversions.for_reads()


class Identity:
    """What IAM knows of us. Raises CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def projects(self) -> tuple[IamProject, ...]:
        """10.2: the projects of the account."""
        return (await self._session.call(LIST_PROJECTS)).read(IamProjects).projects


def _without_secrets(pairs: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in pairs.items() if key.lower() not in SECRET_METADATA}
