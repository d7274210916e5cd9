"""The models of interfaces, security groups and floating IPs: what is refused before it is sent, and what is read from odd answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from ecs_operator.cloud import Address, CloudError, EcsClient, Meaning, NewInterface, NewSecurityGroupRule, Outcome
from tests.unit.cloud.stage import SERVER, UUID, FakeCloud, answer, client_of


def rule(**changes: object) -> NewSecurityGroupRule:
    return NewSecurityGroupRule(**{"parent_group_id": UUID, "ip_protocol": "tcp", "from_port": 80, "to_port": 443, **changes})


REFUSED: list[tuple[str, Callable[[], object], str]] = [
    ("subnet that is no id", lambda: NewInterface(subnet_id="subnet"), "nics[].subnet_id"),
    ("address of IPv6", lambda: NewInterface(subnet_id=UUID, ip_address="::1"), "nics[].ip_address"),
    ("address with a length", lambda: NewInterface(subnet_id=UUID, ip_address="10.0.0.1/8"), "nics[].ip_address"),
    ("group that is no id", lambda: NewInterface(subnet_id=UUID, security_group_ids=("web",)), "nics[].security_groups[0]"),
    ("parent that is no id", lambda: rule(parent_group_id="web"), "security_group_rule.parent_group_id"),
    ("another protocol", lambda: rule(ip_protocol="sctp"), "security_group_rule.ip_protocol"),
    ("port 0", lambda: rule(from_port=0), "security_group_rule.to_port"),
    ("port 65536", lambda: rule(to_port=65536), "security_group_rule.to_port"),
    ("range upside down", lambda: rule(from_port=444), "security_group_rule.to_port"),
    ("any port of TCP", lambda: rule(from_port=-1, to_port=-1), "security_group_rule.to_port"),
    ("type 256", lambda: rule(ip_protocol="icmp", from_port=256, to_port=0), "security_group_rule.to_port"),
    ("code 256", lambda: rule(ip_protocol="icmp", from_port=0, to_port=256), "security_group_rule.to_port"),
    ("code of any type", lambda: rule(ip_protocol="icmp", from_port=-1, to_port=0), "security_group_rule.to_port"),
    ("address without a length", lambda: rule(cidr="10.0.0.0"), "security_group_rule.cidr"),
    ("range that is none", lambda: rule(cidr="10.0.0.0/33"), "security_group_rule.cidr"),
    ("range and group", lambda: rule(cidr="10.0.0.0/8", group_id=UUID), "security_group_rule.group_id"),
]


@pytest.mark.parametrize(("make", "field"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_refused(make: Callable[[], object], field: str) -> None:
    with pytest.raises(CloudError) as caught:
        make()
    assert caught.value.message.startswith(f"{field}: ")
    assert (caught.value.meaning, caught.value.outcome) == (Meaning.INVALID, Outcome.NOT_SENT)


ACCEPTED: list[tuple[str, dict[str, object]]] = [
    ("lowest and highest port", {"from_port": 1, "to_port": 65535}),
    ("one port", {"from_port": 443}),
    ("any ICMP", {"ip_protocol": "icmp", "from_port": -1, "to_port": -1}),
    ("lowest and highest of ICMP", {"ip_protocol": "icmp", "from_port": 255, "to_port": 0}),
    ("an address of a range", {"cidr": "10.0.0.1/8"}),
    ("IPv6", {"cidr": "2001:db8::/32"}),
    ("a group", {"group_id": UUID}),
]


@pytest.mark.parametrize("changes", [case[1] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_accepted(changes: dict[str, object]) -> None:
    assert rule(**changes).body()["security_group_rule"].items() >= changes.items()


async def test_the_answer_of_6_4_3_has_nothing_around_it() -> None:
    reply = {"net": [{"version": 4, "addr": "10.0.0.4"}, {"version": "6", "addr": "::4"}]}
    async with client_of(FakeCloud(lambda _: answer(200, reply))) as client:
        found = await client.networks.addresses_on(SERVER, "net")
    assert found == (Address(network="net", ip="10.0.0.4"), Address(network="net", ip="::4", version=6))


async def test_rules_with_nothing_in_them() -> None:
    odd = {"id": "r", "from_port": None, "to_port": "", "ip_protocol": None, "ip_range": None, "group": {"name": "default"}}
    async with client_of(
        FakeCloud(lambda _: answer(200, {"security_groups": [{"id": "g", "rules": [odd]}, {"id": "h", "rules": None}]}))
    ) as client:
        first, second = await client.security_groups.list()
    (only,) = first.rules
    assert (only.from_port, only.to_port, only.ip_protocol, only.ip_range.cidr, only.group.name) == (None, None, None, None, "default")
    assert second.rules == ()


async def test_the_spaces_of_an_example_are_no_part_of_an_id() -> None:
    reply = {"interfaceAttachment": {"port_id": " ce531f90", "fixed_ips": None}}
    async with client_of(FakeCloud(lambda _: answer(200, reply))) as client:
        interface = await client.interfaces.get(SERVER, "p")
    assert (interface.port_id, interface.fixed_ips) == ("ce531f90", ())


@pytest.mark.parametrize("code", ["Ecs.0507", "Ecs.0005"])
async def test_a_primary_interface_is_a_refusal_whatever_its_code(code: str) -> None:
    body = {"error": {"code": code, "message": "primary"}}
    async with client_of(FakeCloud(lambda _: answer(403, body))) as client:
        with pytest.raises(CloudError) as caught:
            await client.interfaces.remove(SERVER, ["p"])
    assert (caught.value.outcome, caught.value.status) == (Outcome.REFUSED, 403)


POOLS: dict[str, list[object]] = {"floating_ip_pools": []}
MICROVERSIONS: list[tuple[str, Callable[[EcsClient], Awaitable[object]], object, str]] = [
    ("gone from 2.44 on", lambda c: c.floating_ips.add(SERVER, "80.1.2.3"), None, "2.43"),
    ("gone from 2.36 on", lambda c: c.floating_ips.pools(), POOLS, "2.35"),
    ("gone from 2.36 on too", lambda c: c.security_groups.delete("g"), None, "2.35"),
    ("there to stay", lambda c: c.security_groups.add(SERVER, "web"), None, "2.46"),
]


@pytest.mark.parametrize(("call", "reply", "version"), [case[1:] for case in MICROVERSIONS], ids=[case[0] for case in MICROVERSIONS])
async def test_the_microversion_asked_for(call: Callable[[EcsClient], Awaitable[object]], reply: object, version: str) -> None:
    cloud = FakeCloud(lambda _: answer(202, reply))
    async with client_of(cloud) as client:
        await call(client)
    assert cloud.requests[0].headers["x-openstack-nova-api-version"] == version
