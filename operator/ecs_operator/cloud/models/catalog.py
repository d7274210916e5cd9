"""What can be chosen from: flavors and images (ECS API reference 5.4, 6.6, 11.2)."""

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


class FlavorName(Answer):
    """A flavor in a list without details (6.6.1)."""

    id: str
    name: Text = ""


class FlavorSpecs(Answer):
    """The answer of 6.6.4."""

    extra_specs: Pairs


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


class FlavorNamePage(Answer):
    """One page of 6.6.1."""

    flavors: tuple[FlavorName, ...]
    flavors_links: Links = ()


class FlavorPage(Answer):
    """One page of 6.6.2, or the answer of 5.4.1."""

    flavors: tuple[Flavor, ...]
    flavors_links: Links = ()


class ImageName(Answer):
    """An image in a list without details (11.2.1)."""

    id: str
    name: Text = ""


class ImageNamePage(Answer):
    """One page of 11.2.1."""

    images: tuple[ImageName, ...]
    images_links: Links = ()


class ImageSource(Answer):
    """The server an image was made of (6.3.7)."""

    id: str


class Image(Answer):
    """An image (11.2.2, 11.2.3). ``min_disk`` in GiB, ``min_ram`` in MiB, ``size`` in bytes; ``progress`` in per cent.

    ``server`` is what a private one was made of.
    """

    id: str
    name: Text = ""
    status: Text = ""
    progress: Number = 0
    size: Number = Field(alias="OS-EXT-IMG-SIZE:size", default=0)
    min_disk: Number = Field(alias="minDisk", default=0)
    min_ram: Number = Field(alias="minRam", default=0)
    server: ImageSource | None = None
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
