"""ECS API reference 11.3: security groups and their rules. Nova took these away after microversion 2.35."""

from __future__ import annotations

import uuid

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import cause_of, until
from ecs_simulator.routes.fields import Fields
from ecs_simulator.routes.security_group_rows import group_row, rule_row
from ecs_simulator.world import security_groups
from ecs_simulator.world.catalog import SecurityGroup
from ecs_simulator.world.refusal import invalid
from ecs_simulator.world.security_groups import RuleWish

_GROUPS = "/v2.1/{project_id}/os-security-groups"
_GROUP = f"{_GROUPS}/{{security_group_id}}"
_RULES = "/v2.1/{project_id}/os-security-group-rules"
_LAST = (2, 35)
_MAX_TEXT = 255
_ANY_PORT = 1_000_000
"""Farther than any port: which are allowed is for the world to say, by protocol."""


def list_groups(call: Call) -> Reply:
    """11.3.1, all of them: there are no pages."""
    return Reply(200, {"security_groups": [group_row(call.project, group) for group in call.project.security_groups.values()]})


def create_group(call: Call) -> Reply:
    """11.3.2. Name and description may be missing, and then are empty."""
    wanted = Fields.of(call.body, "security_group")
    group = security_groups.create(
        call.world, call.project, name=_text(wanted, "name"), description=_text(wanted, "description"), cause=cause_of(call)
    )
    return Reply(200, {"security_group": group_row(call.project, group)})


def show_group(call: Call) -> Reply:
    """11.3.3."""
    return Reply(200, {"security_group": group_row(call.project, _group(call))})


def update_group(call: Call) -> Reply:
    """11.3.4. Both name and description are needed."""
    group, wanted = _group(call), Fields.of(call.body, "security_group")
    for name in ("name", "description"):
        if not wanted.has(name):
            raise wanted.bad(name, "is missing")
    security_groups.update(
        call.world, call.project, group, name=_text(wanted, "name"), description=_text(wanted, "description"), cause=cause_of(call)
    )
    return Reply(200, {"security_group": group_row(call.project, group)})


def delete_group(call: Call) -> Reply:
    """11.3.5."""
    security_groups.delete(call.world, call.project, _group(call), cause=cause_of(call))
    return Reply(202)


def create_rule(call: Call) -> Reply:
    """11.3.6. The answer's ``group`` is always empty, even when the rule is about one."""
    wanted = Fields.of(call.body, "security_group_rule")
    parent_id = _identity(wanted.need_text("parent_group_id"), "Security group id")
    group_id = wanted.text("group_id")
    wish = RuleWish(
        parent_id=parent_id,
        protocol=wanted.need_text("ip_protocol").lower(),
        from_port=wanted.need_integer("from_port", -1, _ANY_PORT),
        to_port=wanted.need_integer("to_port", -1, _ANY_PORT),
        cidr=wanted.text("cidr"),
        group_id=_identity(group_id, "Security group id") if group_id is not None else None,
    )
    rule = security_groups.add_rule(call.world, call.project, wish, cause=cause_of(call))
    parent = security_groups.find(call.project, parent_id)
    return Reply(200, {"security_group_rule": {**rule_row(call.project, parent, rule), "group": {}}})


def delete_rule(call: Call) -> Reply:
    """11.3.7."""
    rule_id = _identity(call.path["security_group_rule_id"], "Rule id")
    security_groups.delete_rule(call.world, call.project, rule_id, cause=cause_of(call))
    return Reply(202)


def _text(wanted: Fields, name: str) -> str:
    text = wanted.text(name) or ""
    if len(text) > _MAX_TEXT:
        raise wanted.bad(name, f"is longer than {_MAX_TEXT} characters")
    return text


def _group(call: Call) -> SecurityGroup:
    return security_groups.find(call.project, _identity(call.path["security_group_id"], "Security group id"))


def _identity(text: str, what: str) -> str:
    """Return an id; refused if it has not the form of one."""
    try:
        uuid.UUID(text)
    except ValueError:
        raise invalid(f"{what} should be uuid") from None
    return text


OPERATIONS = (
    Operation("11.3.1", "listSecurityGroups", "GET", _GROUPS, until(_LAST, list_groups)),
    Operation("11.3.2", "createSecurityGroup", "POST", _GROUPS, until(_LAST, create_group)),
    Operation("11.3.3", "showSecurityGroup", "GET", _GROUP, until(_LAST, show_group)),
    Operation("11.3.4", "updateSecurityGroup", "PUT", _GROUP, until(_LAST, update_group)),
    Operation("11.3.5", "deleteSecurityGroup", "DELETE", _GROUP, until(_LAST, delete_group)),
    Operation("11.3.6", "createSecurityGroupRule", "POST", _RULES, until(_LAST, create_rule)),
    Operation("11.3.7", "deleteSecurityGroupRule", "DELETE", f"{_RULES}/{{security_group_rule_id}}", until(_LAST, delete_rule)),
)
