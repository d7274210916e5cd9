"""The part of the fake cloud that is the network: interfaces of servers and public addresses. Each call that changes is an effect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ecs_operator.cloud import Address, CloudError, FixedIp, FloatingIp, Interface, JobAccepted, Meaning, NewInterface
from tests.unit.resources.server.fake_cloud import FakeCloud, refusal

MOST = 4
"""Interfaces that a server may have here."""


@dataclass(frozen=True)
class Port:
    """One interface. ``groups``: what it was added with; None at creation."""

    id: str
    subnet: str
    ip: str
    mac: str
    groups: tuple[str, ...] | None = None

    def shown(self) -> Interface:
        return Interface(
            port_id=self.id, net_id=self.subnet, mac_addr=self.mac, port_state="ACTIVE", fixed_ips=(FixedIp(ip_address=self.ip),)
        )


PLANTED = ({"subnet_id": "157ee789-03ea-45b1-a698-76c92660dd83"},)
"""The interfaces of a server that was not made here."""


class FakeNetwork:
    """Ports by server. A server's own come with it, the first one primary."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._cloud = cloud
        self._ports: dict[str, list[Port]] = {}
        self.floating: dict[str, FloatingIp] = {}
        self.added: list[NewInterface] = []
        self.removed: list[str] = []
        self.reads = 0
        self.next_failure: tuple[str, str] | None = None
        self.names_ports = True
        """Jobs name the port they are about."""
        self.has_addresses = True
        """The endpoint has the calls of 11.5."""
        self.refused: dict[str, CloudError] = {}
        self._number = 0
        cloud.on_arrival = self._arrived
        self.interfaces = SimpleNamespace(list=self.list, add=self.add, remove=self.remove)
        self.floating_ips = SimpleNamespace(get=self.get_address, list=self.list_addresses, add=self.bind, remove=self.unbind)

    # Interfaces

    def ports(self, server_id: str) -> list[Port]:
        asked, addresses = self._cloud.asked_for.get(server_id, {}).get("nics", PLANTED), self._server(server_id).addresses
        if server_id not in self._ports and addresses:
            fixed = [each for each in addresses if each.type == "fixed"]
            self._ports[server_id] = [
                Port(f"port-{each.mac}", nic["subnet_id"], each.ip, each.mac) for each, nic in zip(fixed, asked, strict=True)
            ]
        return self._ports.get(server_id, [])

    async def list(self, server_id: str) -> tuple[Interface, ...]:
        self.reads += 1
        return tuple(each.shown() for each in self.ports(server_id))

    async def add(self, server_id: str, wanted: Iterable[NewInterface]) -> JobAccepted:
        (new,) = tuple(wanted)

        def do() -> JobAccepted:
            self._require(server_id, "addInterfaces")
            if len(self.ports(server_id)) >= MOST:
                raise refusal(
                    "addInterfaces", meaning=Meaning.INVALID, status=400, code="Ecs.0050", message="the flavor takes 4 interfaces"
                )
            return self.arrive(server_id, new)

        accepted: JobAccepted = self._cloud.effects.perform("cloud.add_interface", lambda: self._unless_refused("add_interface", do))
        return accepted

    def arrive(self, server_id: str, new: NewInterface) -> JobAccepted:
        """An addition reaches the cloud, in time or late."""
        self.added.append(new)
        self._cloud.set(server_id, host_id="busy")
        port = self.make(server_id, new.subnet_id, ip=new.ip_address, groups=new.security_group_ids)
        fails, self.next_failure = self.next_failure, None

        def end() -> None:
            self._cloud.set(server_id, host_id="host of None")
            if fails:
                self.drop(server_id, port.id)

        return self._job("addNics", server_id, port.id, fails, end)

    async def remove(self, server_id: str, port_ids: Iterable[str]) -> JobAccepted:
        (port_id,) = tuple(port_ids)

        def do() -> JobAccepted:
            self._require(server_id, "removeInterfaces")
            ids = [each.id for each in self.ports(server_id)]
            if port_id == ids[0]:
                raise refusal("removeInterfaces", meaning=Meaning.FORBIDDEN, status=403, code="Ecs.0507", message="it is the primary one")
            if port_id not in ids:
                raise refusal("removeInterfaces", status=400, code="Ecs.0085", message="there is no such port")
            self.removed.append(port_id)
            self._cloud.set(server_id, host_id="busy")
            fails, self.next_failure = self.next_failure, None

            def end() -> None:
                self._cloud.set(server_id, host_id="host of None")
                if not fails:
                    self.drop(server_id, port_id)

            return self._job("deleteNics", server_id, port_id, fails, end)

        accepted: JobAccepted = self._cloud.effects.perform("cloud.remove_interface", lambda: self._unless_refused("remove_interface", do))
        return accepted

    def make(self, server_id: str, subnet: str, *, ip: str | None = None, groups: tuple[str, ...] | None = None) -> Port:
        """A port more, by whoever it is."""
        self._number += 1
        ports = self.ports(server_id)
        port = Port(f"port-{self._number}", subnet, ip or f"192.168.0.{100 + self._number}", f"fa:16:3e:00:01:{self._number:02}", groups)
        ports.append(port)
        address = Address(network="vpc", ip=port.ip, mac=port.mac, type="fixed")
        self._cloud.set(server_id, addresses=(*self._server(server_id).addresses, address))
        return port

    def drop(self, server_id: str, port_id: str) -> None:
        """A port less, by whoever it is."""
        port = next(each for each in self.ports(server_id) if each.id == port_id)
        self.ports(server_id).remove(port)
        self._cloud.set(server_id, addresses=tuple(each for each in self._server(server_id).addresses if each.mac != port.mac))

    # Public addresses

    def own(self, address_id: str, ip: str) -> None:
        """The project has this address; nothing uses it."""
        self.floating[address_id] = FloatingIp(id=address_id, ip=ip)

    async def get_address(self, address_id: str) -> FloatingIp:
        self.reads += 1
        if not self.has_addresses or address_id not in self.floating:
            raise refusal("showFloatingIp")
        return self.floating[address_id]

    async def list_addresses(self) -> tuple[FloatingIp, ...]:
        self.reads += 1
        if not self.has_addresses:
            raise refusal("listFloatingIps")
        return tuple(self.floating.values())

    async def bind(self, server_id: str, address: str, *, fixed_address: str | None = None) -> None:
        def do() -> None:
            found = self._by_ip(address)
            if found.instance_id is not None:
                raise refusal("addFloatingIp", meaning=Meaning.INVALID, status=400, message="it is bound already")
            self.put(found.id, server_id, fixed_address=fixed_address)

        self._cloud.effects.perform("cloud.bind", lambda: self._unless_refused("bind", do))

    async def unbind(self, server_id: str, address: str) -> None:
        def do() -> None:
            found = self._by_ip(address)
            if found.instance_id != server_id:
                raise refusal("removeFloatingIp", meaning=Meaning.INVALID, status=400, message="it is not bound")
            self.take(found.id)

        self._cloud.effects.perform("cloud.unbind", lambda: self._unless_refused("unbind", do))

    def put(self, address_id: str, server_id: str, *, fixed_address: str | None = None) -> None:
        """An address is bound, by whoever it is."""
        found = self.floating[address_id]
        fixed = fixed_address or self.ports(server_id)[0].ip
        mac = next(each.mac for each in self.ports(server_id) if each.ip == fixed)
        self.floating[address_id] = found.model_copy(update={"instance_id": server_id, "fixed_ip": fixed})
        address = Address(network="vpc", ip=found.ip, mac=mac, type="floating")
        self._cloud.set(server_id, addresses=(*self._server(server_id).addresses, address))

    def take(self, address_id: str) -> None:
        """An address is unbound, by whoever it is."""
        found = self.floating[address_id]
        server_id = found.instance_id or ""
        self.floating[address_id] = found.model_copy(update={"instance_id": None, "fixed_ip": None})
        self._cloud.set(server_id, addresses=tuple(each for each in self._server(server_id).addresses if each.ip != found.ip))

    def _arrived(self, server_id: str) -> None:
        """A server is there, with the address it was created with."""
        address_id = self._cloud.asked_for[server_id].get("publicip", {}).get("id")
        if address_id is not None:
            if address_id not in self.floating:
                self.own(address_id, "80.158.9.9")
            self.put(address_id, server_id)

    def _by_ip(self, ip: str) -> FloatingIp:
        return next(each for each in self.floating.values() if each.ip == ip)

    # Both

    def _require(self, server_id: str, operation: str) -> None:
        server = self._server(server_id)
        if server.host_id == "busy" or server.task_state:
            raise refusal(operation, meaning=Meaning.BUSY, status=501, code="Ecs.0603", message="another command runs")
        if server.locked:
            raise refusal(operation, meaning=Meaning.CONFLICT, status=400, code="Ecs.0605", message="it is locked")

    def _job(self, kind: str, server_id: str, port_id: str, fails: tuple[str, str] | None, end: Any) -> JobAccepted:
        job_id = self._cloud._job(kind, (server_id,), 6.0, end)
        task = self._cloud.jobs[job_id]
        task.fails, task.nic_id = fails, port_id if self.names_ports else None
        return JobAccepted(job_id=job_id)

    def _unless_refused(self, name: str, do: Any) -> Any:
        if name in self.refused:
            raise self.refused[name]
        return do()

    def _server(self, server_id: str) -> Any:
        return self._cloud.servers_by_id[server_id].server
