"""What servers are made of and connected to: flavors, images, networks, security groups, key pairs."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from ecs_simulator.world.refusal import Refusal, invalid

# The lower addresses are left to those who choose their own.
FIRST_AUTOMATIC_HOST = 100
DEFAULT_GROUP = "default"
_ZONE_STATUS = re.compile(r"([^,()\s]+)\s*\(\s*([^()]*?)\s*\)")
_NOT_SOLD = frozenset({"abandon", "sellout", "obt_sellout"})


@dataclass(slots=True)
class Flavor:
    """A flavor. ``ram`` in MiB; ``specs`` are its extra specs (table 5-41); ``sold_out`` names zones.

    ``max_data_volumes`` is 59, for some flavors 23 (5.1.1).
    """

    id: str
    vcpus: int
    ram: int
    specs: dict[str, str] = field(default_factory=dict)
    sold_out: list[str] = field(default_factory=list)
    max_data_volumes: int = 59

    @property
    def max_nics(self) -> int:
        """How many interfaces a server of it takes: the smaller of its own maximum and 12."""
        return min(12, int(self.specs.get("instance_vnic:max_count", "12")))

    @property
    def recovers(self) -> bool:
        """Servers of it can be recovered automatically (``cond:compute``)."""
        return "autorecovery" in self.specs.get("cond:compute", "").split(",")

    def sale_status(self, zone: str) -> str:
        """Return the status in a zone: sold out by hand, else what its extra specs say, for the zone or everywhere (table 5-41)."""
        if zone in self.sold_out:
            return "sellout"
        by_zone = dict(_ZONE_STATUS.findall(self.specs.get("cond:operation:az", "")))
        return str(by_zone.get(zone) or self.specs.get("cond:operation:status") or "normal")

    def is_sold_in(self, zone: str) -> bool:
        """Servers of it can be had in a zone now."""
        return self.sale_status(zone) not in _NOT_SOLD

    def extra_specs(self, zones: tuple[str, ...]) -> dict[str, str]:
        """Return the extra specs as shown, with the zones where it is sold out."""
        if not self.sold_out:
            return dict(self.specs)
        by_zone = ", ".join(f"{zone}({self.sale_status(zone)})" for zone in zones)
        return {"cond:operation:status": "normal", **self.specs, "cond:operation:az": by_zone}


@dataclass(slots=True)
class Image:
    """An image. ``min_disk`` in GiB, ``min_ram`` in MiB, ``size`` in bytes; ``status`` as Glance calls it.

    ``project_id`` is None for a public image; a private one (6.3.7) is seen by its project only. ``server_id`` is what it was made of,
    and ``zone`` the only one where it can be used. ``cloud_init``: Cloud-init or Cloudbase-init is in it, which 5.2.1 and 5.2.2 need.
    """

    id: str
    name: str
    os_type: str
    min_disk: int
    created: float
    min_ram: int = 0
    size: int = 1024**3
    status: str = "active"
    metadata: dict[str, str] = field(default_factory=dict)
    project_id: str | None = None
    server_id: str | None = None
    zone: str | None = None
    cloud_init: bool = True
    updated: float | None = None

    def is_seen_by(self, project_id: str) -> bool:
        """Tell whether a project may see and use it."""
        return self.project_id is None or self.project_id == project_id


@dataclass(slots=True)
class SecurityGroupRule:
    """A rule that lets something in: from a range of addresses, or from the members of a group.

    For ICMP the ports are type and code, both -1 for all of it. A rule without protocol and ports lets everything in.
    """

    id: str
    protocol: str | None
    from_port: int | None
    to_port: int | None
    cidr: str | None = None
    group_id: str | None = None


@dataclass(slots=True)
class SecurityGroup:
    """A security group with its rules for what comes in; those for what goes out are not shown by this API (11.3.3)."""

    id: str
    name: str
    description: str = ""
    rules: list[SecurityGroupRule] = field(default_factory=list)

    @property
    def is_default(self) -> bool:
        """It is the group of those who name none."""
        return self.name == DEFAULT_GROUP


@dataclass(slots=True)
class KeyPair:
    """A key pair; only the user who made it sees it. The private half is never kept."""

    name: str
    user_id: str
    public_key: str
    created: float
    fingerprint: str = ""
    type: str = "ssh"
    id: int = 0


@dataclass(slots=True)
class Network:
    """A subnet in the words of 5.1.1. ``id`` is its network id, which requests name; ``subnet_id`` is what interfaces show beside it.

    ``used`` maps addresses to ports; ``gateway`` is taken from the start.
    """

    id: str
    subnet_id: str
    vpc_id: str
    name: str
    cidr: str
    used: dict[str, str] = field(default_factory=dict)
    next_host: int = FIRST_AUTOMATIC_HOST

    @property
    def gateway(self) -> str:
        """The first address."""
        return str(ipaddress.IPv4Network(self.cidr)[1])

    @property
    def capacity(self) -> int:
        """How many addresses servers can have: all but network, gateway and broadcast."""
        return max(0, ipaddress.IPv4Network(self.cidr).num_addresses - 3)

    @property
    def free(self) -> int:
        """How many addresses are left."""
        return self.capacity - len(self.used)

    def check(self, address: str) -> None:
        """Refuse an address that a server cannot have here (Ecs.0039, Ecs.0010)."""
        network = ipaddress.IPv4Network(self.cidr)
        try:
            wanted = ipaddress.IPv4Address(address)
        except ValueError:
            raise invalid(f"privateIp [{address}] is not an IPv4 address") from None
        if wanted not in network:
            raise invalid(f"privateIp [{address}] is not in this subnet [{self.id}]", "Ecs.0039")
        if wanted in {network.network_address, network.broadcast_address} or str(wanted) == self.gateway or str(wanted) in self.used:
            raise Refusal("Ecs.0010", f"privateIp [{address}] is already being used in subnet [{self.id}].")

    def take(self, port_id: str, address: str | None, *, avoid: Collection[str] = ()) -> str:
        """Give a port the address it wants, or one that is free; ``check`` and ``free`` come before.

        ``avoid`` are free addresses that another port of the same request wants: none of them is chosen.
        """
        chosen = address if address is not None else self._next(avoid)
        self.used[chosen] = port_id
        return chosen

    def give_back(self, address: str) -> None:
        """Free an address."""
        self.used.pop(address, None)

    def _next(self, avoid: Collection[str]) -> str:
        """Return the next free address, going round: an address just freed is not used again at once."""
        network = ipaddress.IPv4Network(self.cidr)
        last = network.num_addresses - 2
        for _ in range(last):
            if not 2 <= self.next_host <= last:
                self.next_host = 2
            address = str(network[self.next_host])
            self.next_host += 1
            if address not in self.used and address not in avoid:
                return address
        raise Refusal("Ecs.0012", f"The subnet {self.id} has no free IP address.")
