"""The status of a group: what is recorded around its creation, and what is seen of it later. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from ecs_operator.api.common import ObjectRef
from ecs_operator.api.server_group import GroupIntent, GroupMember, ServerGroupStatus
from ecs_operator.cloud import Server, ServerGroup
from ecs_operator.resources.naming import named

MOST_MEMBERS = 1000
MOST_VIOLATIONS = 64
NAMED_IN_A_VIOLATION = 20


def intended(status: ServerGroupStatus, *, project: str, name: str, now: datetime) -> ServerGroupStatus:
    """One more attempt is about to be made."""
    before = status.intent
    intent = GroupIntent(
        name=name,
        intended_at=before.intended_at if before else now,
        attempts=(before.attempts if before else 0) + 1,
        last_attempt_at=now,
    )
    return status.model_copy(update={"project": project, "intent": intent})


def answered(status: ServerGroupStatus, *, outcome: str) -> ServerGroupStatus:
    """What is known of the last attempt: ``Unknown`` or ``Refused``."""
    if status.intent is None:
        raise ValueError("there is no intent")
    return status.model_copy(update={"intent": status.intent.model_copy(update={"outcome": outcome})})


def adopted(status: ServerGroupStatus, group: ServerGroup, *, project: str, name: str, now: datetime) -> ServerGroupStatus:
    """The group is there."""
    intent = status.intent or GroupIntent(name=name, intended_at=now)
    accepted = intent.model_copy(update={"outcome": "Accepted"})
    return status.model_copy(update={"project": project, "id": group.id, "intent": accepted})


def attempt(status: ServerGroupStatus) -> tuple[str | None, int]:
    """Which attempt the record speaks of."""
    return status.id, status.intent.attempts if status.intent else 0


def fold(
    status: ServerGroupStatus, group: ServerGroup, *, servers: Mapping[str, Server] | None, names: Mapping[str, str]
) -> ServerGroupStatus:
    """The group as it is now. ``servers`` tell the hosts; None when they could not be listed: then the hosts seen before hold on.

    ``names``: which EcsServer stands for which id.
    """
    before = {member.server_id: member.host_id for member in status.members}
    members = []
    for server_id in sorted(set(group.members))[:MOST_MEMBERS]:
        host = before.get(server_id) if servers is None else _host(servers.get(server_id))
        reference = ObjectRef(name=names[server_id]) if server_id in names else None
        members.append(GroupMember(server_id=server_id, server_ref=reference, host_id=host))
    return status.model_copy(update={"members": tuple(members), "violations": violations(members)})


def vanished(status: ServerGroupStatus) -> ServerGroupStatus:
    """The group is not there any more; its id stays, for people who look for it."""
    return status.model_copy(update={"members": (), "violations": ()})


def violations(members: list[GroupMember]) -> tuple[str, ...]:
    """Members on the same host, one sentence a host."""
    by_host: dict[str, list[str]] = defaultdict(list)
    for member in members:
        if member.host_id:
            by_host[member.host_id].append(_called(member))
    return tuple(
        f"{named(sorted(together), most=NAMED_IN_A_VIOLATION)} stand on the same host {host}"
        for host, together in sorted(by_host.items())
        if len(together) > 1
    )[:MOST_VIOLATIONS]


def summary(status: ServerGroupStatus) -> str:
    """The message of a group that is as it should be."""
    count = len(status.members)
    text = f"the group {status.id} has {count} member{'' if count == 1 else 's'}"
    return f"{text}; the policy is violated: {status.violations[0]}" if status.violations else text


def _called(member: GroupMember) -> str:
    return f"EcsServer {member.server_ref.name}" if member.server_ref else f"server {member.server_id}"


def _host(server: Server | None) -> str | None:
    return (server.host_id or None) if server is not None else None
