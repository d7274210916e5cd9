"""A security group as the native API shows it (ECS API reference, tables 6-105 and 11-25)."""

from __future__ import annotations

from typing import Any

from ecs_simulator.world.catalog import SecurityGroup, SecurityGroupRule
from ecs_simulator.world.project import Project


def group_row(project: Project, group: SecurityGroup) -> dict[str, Any]:
    """Return a group with its rules."""
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "tenant_id": project.id,
        "rules": [rule_row(project, group, rule) for rule in group.rules],
    }


def rule_row(project: Project, group: SecurityGroup, rule: SecurityGroupRule) -> dict[str, Any]:
    """Return a rule; of ``ip_range`` and ``group`` one is empty."""
    source = project.security_groups.get(rule.group_id or "")
    return {
        "id": rule.id,
        "parent_group_id": group.id,
        "ip_protocol": rule.protocol,
        "from_port": rule.from_port,
        "to_port": rule.to_port,
        "ip_range": {"cidr": rule.cidr} if rule.cidr is not None else {},
        "group": {"tenant_id": project.id, "name": source.name} if source is not None else {},
    }
