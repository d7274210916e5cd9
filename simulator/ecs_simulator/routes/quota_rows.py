"""What a project may use and uses, under the names of the three operations that tell (ECS API reference 5.7.1, 6.10)."""

from __future__ import annotations

from typing import Any

from ecs_simulator.call import Call
from ecs_simulator.routes.answering import since
from ecs_simulator.world.project import Quota

MAX_METADATA = 128
_MAX_IMAGE_METADATA = 128
_MAX_FILES = 5
_MAX_FILE_BYTES = 10240
_MAX_PATH_BYTES = 255
_UNLIMITED = -1


def absolute(call: Call) -> dict[str, int]:
    """Return limits and use (tables 5-61 and 6-172). -1 is unlimited; RAM in MiB."""
    project, quota = call.project, call.project.quota
    used = project.usage(call.world.flavors)
    return {
        "maxServerMeta": MAX_METADATA,
        "maxPersonality": _MAX_FILES,
        "maxImageMeta": _MAX_IMAGE_METADATA,
        "maxPersonalitySize": _MAX_FILE_BYTES,
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


def quota_set(call: Call, quota: Quota, identity: str) -> dict[str, Any]:
    """Return a quota set (table 6-175), by microversion as in Nova."""
    row: dict[str, Any] = {
        "id": identity,
        "cores": quota.cores,
        "instances": quota.instances,
        "key_pairs": quota.key_pairs,
        "metadata_items": MAX_METADATA,
        "ram": quota.ram,
        "server_group_members": quota.server_group_members,
        "server_groups": quota.server_groups,
    }
    if not since(call, 36):
        row |= {
            "fixed_ips": _UNLIMITED,
            "floating_ips": quota.floating_ips,
            "security_group_rules": quota.security_group_rules,
            "security_groups": quota.security_groups,
        }
    if not since(call, 57):
        row |= {
            "injected_file_content_bytes": _MAX_FILE_BYTES,
            "injected_file_path_bytes": _MAX_PATH_BYTES,
            "injected_files": _MAX_FILES,
        }
    return row
