"""The commands the machine gives. Servers, volumes and so on go by the model's names; one that is not there is unknown to the cloud."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


class Command:
    """Anything that can be asked of the cloud."""

    __slots__ = ()


# Servers


@dataclass(frozen=True, slots=True)
class Create(Command):
    """5.1.1, or 6.2.1 if ``natively``. ``data`` is the size of a data disk, 0 for none."""

    flavor: str = "large"
    image: str = "linux"
    count: int = 1
    data: int = 0
    root: int = 40
    address: str | None = None
    group: str | None = None
    key: str = "ops"
    natively: bool = False


@dataclass(frozen=True, slots=True)
class Delete(Command):
    """5.1.2."""

    servers: tuple[str, ...]
    volumes: bool = False


@dataclass(frozen=True, slots=True)
class DeleteNatively(Command):
    """6.2.3."""

    server: str


@dataclass(frozen=True, slots=True)
class Power(Command):
    """5.3.1 to 5.3.3."""

    action: Literal["start", "stop", "reboot"]
    servers: tuple[str, ...]
    mode: Literal["SOFT", "HARD"] = "SOFT"


@dataclass(frozen=True, slots=True)
class PowerNatively(Command):
    """6.3.1 to 6.3.3."""

    action: Literal["start", "stop", "reboot"]
    server: str
    mode: Literal["SOFT", "HARD"] = "SOFT"


@dataclass(frozen=True, slots=True)
class Lock(Command):
    """6.3.4, or 6.3.5 if not ``on``."""

    server: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Rename(Command):
    """6.2.2."""

    server: str
    name: str


@dataclass(frozen=True, slots=True)
class Recover(Command):
    """11.1.2."""

    server: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Break(Command):
    """By hand, not by the API: the server is in ERROR."""

    server: str


# Flavors and systems


@dataclass(frozen=True, slots=True)
class Resize(Command):
    """5.2.4, only a check if ``dry``."""

    server: str
    flavor: str
    dry: bool = False


@dataclass(frozen=True, slots=True)
class ResizeNatively(Command):
    """6.3.8."""

    server: str
    flavor: str


@dataclass(frozen=True, slots=True)
class Settle(Command):
    """6.3.9, or 6.3.10 if not ``keep``."""

    server: str
    keep: bool = True


@dataclass(frozen=True, slots=True)
class Reinstall(Command):
    """5.2.1, or 5.2.2 with an image."""

    server: str
    image: str | None = None
    key: str = "ops"


@dataclass(frozen=True, slots=True)
class Rebuild(Command):
    """6.3.6."""

    server: str
    image: str


@dataclass(frozen=True, slots=True)
class MakeImage(Command):
    """6.3.7."""

    server: str


@dataclass(frozen=True, slots=True)
class DeleteImage(Command):
    """11.2.5."""

    image: str


# Metadata and tags


@dataclass(frozen=True, slots=True)
class SetMetadata(Command):
    """6.9.1, 6.9.2 if ``replace``, 6.9.6 if ``single``."""

    server: str
    key: str
    value: str
    how: Literal["merge", "replace", "single"] = "merge"


@dataclass(frozen=True, slots=True)
class RemoveMetadata(Command):
    """6.9.3."""

    server: str
    key: str


@dataclass(frozen=True, slots=True)
class AddTags(Command):
    """5.9.3: each key with the same value."""

    server: str
    keys: tuple[str, ...]
    value: str = "x"


@dataclass(frozen=True, slots=True)
class RemoveTags(Command):
    """5.9.4."""

    server: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AddTag(Command):
    """6.15.4."""

    server: str
    tag: str


@dataclass(frozen=True, slots=True)
class RemoveTag(Command):
    """6.15.6."""

    server: str
    tag: str


@dataclass(frozen=True, slots=True)
class ReplaceTags(Command):
    """6.15.2, or 6.15.3 without any."""

    server: str
    tags: tuple[str, ...]


# Groups


@dataclass(frozen=True, slots=True)
class MakeGroup(Command):
    """5.10.1, or 6.12.1 if ``natively``."""

    natively: bool = False


@dataclass(frozen=True, slots=True)
class DeleteGroup(Command):
    """5.10.2, or 6.12.4 if ``natively``."""

    group: str
    natively: bool = False


@dataclass(frozen=True, slots=True)
class Join(Command):
    """5.10.3, or 5.10.4 if not ``on``."""

    group: str
    server: str
    on: bool = True


# Volumes and snapshots


@dataclass(frozen=True, slots=True)
class MakeVolume(Command):
    """11.4.4."""

    size: int | None = 10
    snapshot: str | None = None
    zone: str = "a"


@dataclass(frozen=True, slots=True)
class DeleteVolume(Command):
    """11.4.5."""

    volume: str


@dataclass(frozen=True, slots=True)
class Attach(Command):
    """5.6.1, or 6.8.3 if ``natively``."""

    server: str
    volume: str
    natively: bool = False


@dataclass(frozen=True, slots=True)
class Detach(Command):
    """5.6.2, or 6.8.4 if ``natively``."""

    server: str
    volume: str
    force: bool = False
    natively: bool = False


@dataclass(frozen=True, slots=True)
class MakeSnapshot(Command):
    """11.6.1."""

    volume: str
    force: bool = False


@dataclass(frozen=True, slots=True)
class DeleteSnapshot(Command):
    """11.6.3."""

    snapshot: str


# Networks


@dataclass(frozen=True, slots=True)
class AddInterfaces(Command):
    """5.5.1."""

    server: str
    count: int = 1
    address: str | None = None


@dataclass(frozen=True, slots=True)
class RemoveInterface(Command):
    """5.5.2, or 6.7.4 if ``natively``. ``index`` 0 is the primary one."""

    server: str
    index: int
    natively: bool = False


@dataclass(frozen=True, slots=True)
class AttachInterface(Command):
    """6.7.3: a new interface, or the spare port."""

    server: str
    spare: bool = False


@dataclass(frozen=True, slots=True)
class MakeFloatingIp(Command):
    """11.5.3."""


@dataclass(frozen=True, slots=True)
class DeleteFloatingIp(Command):
    """11.5.6."""

    ip: str


@dataclass(frozen=True, slots=True)
class Bind(Command):
    """11.5.1, or 11.5.2 if not ``on``."""

    server: str
    ip: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Protect(Command):
    """6.5.1, or 6.5.2 if not ``on``."""

    server: str
    security_group: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class MakeSecurityGroup(Command):
    """11.3.2."""

    name: str


@dataclass(frozen=True, slots=True)
class DeleteSecurityGroup(Command):
    """11.3.5."""

    name: str


# Key pairs


@dataclass(frozen=True, slots=True)
class ImportKey(Command):
    """6.11.3."""

    name: str


@dataclass(frozen=True, slots=True)
class DeleteKey(Command):
    """6.11.4."""

    name: str
