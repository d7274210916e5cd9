"""What can be chosen from: flavors, images, networks; and what a project may use (ECS API reference 5.4, 5.7, 6.4, 6.6, 11.2)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field

from ecs_operator.cloud.models.wire import Answer, Number, Pairs, Text

_ZONE_STATUS = re.compile(r"([^,()\s]+)\s*\(\s*([^()]*?)\s*\)")
_SOLD_OUT = frozenset({"abandon", "sellout", "obt_sellout"})


def _none(value: object) -> object:
    return {} if value is None else value


class Flavor(Answer):
    """A flavor (5.4.1, 6.6). ``ram`` in MiB. ``extra_specs`` only comes with 5.4.1."""

    id: str
    name: Text = ""
    vcpus: Number = 0
    ram: Number = 0
    disabled: bool = Field(alias="OS-FLV-DISABLED:disabled", default=False)
    extra_specs: Annotated[Pairs, BeforeValidator(_none)] = Field(alias="os_extra_specs", default_factory=dict)

    def sale_status(self, zone: str) -> str:
        """``normal``, ``abandon``, ``sellout``, ``obt``, ``obt_sellout`` or ``promotion`` in a zone (table 5-41)."""
        by_zone = dict(_ZONE_STATUS.findall(self.extra_specs.get("cond:operation:az", "")))
        return by_zone.get(zone) or self.extra_specs.get("cond:operation:status") or "normal"

    def is_on_sale(self, zone: str) -> bool:
        """It can be had in the zone now."""
        return self.sale_status(zone) not in _SOLD_OUT


class FlavorAnswer(Answer):
    """The answer of 6.6.3."""

    flavor: Flavor


class Link(Answer):
    """A link; ``next`` leads to the following page."""

    rel: Text = ""
    href: Text = ""


def _no_links(value: object) -> object:
    return () if value is None else value


Links = Annotated[tuple[Link, ...], BeforeValidator(_no_links)]


class FlavorPage(Answer):
    """One page of 6.6.2, or the answer of 5.4.1."""

    flavors: tuple[Flavor, ...]
    flavors_links: Links = ()


class Image(Answer):
    """An image (11.2.2, 11.2.3). ``min_disk`` in GiB, ``min_ram`` in MiB."""

    id: str
    name: Text = ""
    status: Text = ""
    min_disk: Number = Field(alias="minDisk", default=0)
    min_ram: Number = Field(alias="minRam", default=0)
    created: Text = ""
    updated: Text = ""
    metadata: Annotated[Pairs, BeforeValidator(_none)] = Field(default_factory=dict)

    @property
    def os_type(self) -> str:
        """``Linux``, ``Windows``, or empty when the image does not say."""
        return self.metadata.get("__os_type") or self.metadata.get("os_type", "")


class ImageAnswer(Answer):
    """The answer of 11.2.3."""

    image: Image


def _one_or_many(value: object) -> object:
    return value if isinstance(value, list) else [value]


class ImagePage(Answer):
    """One page of 11.2.2, whose example shows one object under ``image`` where a list is due."""

    images: Annotated[tuple[Image, ...], BeforeValidator(_one_or_many)] = Field(validation_alias=AliasChoices("images", "image"))
    images_links: Links = ()


class Network(Answer):
    """A network, that is a subnet's network id, with its name (6.4.1)."""

    id: str
    label: Text = ""


class Networks(Answer):
    """The answer of 6.4.1."""

    networks: tuple[Network, ...]


class Limits(Answer):
    """Quota and use of the project (5.7.1). RAM in MiB; -1 is unlimited."""

    max_total_instances: Number = Field(alias="maxTotalInstances", default=-1)
    max_total_cores: Number = Field(alias="maxTotalCores", default=-1)
    max_total_ram_size: Number = Field(alias="maxTotalRAMSize", default=-1)
    max_server_groups: Number = Field(alias="maxServerGroups", default=-1)
    max_server_group_members: Number = Field(alias="maxServerGroupMembers", default=-1)
    total_instances_used: Number = Field(alias="totalInstancesUsed", default=0)
    total_cores_used: Number = Field(alias="totalCoresUsed", default=0)
    total_ram_used: Number = Field(alias="totalRAMUsed", default=0)
    total_server_groups_used: Number = Field(alias="totalServerGroupsUsed", default=0)


class LimitsAnswer(Answer):
    """The answer of 5.7.1."""

    absolute: Limits
