"""Security groups, their rules, and the ports they protect (ECS API reference 6.5, 11.3).

A group protects ports, and every port has groups of its own; those of a server are all those of its ports.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecs_simulator.world.catalog import SecurityGroup, SecurityGroupRule
from ecs_simulator.world.ledger import Cause
from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Absent, Refusal, invalid
from ecs_simulator.world.resources import Server

if TYPE_CHECKING:
    from ecs_simulator.world.world import World

PROTOCOLS = ("tcp", "udp", "icmp")
ANYWHERE = "0.0.0.0/0"
_DEFAULT_RULES = 2
"""One for IPv4 and one for IPv6, which look alike here."""


@dataclass(frozen=True, slots=True)
class RuleWish:
    """A rule to add to a group (table 11-51). ``group_id`` wins over ``cidr``; without both it is for everyone."""

    parent_id: str
    protocol: str
    from_port: int
    to_port: int
    cidr: str | None = None
    group_id: str | None = None


# Looking up


def find(project: Project, group_id: str) -> SecurityGroup:
    """Return a group; Absent if there is none of this id."""
    group = project.security_groups.get(group_id)
    if group is None:
        raise Absent("security group", group_id, code="Ecs.0014")
    return group


def find_by_name_or_id(project: Project, name: str) -> SecurityGroup:
    """Return the group of this id or name; Absent if there is none, refused if several have the name."""
    if name in project.security_groups:
        return project.security_groups[name]
    named = [group for group in project.security_groups.values() if group.name == name]
    if len(named) > 1:
        raise Refusal("Ecs.0100", f"Multiple security groups found matching '{name}'. Use an ID to be more specific.")
    return named[0] if named else find(project, name)


def default_ids(project: Project) -> list[str]:
    """Return the id of the group of those who name none; an empty list in a project without one."""
    return [group.id for group in project.security_groups.values() if group.is_default][:1]


def usual_rules(world: World, group_id: str) -> list[SecurityGroupRule]:
    """Return what a default group begins with: its members reach each other, everything else stays outside."""
    return [
        SecurityGroupRule(id=world.ids.uuid(), protocol=None, from_port=None, to_port=None, group_id=group_id)
        for _ in range(_DEFAULT_RULES)
    ]


# Groups


def create(world: World, project: Project, *, name: str, description: str, cause: Cause) -> SecurityGroup:
    """Make a group without rules (11.3.2). A name is given once; groups without a name may be many."""
    project.require_unfrozen()
    _require_name(project, name)
    limit, present = project.quota.security_groups, len(project.security_groups)
    if 0 <= limit <= present:
        raise Refusal("Ecs.0001", f"Quota exceeded, too many security groups: {present} of {limit}.")
    group = SecurityGroup(id=world.ids.uuid(), name=name, description=description)
    project.security_groups[group.id] = group
    world.record_resource(project, "create", "security_group", group.id, cause, name=name)
    return group


def update(world: World, project: Project, group: SecurityGroup, *, name: str, description: str, cause: Cause) -> None:
    """Give a group another name and description (11.3.4). The default group keeps its name."""
    if name != group.name:
        if group.is_default:
            raise invalid(f"Unable to update system group '{group.name}'")
        _require_name(project, name)
    group.name, group.description = name, description
    world.record_resource(project, "update", "security_group", group.id, cause, name=name)


def delete(world: World, project: Project, group: SecurityGroup, *, cause: Cause) -> None:
    """Delete a group that protects nothing (11.3.5), with the rules of others that are about its members."""
    if group.is_default:
        raise invalid(f"Unable to delete system group '{group.name}'")
    if any(group.id in port.security_group_ids for port in project.ports.values()):
        raise invalid(f"Security Group {group.id} in use.")
    for other in project.security_groups.values():
        for rule in [rule for rule in other.rules if group.id in {other.id, rule.group_id}]:
            _drop(world, project, other, rule, cause)
    del project.security_groups[group.id]
    world.record_resource(project, "delete", "security_group", group.id, cause, name=group.name)


def _require_name(project: Project, name: str) -> None:
    if name and any(group.name == name for group in project.security_groups.values()):
        raise invalid(f"Security group {name} already exists")


# Rules


def add_rule(world: World, project: Project, wish: RuleWish, *, cause: Cause) -> SecurityGroupRule:
    """Let something in (11.3.6)."""
    project.require_unfrozen()
    group = find(project, wish.parent_id)
    _check_ports(wish)
    source = find(project, wish.group_id).id if wish.group_id is not None else None
    rule = SecurityGroupRule(
        id=world.ids.uuid(),
        protocol=wish.protocol,
        from_port=wish.from_port,
        to_port=wish.to_port,
        cidr=_network(wish.cidr or ANYWHERE) if source is None else None,
        group_id=source,
    )
    if any(_says(other) == _says(rule) for other in group.rules):
        raise invalid(f"This rule already exists in group {group.id}")
    limit, present = project.quota.security_group_rules, sum(len(each.rules) for each in project.security_groups.values())
    if 0 <= limit <= present:
        raise Refusal("Ecs.0001", f"Quota exceeded, too many security group rules: {present} of {limit}.")
    group.rules.append(rule)
    world.record_resource(project, "create", "security_group_rule", rule.id, cause, name=group.name)
    return rule


def delete_rule(world: World, project: Project, rule_id: str, *, cause: Cause) -> None:
    """Delete a rule (11.3.7); Absent if no group has it."""
    for group in project.security_groups.values():
        for rule in group.rules:
            if rule.id == rule_id:
                _drop(world, project, group, rule, cause)
                return
    raise Absent("security group rule", rule_id, code="Ecs.0014")


def _drop(world: World, project: Project, group: SecurityGroup, rule: SecurityGroupRule, cause: Cause) -> None:
    group.rules.remove(rule)
    world.record_resource(project, "delete", "security_group_rule", rule.id, cause, name=group.name)


def _says(rule: SecurityGroupRule) -> tuple[object, ...]:
    return rule.protocol, rule.from_port, rule.to_port, rule.cidr, rule.group_id


def _check_ports(wish: RuleWish) -> None:
    low, high = wish.from_port, wish.to_port
    if wish.protocol not in PROTOCOLS:
        raise invalid(f"Invalid IP protocol {wish.protocol}. It must be one of {', '.join(PROTOCOLS)}.")
    if wish.protocol == "icmp":
        if (low, high) != (-1, -1) and not (0 <= low <= 255 and 0 <= high <= 255):
            raise invalid(f"Invalid port range {low}:{high}. For ICMP, type and code must be within [0, 255], or both -1.")
    elif not 1 <= low <= high <= 65535:
        raise invalid(f"Invalid port range {low}:{high}. Valid ports are within [1, 65535], the former not greater than the latter.")


def _network(cidr: str) -> str:
    """Return a range of addresses as its first address and length; refused if it is none, or if /0 stands behind an address."""
    try:
        network = ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        raise invalid(f"Invalid cidr {cidr}.") from None
    address, slash, length = cidr.partition("/")
    if not slash or not length.isdigit():
        raise invalid(f"Invalid cidr {cidr}.")
    if network.prefixlen == 0 and int(ipaddress.ip_address(address)):
        raise invalid(f"Bad prefix for network in cidr {cidr}")
    return str(network)


# Groups on servers


def add_to_server(world: World, project: Project, server: Server, group: SecurityGroup, *, cause: Cause) -> None:
    """Let a group protect all ports of a server (6.5.1). One that protects them already goes on doing so."""
    ports = [project.ports[port_id] for port_id in server.port_ids]
    lacking = [port for port in ports if group.id not in port.security_group_ids]
    for port in lacking:
        port.security_group_ids.append(group.id)
    if lacking:
        gather(project, server)
        server.updated = world.now()
        world.record(project, server, "add-security-group", cause, group=group.id)


def remove_from_server(world: World, project: Project, server: Server, group: SecurityGroup, *, cause: Cause) -> None:
    """Take a group off all ports of a server (6.5.2); Absent if it is on none of them."""
    ports = [project.ports[port_id] for port_id in server.port_ids]
    having = [port for port in ports if group.id in port.security_group_ids]
    if not having:
        raise Absent("security group", f"{group.name} of instance {server.id}", code="Ecs.0014")
    for port in having:
        port.security_group_ids.remove(group.id)
    gather(project, server)
    server.updated = world.now()
    world.record(project, server, "remove-security-group", cause, group=group.id)


def of_server(project: Project, server: Server) -> list[SecurityGroup]:
    """Return the groups of a server. One that is gone has those it had, as far as they are there."""
    return [project.security_groups[group_id] for group_id in server.security_group_ids if group_id in project.security_groups]


def gather(project: Project, server: Server) -> None:
    """Make the groups of a server those of its ports, each once; to be called whenever a port comes, goes or changes its groups."""
    ids = (group_id for port_id in server.port_ids for group_id in project.ports[port_id].security_group_ids)
    server.security_group_ids = list(dict.fromkeys(ids))
