"""Security groups, their rules, and the servers they protect (ECS API reference 6.5, 11.3)."""

from __future__ import annotations

from ecs_operator.cloud.models.network import (
    NewSecurityGroupRule,
    SecurityGroupAnswer,
    SecurityGroupDetails,
    SecurityGroupRule,
    SecurityGroupRuleAnswer,
)
from ecs_operator.cloud.models.network import SecurityGroups as SecurityGroupsAnswer
from ecs_operator.cloud.operation import MICROVERSION_HIGHEST, MICROVERSION_PROXIES, Family, Kind, Lane, Operation
from ecs_operator.cloud.operations.checks import check
from ecs_operator.cloud.session import Session

_TEXT_LIMIT = 255
_V2 = "/v2.1/{project_id}"
_SERVER = f"{_V2}/servers/{{server_id}}"
_GROUPS = f"{_V2}/os-security-groups"
_GROUP = f"{_GROUPS}/{{security_group_id}}"
_RULES = f"{_V2}/os-security-group-rules"


def _on_server(section: str, name: str) -> Operation:
    return Operation(
        section=section,
        name=name,
        method="POST",
        path=f"{_SERVER}/action",
        family=Family.NOVA,
        kind=Kind.WRITE,
        lane=Lane.URGENT,
        microversion=MICROVERSION_HIGHEST,
    )


def _write(section: str, name: str, method: str, path: str, *, lane: Lane = Lane.URGENT) -> Operation:
    return Operation(
        section=section,
        name=name,
        method=method,
        path=path,
        family=Family.NOVA,
        kind=Kind.WRITE,
        lane=lane,
        microversion=MICROVERSION_PROXIES,
    )


ADD = _on_server("6.5.1", "addSecurityGroup")
REMOVE = _on_server("6.5.2", "removeSecurityGroup")
LIST_OF_SERVER = Operation(
    section="6.5.3",
    name="listServerSecurityGroups",
    method="GET",
    path=f"{_SERVER}/os-security-groups",
    family=Family.NOVA,
    microversion=MICROVERSION_HIGHEST,
)
LIST = Operation(
    section="11.3.1",
    name="listSecurityGroups",
    method="GET",
    path=_GROUPS,
    family=Family.NOVA,
    lane=Lane.RESYNC,
    lists=True,
    microversion=MICROVERSION_PROXIES,
)
CREATE = _write("11.3.2", "createSecurityGroup", "POST", _GROUPS, lane=Lane.CREATE)
SHOW = Operation(
    section="11.3.3", name="showSecurityGroup", method="GET", path=_GROUP, family=Family.NOVA, microversion=MICROVERSION_PROXIES
)
UPDATE = _write("11.3.4", "updateSecurityGroup", "PUT", _GROUP)
DELETE = _write("11.3.5", "deleteSecurityGroup", "DELETE", _GROUP)
CREATE_RULE = _write("11.3.6", "createSecurityGroupRule", "POST", _RULES, lane=Lane.CREATE)
DELETE_RULE = _write("11.3.7", "deleteSecurityGroupRule", "DELETE", f"{_RULES}/{{security_group_rule_id}}")


class SecurityGroups:
    """Operations on security groups. All raise CloudError. Those of chapter 11.3 are deprecated in favour of the network service."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, server_id: str, group: str) -> None:
        """6.5.1: let a group, named by id or name, protect all interfaces of a server. Five groups a server are advised at most."""
        check(ADD, "addSecurityGroup.name", "must not be empty", holds=bool(group))
        await self._session.call(ADD, path={"server_id": server_id}, body={"addSecurityGroup": {"name": group}})

    async def remove(self, server_id: str, group: str) -> None:
        """6.5.2: take a group, named by id or name, off all interfaces of a server."""
        check(REMOVE, "removeSecurityGroup.name", "must not be empty", holds=bool(group))
        await self._session.call(REMOVE, path={"server_id": server_id}, body={"removeSecurityGroup": {"name": group}})

    async def of_server(self, server_id: str) -> tuple[SecurityGroupDetails, ...]:
        """6.5.3: the groups that protect a server, with their rules."""
        answer = await self._session.call(LIST_OF_SERVER, path={"server_id": server_id})
        return answer.read(SecurityGroupsAnswer).security_groups

    async def list(self) -> tuple[SecurityGroupDetails, ...]:
        """11.3.1: all groups of the project."""
        return (await self._session.call(LIST)).read(SecurityGroupsAnswer).security_groups

    async def create(self, name: str, *, description: str = "") -> SecurityGroupDetails:
        """11.3.2: make a group without rules."""
        answer = await self._session.call(CREATE, body=_texts(CREATE, name, description))
        return answer.read(SecurityGroupAnswer).security_group

    async def get(self, group_id: str) -> SecurityGroupDetails:
        """11.3.3: one group with its rules for what comes in."""
        answer = await self._session.call(SHOW, path={"security_group_id": group_id})
        return answer.read(SecurityGroupAnswer).security_group

    async def update(self, group_id: str, *, name: str, description: str) -> SecurityGroupDetails:
        """11.3.4: give a group another name and description; both are needed."""
        answer = await self._session.call(UPDATE, path={"security_group_id": group_id}, body=_texts(UPDATE, name, description))
        return answer.read(SecurityGroupAnswer).security_group

    async def delete(self, group_id: str) -> None:
        """11.3.5: delete a group that protects nothing."""
        await self._session.call(DELETE, path={"security_group_id": group_id})

    async def add_rule(self, rule: NewSecurityGroupRule) -> SecurityGroupRule:
        """11.3.6: let something in."""
        answer = await self._session.call(CREATE_RULE, body=rule.body())
        return answer.read(SecurityGroupRuleAnswer).security_group_rule

    async def delete_rule(self, rule_id: str) -> None:
        """11.3.7: delete a rule."""
        await self._session.call(DELETE_RULE, path={"security_group_rule_id": rule_id})


def _texts(operation: Operation, name: str, description: str) -> dict[str, object]:
    for field, text in (("name", name), ("description", description)):
        check(operation, f"security_group.{field}", f"at most {_TEXT_LIMIT} characters", holds=len(text) <= _TEXT_LIMIT)
    return {"security_group": {"name": name, "description": description}}
