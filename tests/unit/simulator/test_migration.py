"""Cold migration (5.2.3), dedicated hosts in other operations, automatic recovery (11.1) and monitoring (6.3.11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.simulator.stage import NOWHERE, Stage, ids, request

HOST, OTHER = "459a2b9d-804a-4745-ab19-a113bb1b4ddc", "0c1d2e3f-804a-4745-ab19-a113bb1b4ddc"
DEDICATED = {"os:scheduler_hints": {"tenancy": "dedicated", "dedicated_host_id": HOST}}


def to(host: str | None) -> dict[str, Any]:
    return {"migrate": None if host is None else {"dedicated_host_id": host}}


def migrated(stage: Stage, server_id: str, host: str | None) -> Any:
    assert stage.ended(stage.call("migrateServer", to(host), server_id=server_id))["status"] == "SUCCESS"
    return stage.show(server_id)


def grouped(stage: Stage, *server_ids: str) -> str:
    body = {"server_group": {"name": "g", "policies": ["anti-affinity"]}}
    group_id = str(stage.call("createServerGroup", body).body["server_group"]["id"])
    for server_id in server_ids:
        stage.call("addServerGroupMember", {"add_member": {"instance_uuid": server_id}}, server_group_id=group_id)
    return group_id


REFUSALS: dict[str, tuple[Callable[[Stage, str], object], Any, tuple[int, str]]] = {
    "running": (lambda s, i: s.world.set_server(i, "start"), to(OTHER), (400, "Ecs.0100")),
    "in ERROR": (lambda s, i: s.world.set_server(i, "error"), to(OTHER), (400, "Ecs.0100")),
    "locked": (lambda s, i: s.call("lockServer", {"lock": None}, server_id=i), to(OTHER), (400, "Ecs.0605")),
    "busy": (lambda s, i: s.call("startServers", {"os-start": {"servers": ids(i)}}), to(OTHER), (501, "Ecs.0603")),
    "frozen": (lambda s, _: s.world.set_project(s.project.id, frozen=True), to(OTHER), (403, "Ecs.0071")),
    "the same host": (lambda *_: None, to(HOST), (400, "Ecs.0221")),
    "no field": (lambda *_: None, {"migrat": None}, (400, "Ecs.0005")),
    "no object": (lambda *_: None, {"migrate": HOST}, (400, "Ecs.0005")),
    "a host of another kind": (lambda *_: None, {"migrate": {"dedicated_host_id": 7}}, (400, "Ecs.0005")),
    "a host too long": (lambda *_: None, to("h" * 65), (400, "Ecs.0005")),
}


class TestMigration:
    def test_from_host_to_host_and_to_the_pool(self, stage: Stage) -> None:
        server_id = stage.stopped()
        hosts = [stage.show(server_id)["hostId"]]
        for host in (HOST, OTHER, None, HOST):
            row = migrated(stage, server_id, host)
            hosts.append(row["hostId"])
            hints = {"tenancy": ["dedicated"], "dedicated_host_id": [host]} if host else None
            assert (row["status"], row.get("os:scheduler_hints") or None) == ("SHUTOFF", hints)
        assert hosts[1] == hosts[4]
        assert len(set(hosts[:4])) == 4
        assert [entry["host"] for entry in stage.entries("migrate", "server")] == [HOST, OTHER, None, HOST]

    def test_the_job(self, stage: Stage) -> None:
        server_id = stage.stopped()
        before = stage.show(server_id)["hostId"]
        reply = stage.call("migrateServer", to(HOST), server_id=server_id)
        assert (reply.status, stage.show(server_id)["hostId"]) == (200, before)
        job = stage.ended(reply)
        assert (job["job_type"], job["entities"]) == ("migrateServer", {"server_id": server_id})

    def test_a_failure_leaves_it_where_it_was(self, stage: Stage) -> None:
        server_id = stage.stopped()
        before = stage.show(server_id)
        stage.world.fail_next_job(stage.project.id, job_type="migrateServer", code="Ecs.0221", reason="no", leave="nothing")
        assert stage.ended(stage.call("migrateServer", to(HOST), server_id=server_id))["status"] == "FAIL"
        after = stage.show(server_id)
        assert (after["status"], after["hostId"], "os:scheduler_hints" in after) == ("SHUTOFF", before["hostId"], False)

    @pytest.mark.parametrize(("prepare", "body", "expected"), REFUSALS.values(), ids=REFUSALS)
    def test_refusals(self, stage: Stage, prepare: Callable[[Stage, str], object], body: Any, expected: tuple[int, str]) -> None:
        server_id = stage.stopped(**DEDICATED)
        prepare(stage, server_id)
        assert stage.code("migrateServer", body, server_id=server_id) == expected
        assert stage.entries("migrate", "server") == []

    def test_it_is_for_dedicated_hosts(self, stage: Stage) -> None:
        server_id = stage.stopped()
        bodies: list[Any] = [to(None), {"migrate": {}}, {"migrate": {"dedicated_host_id": ""}}]
        for body in bodies:
            assert stage.code("migrateServer", body, server_id=server_id) == (400, "Ecs.0005")
        assert stage.code("migrateServer", to(HOST), server_id=NOWHERE) == (404, "Ecs.0114")

    def test_members_of_a_group_do_not_meet(self, stage: Stage) -> None:
        one, other, free = stage.stopped(), stage.stopped(), stage.stopped(**DEDICATED)
        grouped(stage, one, other)
        migrated(stage, one, HOST)
        assert stage.code("migrateServer", to(HOST), server_id=other) == (400, "Ecs.0319")
        group_id = stage.show(one) and next(iter(stage.project.groups))
        member = {"add_member": {"instance_uuid": free}}
        assert stage.code("addServerGroupMember", member, server_group_id=group_id) == (400, "Ecs.0319")
        assert migrated(stage, one, None)["hostId"] != stage.show(other)["hostId"]
        migrated(stage, other, HOST)


class TestDedicatedHosts:
    def test_servers_made_there_share_it(self, stage: Stage) -> None:
        hosts = {stage.show(server_id)["hostId"] for server_id in stage.create(count=2, **DEDICATED)}
        assert len(hosts) == 1

    def test_members_of_a_group_are_not_made_there_together(self, stage: Stage) -> None:
        group_id = grouped(stage)
        hints = {"os:scheduler_hints": {**DEDICATED["os:scheduler_hints"], "group": group_id}}
        assert stage.code("createServers", request(count=2, **hints)) == (400, "Ecs.0319")
        stage.server(**hints)
        assert stage.code("createServers", request(**hints)) == (400, "Ecs.0319")

    def test_resizing_can_name_another(self, stage: Stage) -> None:
        """5.2.4 does not have the field, but A.2 a code that asks for it."""
        server_id, pooled = stage.stopped(**DEDICATED), stage.stopped()
        body = {"resize": {"flavorRef": "s3.xlarge.2", "dedicated_host_id": OTHER}}
        assert stage.code("resizeServer", body, server_id=pooled) == (400, "Ecs.0005")
        assert stage.code("resizeServer", {**body, "dry_run": True}, server_id=pooled) == (400, "Ecs.0005")
        before = stage.show(server_id)
        assert stage.ended(stage.call("resizeServer", body, server_id=server_id))["status"] == "SUCCESS"
        after = stage.show(server_id)
        assert (after["flavor"]["id"], after["os:scheduler_hints"]["dedicated_host_id"]) == ("s3.xlarge.2", [OTHER])
        assert after["hostId"] != before["hostId"]

    def test_resizing_need_not(self, stage: Stage) -> None:
        server_id = stage.stopped(**DEDICATED)
        before = stage.show(server_id)
        assert stage.ended(stage.call("resizeServer", {"resize": {"flavorRef": "s3.xlarge.2"}}, server_id=server_id))["status"] == "SUCCESS"
        assert stage.show(server_id)["hostId"] == before["hostId"]


class TestRecovery:
    def read(self, stage: Stage, server_id: str) -> str:
        return str(stage.call("showAutoRecovery", server_id=server_id).body["support_auto_recovery"])

    def test_set_and_taken_away(self, stage: Stage) -> None:
        server_id = stage.server()
        seen = [self.read(stage, server_id)]
        for value in ("true", "false", True):
            assert stage.call("setAutoRecovery", {"support_auto_recovery": value}, server_id=server_id) == (204, None)
            seen.append(self.read(stage, server_id))
        assert seen == ["false", "true", "false", "true"]
        assert [entry["fields"] for entry in stage.entries("update", "server")] == [["support_auto_recovery"]] * 3

    @pytest.mark.parametrize("body", [{}, {"support_auto_recovery": None}, {"support_auto_recovery": "yes"}, {"support_auto_recovery": 1}])
    def test_wrong_values(self, stage: Stage, body: Any) -> None:
        assert stage.code("setAutoRecovery", body, server_id=stage.server()) == (400, "Ecs.0005")

    def test_a_flavor_that_cannot(self, stage: Stage) -> None:
        server_id = stage.server(flavorRef="s3.medium.2")
        assert stage.code("setAutoRecovery", {"support_auto_recovery": "true"}, server_id=server_id) == (400, "Ecs.0036")
        assert stage.call("setAutoRecovery", {"support_auto_recovery": "false"}, server_id=server_id).status == 204

    def test_a_flavor_to_come_that_cannot(self, stage: Stage) -> None:
        server_id = stage.stopped()
        body = {"resize": {"flavorRef": "s3.medium.2"}}
        stage.call("setAutoRecovery", {"support_auto_recovery": "true"}, server_id=server_id)
        assert stage.code("resizeServer", body, server_id=server_id) == (400, "Ecs.0036")
        stage.call("setAutoRecovery", {"support_auto_recovery": "false"}, server_id=server_id)
        assert stage.ended(stage.call("resizeServer", body, server_id=server_id))["status"] == "SUCCESS"

    @pytest.mark.parametrize(("name", "body"), [("showAutoRecovery", None), ("setAutoRecovery", {"support_auto_recovery": "true"})])
    def test_no_server(self, stage: Stage, name: str, body: Any) -> None:
        error = stage.refused(name, body, server_id=NOWHERE)
        assert (error.status, error.code, error.nova) == (404, "Ecs.0114", False)


def test_monitoring(stage: Stage) -> None:
    server_id = stage.server()
    for _ in range(2):
        assert stage.call("monitorMetrics", {"monitorMetrics": None}, server_id=server_id, version=None) == (202, None)
    assert stage.project.servers[server_id].monitored
    assert stage.code("monitorMetrics", {"monitorMetrics": None}, server_id=NOWHERE, version=None) == (404, "Ecs.0114")
