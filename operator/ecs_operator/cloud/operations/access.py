"""Versions of the API and projects of the account (ECS API reference 6.1, 10.2)."""

from __future__ import annotations

from ecs_operator.cloud.microversions import LIST_VERSIONS
from ecs_operator.cloud.models.access import ApiVersion, ApiVersionAnswer, ApiVersions, IamProject, IamProjects
from ecs_operator.cloud.operation import Family, Operation
from ecs_operator.cloud.session import Session

SHOW_VERSION = Operation(section="6.1.2", name="showVersion", method="GET", path="/{api_version}", family=Family.ROOT)
LIST_PROJECTS = Operation(section="10.2", name="listProjects", method="GET", path="/v3/projects", family=Family.IAM, lists=True)


class Versions:
    """Versions of the native API. Raises CloudError."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def discover(self) -> tuple[ApiVersion, ...]:
        """6.1.1: the versions the endpoint has."""
        return (await self._session.call(LIST_VERSIONS)).read(ApiVersions).versions

    async def get(self, version: str) -> ApiVersion:
        """6.1.2: one version, e.g. ``v2.1``."""
        return (await self._session.call(SHOW_VERSION, path={"api_version": version})).read(ApiVersionAnswer).version

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
