"""5.7 and 6.10: what a project may use, and what it uses, by microversion."""

from __future__ import annotations

import pytest

from tests.unit.simulator.stage import NOWHERE, Stage

ABSOLUTE = {
    *("maxServerMeta", "maxPersonality", "maxPersonalitySize", "maxImageMeta", "maxSecurityGroupRules", "maxSecurityGroups"),
    *("maxTotalKeypairs", "maxTotalCores", "maxTotalInstances", "maxTotalRAMSize", "maxTotalFloatingIps"),
    *("maxServerGroups", "maxServerGroupMembers", "totalInstancesUsed", "totalCoresUsed", "totalRAMUsed"),
    *("totalSecurityGroupsUsed", "totalFloatingIpsUsed", "totalServerGroupsUsed"),
}
QUOTAS = {
    *("id", "cores", "fixed_ips", "floating_ips", "injected_file_content_bytes", "injected_file_path_bytes", "injected_files"),
    *("instances", "key_pairs", "metadata_items", "ram", "security_group_rules", "security_groups"),
    *("server_group_members", "server_groups"),
}


def test_limits_and_use(stage: Stage) -> None:
    stage.world.set_project(stage.project.id, quota={"instances": 7, "ram": -1, "keyPairs": 3, "serverGroups": 9})
    stage.create(count=2)
    stage.call("createServerGroup", {"server_group": {"name": "g", "policies": ["anti-affinity"]}})
    absolute = stage.call("showLimits").body["absolute"]
    assert absolute.keys() == ABSOLUTE
    assert {type(value) for value in absolute.values()} == {int}
    assert (absolute["maxTotalInstances"], absolute["maxTotalRAMSize"], absolute["maxTotalKeypairs"]) == (7, -1, 3)
    assert (absolute["totalInstancesUsed"], absolute["totalCoresUsed"], absolute["totalRAMUsed"]) == (2, 4, 8192)
    assert (absolute["totalServerGroupsUsed"], absolute["totalFloatingIpsUsed"], absolute["totalSecurityGroupsUsed"]) == (1, 1, 2)
    for version in (None, (2, 1)):
        assert stage.call("showLimitsNative", version=version).body == {"limits": {"rate": [], "absolute": absolute}}


@pytest.mark.parametrize(
    ("minor", "gone"),
    [
        (34, set()),
        (35, {"maxSecurityGroupRules"}),
        (36, {"maxSecurityGroupRules", "maxSecurityGroups", "maxTotalFloatingIps", "totalSecurityGroupsUsed", "totalFloatingIpsUsed"}),
    ],
)
def test_limits_by_microversion(stage: Stage, minor: int, gone: set[str]) -> None:
    absolute = stage.call("showLimitsNative", version=(2, minor)).body["limits"]["absolute"]
    assert absolute.keys() == ABSOLUTE - gone


def test_later_limits(stage: Stage) -> None:
    assert "maxImageMeta" not in stage.call("showLimitsNative", version=(2, 39)).body["limits"]["absolute"]
    assert "maxPersonality" in stage.call("showLimitsNative", version=(2, 56)).body["limits"]["absolute"]
    assert not {"maxPersonality", "maxPersonalitySize"} & stage.call("showLimitsNative", version=(2, 57)).body["limits"]["absolute"].keys()


@pytest.mark.parametrize("name", ["project_id", "tenant_id"])
def test_limits_of_others_are_not_shown(stage: Stage, name: str) -> None:
    assert stage.call("showLimitsNative", query={name: stage.project.id}).status == 200
    assert stage.refused("showLimitsNative", query={name: NOWHERE}).status == 403


def test_quota_sets(stage: Stage) -> None:
    stage.world.set_project(stage.project.id, quota={"instances": 7, "cores": -1})
    user = next(iter(stage.project.users))

    def instances(asked: str, user_id: str | None = None, name: str = "showQuotaSet") -> int:
        query = {} if user_id is None else {"user_id": user_id}
        row = stage.call(name, query=query, version=(2, 35), project_id_2=asked).body["quota_set"]
        assert (row.keys(), row["id"]) == (QUOTAS, asked)
        assert {type(value) for key, value in row.items() if key != "id"} == {int}
        found: int = row["instances"]
        return found

    assert [instances(stage.project.id), instances(stage.project.id, user)] == [7, 7]
    assert [instances(stage.project.id, "nobody"), instances("none")] == [1000, 1000], "what is not there has the default"
    assert instances(stage.project.id, name="showDefaultQuotaSet") == 1000
    other = stage.world.add_project("t-1")["projectId"]
    assert stage.refused("showQuotaSet", project_id_2=other).status == 403


def test_quota_sets_by_microversion(stage: Stage) -> None:
    network = {"fixed_ips", "floating_ips", "security_groups", "security_group_rules"}
    files = {"injected_files", "injected_file_content_bytes", "injected_file_path_bytes"}
    for name in ("showQuotaSet", "showDefaultQuotaSet"):
        for version, gone in ((None, set()), ((2, 36), network), ((2, 57), network | files)):
            assert stage.call(name, version=version, project_id_2=stage.project.id).body["quota_set"].keys() == QUOTAS - gone
