"""What a project may use, and what of it is used (ECS API reference 5.7, 6.10)."""

from __future__ import annotations

from pydantic import Field

from ecs_operator.cloud.models.wire import Answer, MaybeNumber, Number


class Limits(Answer):
    """Quota and use of the project (5.7.1, 6.10.1). RAM in MiB; -1 is unlimited, None: the answer did not say."""

    max_total_instances: Number = Field(alias="maxTotalInstances", default=-1)
    max_total_cores: Number = Field(alias="maxTotalCores", default=-1)
    max_total_ram_size: Number = Field(alias="maxTotalRAMSize", default=-1)
    max_total_keypairs: MaybeNumber = Field(alias="maxTotalKeypairs", default=None)
    max_server_groups: Number = Field(alias="maxServerGroups", default=-1)
    max_server_group_members: Number = Field(alias="maxServerGroupMembers", default=-1)
    max_security_groups: MaybeNumber = Field(alias="maxSecurityGroups", default=None)
    max_security_group_rules: MaybeNumber = Field(alias="maxSecurityGroupRules", default=None)
    max_total_floating_ips: MaybeNumber = Field(alias="maxTotalFloatingIps", default=None)
    max_server_meta: MaybeNumber = Field(alias="maxServerMeta", default=None)
    max_image_meta: MaybeNumber = Field(alias="maxImageMeta", default=None)
    max_personality: MaybeNumber = Field(alias="maxPersonality", default=None)
    max_personality_size: MaybeNumber = Field(alias="maxPersonalitySize", default=None)
    total_instances_used: Number = Field(alias="totalInstancesUsed", default=0)
    total_cores_used: Number = Field(alias="totalCoresUsed", default=0)
    total_ram_used: Number = Field(alias="totalRAMUsed", default=0)
    total_server_groups_used: Number = Field(alias="totalServerGroupsUsed", default=0)
    total_security_groups_used: MaybeNumber = Field(alias="totalSecurityGroupsUsed", default=None)
    total_floating_ips_used: MaybeNumber = Field(alias="totalFloatingIpsUsed", default=None)


class LimitsAnswer(Answer):
    """The answer of 5.7.1, and what is inside that of 6.10.1."""

    absolute: Limits


class NativeLimitsAnswer(Answer):
    """The answer of 6.10.1. Its list of rates is always empty."""

    limits: LimitsAnswer


class QuotaSet(Answer):
    """The quotas of a project (tables 6-175 and 6-178). RAM in MiB, contents of files in bytes; -1 is unlimited, None: it did not say."""

    id: str
    instances: MaybeNumber = None
    cores: MaybeNumber = None
    ram: MaybeNumber = None
    key_pairs: MaybeNumber = None
    metadata_items: MaybeNumber = None
    server_groups: MaybeNumber = None
    server_group_members: MaybeNumber = None
    security_groups: MaybeNumber = None
    security_group_rules: MaybeNumber = None
    fixed_ips: MaybeNumber = None
    floating_ips: MaybeNumber = None
    injected_files: MaybeNumber = None
    injected_file_content_bytes: MaybeNumber = None
    injected_file_path_bytes: MaybeNumber = None


class QuotaSetAnswer(Answer):
    """The answer of 6.10.2 and 6.10.3."""

    quota_set: QuotaSet
