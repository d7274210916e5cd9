"""5.10 and 6.12: two families of operations on the same server groups."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulator.stage import NOWHERE, Stage, request


def make(stage: Stage, name: str = "g") -> str:
    reply = stage.call("createServerGroup", {"server_group": {"name": name, "policies": ["anti-affinity"]}})
    identity: str = reply.body["server_group"]["id"]
    return identity


def members(stage: Stage, group_id: str) -> list[str]:
    found: list[str] = stage.call("showServerGroup", server_group_id=group_id).body["server_group"]["members"]
    return found


def change(stage: Stage, action: str, group_id: str, server_id: str) -> Any:
    name = "addServerGroupMember" if action == "add_member" else "removeServerGroupMember"
    return stage.call(name, {action: {"instance_uuid": server_id}}, server_group_id=group_id)


def test_a_life(stage: Stage) -> None:
    group, twin = make(stage), make(stage)
    assert group != twin, "names need not be unique"
    inside, outside = stage.server(**{"os:scheduler_hints": {"group": group}}), stage.server()
    stage.project.servers[outside].host = stage.project.servers[inside].host
    add = {"add_member": {"instance_uuid": outside}}
    assert stage.code("addServerGroupMember", add, server_group_id=group) == (400, "Ecs.0100")
    stage.world.set_server(outside, "stop")
    assert change(stage, "add_member", group, outside).status == 200
    assert members(stage, group) == [inside, outside]
    assert stage.project.servers[outside].host != stage.project.servers[inside].host
    assert stage.code("addServerGroupMember", add, server_group_id=group) == (400, "Ecs.0005")
    assert stage.code("addServerGroupMember", add, server_group_id=twin) == (400, "Ecs.0005")
    assert change(stage, "remove_member", group, inside).status == 200
    remove = {"remove_member": {"instance_uuid": inside}}
    assert stage.code("removeServerGroupMember", remove, server_group_id=group) == (400, "Ecs.0005")
    assert stage.call("deleteServerGroup", server_group_id=group).status == 204
    assert stage.show(outside)["status"] == "SHUTOFF"
    change(stage, "add_member", twin, outside)
    assert [entry["action"] for entry in stage.entries(resource="server_group")] == [
        *("create", "create", "join", "leave", "delete", "join"),
    ]


@pytest.mark.parametrize("name", ["showServerGroup", "deleteServerGroup"])
def test_an_unknown_group_is_answered_natively(stage: Stage, name: str) -> None:
    error = stage.refused(name, server_group_id=NOWHERE)
    assert (error.status, error.nova) == (404, True)


def test_an_unknown_member(stage: Stage) -> None:
    body = {"add_member": {"instance_uuid": NOWHERE}}
    assert stage.code("addServerGroupMember", body, server_group_id=make(stage)) == (404, "Ecs.0114")


@pytest.mark.parametrize(
    "group",
    [
        {"name": "", "policies": ["anti-affinity"]},
        {"name": "x" * 256, "policies": ["anti-affinity"]},
        {"name": "g", "policies": ["affinity"]},
        {"name": "g", "policies": []},
        {"name": "g", "policies": "anti-affinity"},
        {"name": "g"},
    ],
)
def test_refused(stage: Stage, group: dict[str, Any]) -> None:
    assert stage.code("createServerGroup", {"server_group": group}) == (400, "Ecs.0005")


def test_quota(stage: Stage) -> None:
    stage.world.set_project(stage.project.id, quota={"serverGroups": 1, "serverGroupMembers": 1})
    group = make(stage)
    assert stage.code("createServerGroup", {"server_group": {"name": "h", "policies": ["anti-affinity"]}}) == (400, "Ecs.0022")
    hints = {"os:scheduler_hints": {"group": group}}
    assert stage.code("createServers", request(count=2, **hints)) == (400, "Ecs.0022")
    stage.server(**hints)
    body = {"add_member": {"instance_uuid": stage.stopped()}}
    assert stage.code("addServerGroupMember", body, server_group_id=group) == (400, "Ecs.0022")


def test_pages(stage: Stage) -> None:
    made = [make(stage, f"g{number}") for number in range(5)]
    assert [row["id"] for row in stage.call("listServerGroups").body["server_groups"]] == made
    first = stage.call("listServerGroups", query={"limit": "3"}).body
    assert ([row["id"] for row in first["server_groups"]], first["page_info"]) == (made[:3], {"next_marker": made[2]})
    second = stage.call("listServerGroups", query={"limit": "3", "marker": made[2]}).body
    assert [row["id"] for row in second["server_groups"]] == made[3:]
    assert stage.call("listServerGroups", query={"limit": "3", "marker": made[4]}).body["server_groups"] == []
    assert stage.code("listServerGroups", query={"marker": made[2]}) == (400, "Ecs.0005")
    assert stage.code("listServerGroups", query={"limit": "3", "marker": NOWHERE}) == (400, "Ecs.0005")


class TestNative:
    def make(self, stage: Stage, **more: Any) -> Any:
        reply = stage.call("createServerGroupNative", {"server_group": {"name": "g", "policies": ["anti-affinity"]}}, **more)
        assert reply.status == 200
        return reply.body["server_group"]

    @pytest.mark.parametrize(("version", "owned"), [(None, False), ((2, 12), False), ((2, 13), True), ((2, 15), True), ((2, 60), True)])
    def test_rows(self, stage: Stage, version: tuple[int, int] | None, owned: bool) -> None:  # noqa: FBT001
        row = self.make(stage, version=version)
        owner = {"project_id": stage.project.id, "user_id": next(iter(stage.project.users))} if owned else {}
        assert row == {"id": row["id"], "name": "g", "policies": ["anti-affinity"], "members": [], "metadata": {}, **owner}
        assert stage.call("showServerGroupNative", server_group_id=row["id"], version=version).body == {"server_group": row}
        assert stage.call("listServerGroupsNative", version=version).body == {"server_groups": [row]}

    def test_both_families_have_the_same_groups(self, stage: Stage) -> None:
        native, other = self.make(stage)["id"], make(stage)
        server_id = stage.server(**{"os:scheduler_hints": {"group": native}})
        assert members(stage, native) == [server_id]
        row = stage.call("showServerGroupNative", server_group_id=native).body["server_group"]
        assert row["members"] == [server_id]
        assert [each["id"] for each in stage.call("listServerGroupsNative").body["server_groups"]] == [native, other]
        assert stage.call("deleteServerGroupNative", server_group_id=other) == (204, None)
        assert stage.call("deleteServerGroup", server_group_id=native).status == 204
        assert stage.call("listServerGroupsNative").body == {"server_groups": []}
        assert stage.show(server_id)["status"] == "ACTIVE"

    @pytest.mark.parametrize("name", ["showServerGroupNative", "deleteServerGroupNative"])
    def test_an_unknown_group(self, stage: Stage, name: str) -> None:
        assert stage.refused(name, server_group_id=NOWHERE).status == 404

    @pytest.mark.parametrize(
        "policies", [["affinity"], ["soft-anti-affinity"], ["anti-affinity", "affinity"], [], None, "anti-affinity", [1]]
    )
    def test_policies(self, stage: Stage, policies: object) -> None:
        """The reference has one, from 2.15 on as before."""
        for version in ((2, 1), (2, 15), (2, 60)):
            body = {"server_group": {"name": "g", "policies": policies}}
            assert stage.refused("createServerGroupNative", body, version=version).status == 400

    @pytest.mark.parametrize(
        ("name", "allowed"), [("g" * 255, True), ("\u4e91" * 85, True), ("g" * 256, False), ("\u4e91" * 86, False), ("", False)]
    )
    def test_names(self, stage: Stage, name: str, allowed: bool) -> None:  # noqa: FBT001
        body = {"server_group": {"name": name, "policies": ["anti-affinity"]}}
        for operation in ("createServerGroupNative", "createServerGroup"):
            if allowed:
                assert stage.call(operation, body).body["server_group"]["name"] == name
            else:
                assert stage.refused(operation, body).status == 400

    def test_quota(self, stage: Stage) -> None:
        stage.world.set_project(stage.project.id, quota={"serverGroups": 1})
        self.make(stage)
        body = {"server_group": {"name": "h", "policies": ["anti-affinity"]}}
        assert stage.code("createServerGroupNative", body) == (403, "Ecs.0022")

    def test_a_part_of_the_list(self, stage: Stage) -> None:
        made = [self.make(stage)["id"] for _ in range(4)]
        rows = stage.call("listServerGroupsNative", query={"limit": "2", "offset": "1"}).body["server_groups"]
        assert [row["id"] for row in rows] == made[1:3]


def test_xen_cannot_join(stage: Stage) -> None:
    group, server_id = make(stage), stage.stopped()
    flavor = stage.world.flavors[stage.project.servers[server_id].flavor_id]
    flavor.specs["ecs:virtualization_env_types"] = "FusionCompute"
    body = {"add_member": {"instance_uuid": server_id}}
    assert stage.code("addServerGroupMember", body, server_group_id=group) == (400, "Ecs.0005")
    flavor.specs["ecs:virtualization_env_types"] = "CloudCompute"
    assert change(stage, "add_member", group, server_id).status == 200


def test_limits_of_pages(stage: Stage) -> None:
    assert stage.call("listServerGroups", query={"limit": "1000"}).status == 200
    assert stage.code("listServerGroups", query={"limit": "1001"}) == (400, "Ecs.0005")
    assert stage.code("listServerGroups", query={"limit": "x"}) == (400, "Ecs.0005")


def test_members_that_are_put_together_by_hand(stage: Stage) -> None:
    """The host of each is told all the same: that is how the policy is seen to be violated."""
    group = make(stage)
    first, second = (stage.server(**{"os:scheduler_hints": {"group": group}}) for _ in range(2))
    assert stage.show(first)["hostId"] != stage.show(second)["hostId"]
    stage.world.put_beside(second, first)
    assert stage.show(first)["hostId"] == stage.show(second)["hostId"]
    assert members(stage, group) == [first, second]
    assert stage.entries("migrate")[-1]["request_id"] == "by-hand"
    with pytest.raises(LookupError, match=NOWHERE):
        stage.world.put_beside(second, NOWHERE)
