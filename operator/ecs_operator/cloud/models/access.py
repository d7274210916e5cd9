"""Interfaces of servers, versions of the API, projects of an account (ECS API reference 6.1, 6.7, 10.2)."""

from __future__ import annotations

import re

from pydantic import Field

from ecs_operator.cloud.models.wire import Answer, Pairs, Text

_MICROVERSION = re.compile(r"^(\d+)\.(\d+)$")


class FixedIp(Answer):
    """A private address of an interface. ``subnet_id`` is not the id that requests name: that is ``net_id``."""

    subnet_id: Text = ""
    ip_address: Text = ""


class Interface(Answer):
    """An interface of a server (6.7.1). ``net_id`` is what a spec calls the subnet."""

    port_id: str
    net_id: Text = ""
    mac_addr: Text = ""
    port_state: Text = ""
    fixed_ips: tuple[FixedIp, ...] = ()


class Interfaces(Answer):
    """The answer of 6.7.1."""

    interface_attachments: tuple[Interface, ...] = Field(alias="interfaceAttachments")


class Metadata(Answer):
    """The answer of 6.9.1 and 6.9.4."""

    metadata: Pairs


class ApiVersion(Answer):
    """One version of the API (6.1.1). Without microversions both bounds are empty."""

    id: str
    status: Text = ""
    min_version: Text = ""
    version: Text = ""

    def microversions(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Lowest and highest microversion, None when there are none."""
        low, high = _MICROVERSION.match(self.min_version), _MICROVERSION.match(self.version)
        if not low or not high:
            return None
        return (int(low[1]), int(low[2])), (int(high[1]), int(high[2]))


class ApiVersions(Answer):
    """The answer of 6.1.1."""

    versions: tuple[ApiVersion, ...]


class IamProject(Answer):
    """A project of the account (10.2)."""

    id: str
    name: Text = ""
    domain_id: Text = ""
    enabled: bool = True


class IamProjects(Answer):
    """The answer of 10.2."""

    projects: tuple[IamProject, ...]
