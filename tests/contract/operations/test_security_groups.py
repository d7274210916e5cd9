"""ECS API reference 6.5 and 11.3: security groups, there and back."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from ecs_operator.cloud import CloudError, Meaning, NewInterface, NewSecurityGroupRule, SecurityGroupDetails
from tests.contract.stage import PROJECT, SECURITY_GROUP, SUBNET, Lab

WEB = "e5a1b7f0-8a3b-4a2c-9d35-6b1f0c2d4e77"
NOWHERE = "00000000-0000-4000-8000-000000000000"


async def meaning(call: Awaitable[object]) -> Meaning:
    """Why a call is refused."""
    with pytest.raises(CloudError) as caught:
        await call
    return caught.value.meaning


def names(groups: tuple[SecurityGroupDetails, ...]) -> list[str]:
    return [group.name for group in groups]


@pytest.mark.operation("6.5.1", "6.5.2", "6.5.3")
async def test_groups_of_a_server_by_name_and_by_id(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        await lab.ended(client, await client.interfaces.add(server_id, [NewInterface(subnet_id=SUBNET)]))
        for group in ("web", WEB, "web"):
            await client.security_groups.add(server_id, group)
            assert names(await client.security_groups.of_server(server_id)) == ["default", "web"], "twice is as good as once"
        assert (await client.servers.get(server_id)).security_groups == ("default", "web")
        ports = [port for port in lab.cloud.world.projects[PROJECT].ports.values() if port.server_id == server_id]
        assert [port.security_group_ids for port in ports] == [[SECURITY_GROUP, WEB]] * 2, "on every interface"

        await client.security_groups.remove(server_id, SECURITY_GROUP)
        await client.security_groups.remove(server_id, "web")
        assert await client.security_groups.of_server(server_id) == ()
        assert await meaning(client.security_groups.remove(server_id, "web")) is Meaning.NOT_FOUND
        assert await meaning(client.security_groups.add(server_id, "none")) is Meaning.NOT_FOUND
        await client.security_groups.add(server_id, "default")
        actions = [entry["action"] for entry in (await lab.ask("ledger", project=PROJECT))["entries"] if "group" in entry]
        assert actions == ["add-security-group", "remove-security-group", "remove-security-group", "add-security-group"]


@pytest.mark.operation("11.3.1", "11.3.2", "11.3.3", "11.3.4", "11.3.5")
async def test_the_life_of_a_group(lab: Lab) -> None:
    async with lab.client() as client:
        made = await client.security_groups.create("db", description="data bases")
        assert (made.name, made.description, made.rules, made.tenant_id) == ("db", "data bases", (), PROJECT)
        assert names(await client.security_groups.list()) == ["default", "web", "db"]
        assert await client.security_groups.get(made.id) == made
        assert await meaning(client.security_groups.create("db")) is Meaning.INVALID
        changed = await client.security_groups.update(made.id, name="store", description="")
        assert (changed.id, changed.name, changed.description) == (made.id, "store", "")
        assert await client.security_groups.get(made.id) == changed
        await client.security_groups.delete(made.id)
        assert names(await client.security_groups.list()) == ["default", "web"]
        assert await meaning(client.security_groups.get(made.id)) is Meaning.NOT_FOUND
        assert await meaning(client.security_groups.delete(made.id)) is Meaning.NOT_FOUND


@pytest.mark.operation("6.5.1", "11.3.2", "11.3.5")
async def test_a_group_that_protects_something_stays(lab: Lab) -> None:
    async with lab.client() as client:
        server_id = await lab.server(client)
        group = await client.security_groups.create("db")
        await client.security_groups.add(server_id, group.id)
        assert await meaning(client.security_groups.delete(group.id)) is Meaning.INVALID
        assert await meaning(client.security_groups.delete(SECURITY_GROUP)) is Meaning.INVALID
        await client.security_groups.remove(server_id, group.id)
        nic = NewInterface(subnet_id=SUBNET, security_group_ids=(group.id,))
        await lab.ended(client, await client.interfaces.add(server_id, [nic]))
        assert await meaning(client.security_groups.delete(group.id)) is Meaning.INVALID
        await lab.ended(client, await client.servers.delete([server_id], delete_public_ip=False, delete_volume=False))
        await client.security_groups.delete(group.id)


@pytest.mark.operation("11.3.3", "11.3.6", "11.3.7")
async def test_rules(lab: Lab) -> None:
    async with lab.client() as client:
        web = NewSecurityGroupRule(parent_group_id=WEB, ip_protocol="tcp", from_port=80, to_port=443, cidr="192.168.0.7/24")
        from_default = NewSecurityGroupRule(parent_group_id=WEB, ip_protocol="udp", from_port=53, to_port=53, group_id=SECURITY_GROUP)
        ping = NewSecurityGroupRule(parent_group_id=WEB, ip_protocol="icmp", from_port=-1, to_port=-1)
        first, second, third = [await client.security_groups.add_rule(rule) for rule in (web, from_default, ping)]
        assert (first.ip_protocol, first.from_port, first.to_port, first.ip_range.cidr) == ("tcp", 80, 443, "192.168.0.0/24")
        assert (second.ip_range.cidr, second.group.name) == (None, None), "11.3.6 never answers the group"
        assert (third.from_port, third.to_port, third.ip_range.cidr) == (-1, -1, "0.0.0.0/0")
        rules = (await client.security_groups.get(WEB)).rules
        assert [rule.id for rule in rules] == [first.id, second.id, third.id]
        assert (rules[1].group.name, rules[1].group.tenant_id, rules[1].parent_group_id) == ("default", PROJECT, WEB)
        assert await meaning(client.security_groups.add_rule(ping)) is Meaning.INVALID
        elsewhere = NewSecurityGroupRule(parent_group_id=NOWHERE, ip_protocol="tcp", from_port=1, to_port=1)
        assert await meaning(client.security_groups.add_rule(elsewhere)) is Meaning.NOT_FOUND
        await client.security_groups.delete_rule(second.id)
        assert (await client.security_groups.get(WEB)).rules == (rules[0], rules[2])
        assert await meaning(client.security_groups.delete_rule(second.id)) is Meaning.NOT_FOUND


@pytest.mark.operation("11.3.1")
async def test_the_default_group_lets_its_members_reach_each_other(lab: Lab) -> None:
    async with lab.client() as client:
        default, web = await client.security_groups.list()
        assert [(rule.ip_protocol, rule.from_port, rule.group.name, rule.ip_range.cidr) for rule in default.rules] == [
            (None, None, "default", None)
        ] * 2
        assert web.rules == ()
