"""Commands that one call gives to many servers (ECS API reference 5.1.2, 5.3), as values: equal ones can travel together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, assert_never

from ecs_operator.cloud import JobAccepted

Mode = Literal["SOFT", "HARD"]


@dataclass(frozen=True, slots=True)
class Start:
    """5.3.1."""

    operation: ClassVar[str] = "startServers"
    is_rationed: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Stop:
    """5.3.3."""

    operation: ClassVar[str] = "stopServers"
    is_rationed: ClassVar[bool] = True

    mode: Mode


@dataclass(frozen=True, slots=True)
class Reboot:
    """5.3.2."""

    operation: ClassVar[str] = "rebootServers"
    is_rationed: ClassVar[bool] = True

    mode: Mode


@dataclass(frozen=True, slots=True)
class Delete:
    """5.1.2."""

    operation: ClassVar[str] = "deleteServers"
    is_rationed: ClassVar[bool] = False

    public_ip: bool
    volume: bool


Command = Start | Stop | Reboot | Delete
"""``is_rationed``: the cloud takes only so many servers a minute."""


class ServerCommands(Protocol):
    """What is needed of ``client.servers``. All raise CloudError."""

    async def start(self, server_ids: Sequence[str]) -> JobAccepted:
        """5.3.1."""

    async def stop(self, server_ids: Sequence[str], mode: Mode) -> JobAccepted:
        """5.3.3."""

    async def reboot(self, server_ids: Sequence[str], mode: Mode) -> JobAccepted:
        """5.3.2."""

    async def delete(self, server_ids: Sequence[str], *, delete_public_ip: bool, delete_volume: bool) -> JobAccepted:
        """5.1.2."""


async def make(command: Command, servers: ServerCommands, server_ids: Sequence[str]) -> JobAccepted:
    """Make the call. Raises CloudError."""
    match command:
        case Start():
            return await servers.start(server_ids)
        case Stop(mode=mode):
            return await servers.stop(server_ids, mode)
        case Reboot(mode=mode):
            return await servers.reboot(server_ids, mode)
        case Delete(public_ip=public_ip, volume=volume):
            return await servers.delete(server_ids, delete_public_ip=public_ip, delete_volume=volume)
        case _ as unreachable:
            assert_never(unreachable)
