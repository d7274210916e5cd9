"""Metadata of servers, versions of the API, projects of an account (ECS API reference 6.1, 6.9, 10.2)."""

from __future__ import annotations

import re

from ecs_operator.cloud.models.wire import Answer, Pairs, Text

_MICROVERSION = re.compile(r"^(\d+)\.(\d+)$")


class Metadata(Answer):
    """The answer of 6.9.1, 6.9.4 and 11.2.4."""

    metadata: Pairs


class MetadataItem(Answer):
    """The answer of 6.9.5: an object with the one pair."""

    meta: Pairs


class ApiVersion(Answer):
    """One version of the API (6.1.1, 6.1.2). Without microversions both bounds are empty."""

    id: str
    status: Text = ""
    min_version: Text = ""
    version: Text = ""
    updated: Text = ""

    def microversions(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Lowest and highest microversion, None when there are none."""
        low, high = _MICROVERSION.match(self.min_version), _MICROVERSION.match(self.version)
        if not low or not high:
            return None
        return (int(low[1]), int(low[2])), (int(high[1]), int(high[2]))


class ApiVersions(Answer):
    """The answer of 6.1.1."""

    versions: tuple[ApiVersion, ...]


class ApiVersionAnswer(Answer):
    """The answer of 6.1.2."""

    version: ApiVersion


class IamProject(Answer):
    """A project of the account (10.2)."""

    id: str
    name: Text = ""
    domain_id: Text = ""
    enabled: bool = True


class IamProjects(Answer):
    """The answer of 10.2."""

    projects: tuple[IamProject, ...]
