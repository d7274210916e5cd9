"""ECS API reference 5.7 and 6.10: limits and quotas, there and back."""

from __future__ import annotations

import pytest

from tests.contract.stage import PROJECT, Lab


@pytest.mark.operation("5.7.1", "6.10.1")
async def test_limits_and_use(lab: Lab) -> None:
    quota = {"instances": 7, "cores": 9, "ram": -1, "keyPairs": 3, "securityGroups": 4, "floatingIps": 5, "serverGroups": 6}
    await lab.tell(f"projects/{PROJECT}", {"quota": quota})
    async with lab.client() as client:
        await lab.server(client)
        await client.groups.create("g", ["anti-affinity"])
        limits = await client.limits.get()
        assert (limits.max_total_instances, limits.max_total_cores, limits.max_total_ram_size) == (7, 9, -1)
        assert (limits.max_total_keypairs, limits.max_security_groups, limits.max_total_floating_ips) == (3, 4, 5)
        assert (limits.total_instances_used, limits.total_cores_used, limits.total_ram_used) == (1, 2, 4096)
        assert (limits.max_server_groups, limits.total_server_groups_used) == (6, 1)
        assert (limits.total_floating_ips_used, limits.total_security_groups_used) == (1, 2)
        assert (limits.max_server_meta, limits.max_personality, limits.max_personality_size, limits.max_image_meta) == (128, 5, 10240, 128)
        assert await client.limits.native() == limits


@pytest.mark.operation("6.10.2", "6.10.3")
async def test_quota_sets(lab: Lab) -> None:
    await lab.tell(f"projects/{PROJECT}", {"quota": {"instances": 7, "keyPairs": 3}})
    async with lab.client() as client:
        own, defaults = await client.quotas.get(), await client.quotas.defaults()
        assert (own.id, own.instances, own.key_pairs) == (PROJECT, 7, 3)
        assert (defaults.id, defaults.instances, defaults.key_pairs) == (PROJECT, 1000, -1)
        assert (own.injected_files, own.injected_file_content_bytes, own.fixed_ips, own.metadata_items) == (5, 10240, -1, 128)
        assert await client.quotas.get(user_id="nobody") == defaults
