"""ECS API reference 5.7: what a project may use, and what it uses."""

from __future__ import annotations

from ecs_simulator.call import Call, Operation, Reply
from ecs_simulator.routes.answering import ecs

MAX_METADATA = 128


def show_limits(call: Call) -> Reply:
    """5.7.1. -1 is unlimited; RAM in MiB."""
    project, quota = call.project, call.project.quota
    used = project.usage(call.world.flavors)
    absolute = {
        "maxServerMeta": MAX_METADATA,
        "maxPersonality": 5,
        "maxImageMeta": 128,
        "maxPersonalitySize": 10240,
        "maxSecurityGroupRules": quota.security_group_rules,
        "maxTotalKeypairs": quota.key_pairs,
        "maxSecurityGroups": quota.security_groups,
        "maxTotalCores": quota.cores,
        "maxTotalFloatingIps": quota.floating_ips,
        "maxTotalInstances": quota.instances,
        "maxTotalRAMSize": quota.ram,
        "maxServerGroups": quota.server_groups,
        "maxServerGroupMembers": quota.server_group_members,
        "totalInstancesUsed": used.instances,
        "totalCoresUsed": used.cores,
        "totalRAMUsed": used.ram,
        "totalSecurityGroupsUsed": len(project.security_groups),
        "totalFloatingIpsUsed": len(project.floating_ips),
        "totalServerGroupsUsed": len(project.groups),
    }
    return Reply(200, {"absolute": absolute})


OPERATIONS = (Operation("5.7.1", "showLimits", "GET", "/v1/{project_id}/cloudservers/limits", ecs(show_limits)),)
