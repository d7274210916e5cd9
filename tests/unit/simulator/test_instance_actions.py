"""6.13: what was done to a server, whoever asked for it in whichever way, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ecs_simulator.world import actions
from tests.unit.simulator.stage import IMAGE, NOWHERE, SUBNET, VOLUME, Stage, ids, request

PAGED = (2, 58)


def listed(stage: Stage, server_id: str, **more: Any) -> list[Any]:
    rows: list[Any] = stage.call("listServerActions", server_id=server_id, **more).body["instanceActions"]
    return rows


def names(stage: Stage, server_id: str, **more: Any) -> list[str]:
    """Names of the actions, the newest first."""
    return [row["action"] for row in listed(stage, server_id, **more)]


def latest(stage: Stage, server_id: str, **more: Any) -> Any:
    """The newest action with its events."""
    request_id = listed(stage, server_id, **more)[0]["request_id"]
    return stage.call("showServerAction", server_id=server_id, request_id=request_id, **more).body["instanceAction"]


def test_a_create_from_accepted_to_done(stage: Stage) -> None:
    stage.call("createServers", request())
    (server_id,) = stage.project.servers
    asked = f"req-{stage.requests}"
    action = latest(stage, server_id)
    assert action == {
        "action": "create",
        "instance_uuid": server_id,
        "request_id": asked,
        "user_id": next(iter(stage.project.users)),
        "project_id": stage.project.id,
        "start_time": action["start_time"],
        "message": None,
        "events": [
            {
                "event": "compute_build_and_run_instance",
                "start_time": action["start_time"],
                "finish_time": None,
                "result": None,
                "traceback": None,
            }
        ],
    }
    stage.pass_time(600)
    (event,) = latest(stage, server_id)["events"]
    server = stage.show(server_id)
    # The moment it was done, not the moment somebody looked.
    assert event == {**action["events"][0], "finish_time": server["OS-SRV-USG:launched_at"], "result": "Success"}


def test_a_native_create(stage: Stage) -> None:
    server = {"name": "web", "flavorRef": "s3.large.2", "imageRef": IMAGE, "networks": [{"uuid": SUBNET}]}
    server_id = stage.call("createServer", {"server": server}).body["server"]["id"]
    assert latest(stage, server_id)["events"][0]["finish_time"] is None
    stage.pass_time(600)
    action = latest(stage, server_id)
    assert (action["action"], action["events"][0]["result"]) == ("create", "Success")


Deed = Callable[[Stage, str], object]


def call(name: str, body: Any = None, *, query: dict[str, str] | None = None, **path: Any) -> Deed:
    return lambda stage, server_id: stage.call(name, body, query=query, server_id=server_id, **path)


def batch(name: str, key: str, **more: Any) -> Deed:
    return lambda stage, server_id: stage.call(name, {key: {**more, "servers": ids(server_id)}})


def stopped(stage: Stage, server_id: str) -> None:
    stage.ended(stage.call("stopServers", {"os-stop": {"servers": ids(server_id)}}))


def attached(stage: Stage, server_id: str) -> None:
    stage.ended(stage.call("attachVolume", {"volumeAttachment": {"volumeId": VOLUME}}, server_id=server_id))


def as_it_is(_: Stage, __: str) -> None:
    """Nothing is prepared."""


def resized(stage: Stage, server_id: str) -> None:
    stage.call("resizeServerNative", {"resize": {"flavorRef": "s3.xlarge.2"}}, server_id=server_id)
    stage.pass_time(600)


def extended(stage: Stage, server_id: str) -> None:
    stage.call("attachInterface", {"interfaceAttachment": {"net_id": SUBNET}}, server_id=server_id)


def without_interface(name: str) -> Deed:
    def deed(stage: Stage, server_id: str) -> None:
        port_id = stage.project.servers[server_id].port_ids[1]
        if name == "detachInterface":
            stage.call(name, server_id=server_id, port_id=port_id)
        else:
            stage.call(name, {"nics": [{"id": port_id}]}, server_id=server_id)

    return deed


PASSWORD = "Lab-Passw0rd!"
ATTACHMENT = {"volumeAttachment": {"volumeId": VOLUME}}
DEEDS: list[tuple[str, str, str, Deed, Deed]] = [
    (
        "5.1.2",
        "delete",
        "compute_terminate_instance",
        as_it_is,
        lambda stage, server_id: stage.call("deleteServers", {"servers": ids(server_id)}),
    ),
    (
        "5.2.1",
        "rebuild",
        "compute_rebuild_instance",
        stopped,
        call("reinstallServer", {"os-reinstall": {"userid": "u", "adminpass": PASSWORD}}),
    ),
    (
        "5.2.2",
        "rebuild",
        "compute_rebuild_instance",
        stopped,
        call("changeServerImage", {"os-change": {"imageid": IMAGE, "adminpass": PASSWORD}}),
    ),
    ("5.2.3", "migrate", "conductor_migrate_server", stopped, call("migrateServer", {"migrate": {"dedicated_host_id": "h"}})),
    ("5.2.4", "resize", "compute_finish_resize", stopped, call("resizeServer", {"resize": {"flavorRef": "s3.xlarge.2"}})),
    ("5.3.1", "start", "compute_start_instance", stopped, batch("startServers", "os-start")),
    ("5.3.2", "reboot", "compute_reboot_instance", as_it_is, batch("rebootServers", "reboot", type="SOFT")),
    ("5.3.3", "stop", "compute_stop_instance", as_it_is, batch("stopServers", "os-stop")),
    ("5.5.1", "attach_interface", "compute_attach_interface", as_it_is, call("addInterfaces", {"nics": [{"subnet_id": SUBNET}]})),
    ("5.5.2", "detach_interface", "compute_detach_interface", extended, without_interface("removeInterfaces")),
    ("5.6.1", "attach_volume", "compute_attach_volume", as_it_is, call("attachVolume", ATTACHMENT)),
    ("5.6.2", "detach_volume", "compute_detach_volume", attached, call("detachVolume", volume_id=VOLUME)),
    ("6.2.3", "delete", "compute_terminate_instance", as_it_is, call("deleteServer")),
    ("6.3.1", "start", "compute_start_instance", stopped, call("startServer", {"os-start": None})),
    ("6.3.2", "reboot", "compute_reboot_instance", as_it_is, call("rebootServer", {"reboot": {"type": "HARD"}})),
    ("6.3.3", "stop", "compute_stop_instance", as_it_is, call("stopServer", {"os-stop": None})),
    ("6.3.4", "lock", "api_lock", as_it_is, call("lockServer", {"lock": None})),
    ("6.3.5", "unlock", "api_unlock", as_it_is, call("unlockServer", {"unlock": None})),
    ("6.3.6", "rebuild", "compute_rebuild_instance", as_it_is, call("rebuildServer", {"rebuild": {"imageRef": IMAGE}})),
    ("6.3.7", "createImage", "api_snapshot_instance", as_it_is, call("createServerImage", {"createImage": {"name": "mine"}})),
    ("6.3.8", "resize", "compute_finish_resize", as_it_is, call("resizeServerNative", {"resize": {"flavorRef": "s3.xlarge.2"}})),
    ("6.3.9", "confirmResize", "compute_confirm_resize", resized, call("confirmResize", {"confirmResize": None})),
    ("6.3.10", "revertResize", "compute_finish_revert_resize", resized, call("revertResize", {"revertResize": None})),
    (
        "6.7.3",
        "attach_interface",
        "compute_attach_interface",
        as_it_is,
        call("attachInterface", {"interfaceAttachment": {"net_id": SUBNET}}),
    ),
    ("6.7.4", "detach_interface", "compute_detach_interface", extended, without_interface("detachInterface")),
    ("6.8.3", "attach_volume", "compute_attach_volume", as_it_is, call("createVolumeAttachment", ATTACHMENT)),
    ("6.8.4", "detach_volume", "compute_detach_volume", attached, call("deleteVolumeAttachment", volume_id=VOLUME)),
]


@pytest.mark.parametrize(("name", "event", "prepare", "deed"), [case[1:] for case in DEEDS], ids=[case[0] for case in DEEDS])
def test_every_command_is_an_action(stage: Stage, name: str, event: str, prepare: Deed, deed: Deed) -> None:
    server_id = stage.server()
    prepare(stage, server_id)
    before = len(names(stage, server_id))
    deed(stage, server_id)
    asked = f"req-{stage.requests}"
    stage.pass_time(600)
    rows = listed(stage, server_id, version=(2, 21))
    assert len(rows) == before + 1
    assert (rows[0]["action"], rows[0]["request_id"], rows[0]["message"]) == (name, asked, None)
    action = latest(stage, server_id, version=(2, 21))
    assert [(each["event"], each["result"], each["traceback"]) for each in action["events"]] == [(event, "Success", None)]
    assert action["events"][0]["finish_time"] is not None


def test_what_is_no_action(stage: Stage) -> None:
    """Names, pairs and tags are no actions in Nova, and neither is what is refused, or done by hand."""
    server_id = stage.server()
    stage.call("updateServer", {"server": {"name": "new"}}, server_id=server_id)
    stage.call("updateServerMetadata", {"metadata": {"a": "b"}}, server_id=server_id)
    assert stage.code("startServer", {"os-start": None}, server_id=server_id)[0] == 409
    assert stage.code("attachVolume", {"volumeAttachment": {"volumeId": NOWHERE}}, server_id=server_id)[0] == 400
    assert stage.call("attachVolume", {**ATTACHMENT, "dry_run": True}, server_id=server_id).status == 202
    stage.world.set_server(server_id, "stop")
    assert names(stage, server_id) == ["create"]


FAILURES: list[tuple[str, Deed, Deed]] = [
    ("attachVolume", as_it_is, call("attachVolume", ATTACHMENT)),
    ("detachVolume", attached, call("deleteVolumeAttachment", volume_id=VOLUME)),
    ("stopServer", as_it_is, call("stopServer", {"os-stop": None})),
]


@pytest.mark.parametrize(("job_type", "prepare", "deed"), FAILURES, ids=[case[0] for case in FAILURES])
def test_what_failed_says_so(stage: Stage, job_type: str, prepare: Deed, deed: Deed) -> None:
    """An attachment that is taken back is not an action of its own."""
    server_id = stage.server()
    prepare(stage, server_id)
    before = len(names(stage, server_id))
    stage.world.fail_next_job(stage.project.id, job_type=job_type, code="Ecs.0205", reason="no luck", leave="nothing")
    deed(stage, server_id)
    stage.pass_time(600)
    assert len(names(stage, server_id)) == before + 1
    action = latest(stage, server_id)
    (event,) = action["events"]
    assert (action["message"], event["result"]) == ("Error", "Error")
    assert "Ecs.0205: no luck" in event["traceback"]


def test_a_create_that_failed(stage: Stage) -> None:
    stage.world.fail_next_job(stage.project.id, job_type="createServer", code="Ecs.0204", reason="no luck", leave="nothing")
    job = stage.ended(stage.call("createServers", request()))
    server_id = job["entities"]["sub_jobs"][0]["entities"]["server_id"]
    assert stage.code("listServerActions", server_id=server_id, version=(2, 20))[0] == 404
    action = latest(stage, server_id, version=(2, 21))
    assert (action["action"], action["message"], len(action["events"])) == ("create", "Error", 1)


def test_what_is_ended_by_hand(stage: Stage) -> None:
    server_id = stage.server()
    stage.call("stopServer", {"os-stop": None}, server_id=server_id)
    stage.world.set_server(server_id, "start")
    action = latest(stage, server_id)
    assert (action["action"], action["message"], action["events"][0]["result"]) == ("stop", "Error", "Error")


def test_two_commands_side_by_side(stage: Stage) -> None:
    """A lock comes between a command and its end."""
    server_id = stage.server()
    stage.call("stopServer", {"os-stop": None}, server_id=server_id)
    stage.call("lockServer", {"lock": None}, server_id=server_id)
    lock = latest(stage, server_id)
    assert (lock["action"], lock["events"][0]["finish_time"]) == ("lock", lock["start_time"])
    assert stage.project.servers[server_id].actions[1].events[0].finish is None
    stage.pass_time(600)
    assert stage.project.servers[server_id].actions[1].events[0].result == "Success"
    assert names(stage, server_id) == ["lock", "stop", "create"]


def test_several_of_a_kind_in_one_request(stage: Stage) -> None:
    """Two interfaces are two events of one action."""
    server_id = stage.server()
    groups = [{"id": group_id} for group_id in stage.project.servers[server_id].security_group_ids]
    reply = stage.call("addInterfaces", {"nics": [{"subnet_id": SUBNET, "security_groups": groups}] * 2}, server_id=server_id)
    action = latest(stage, server_id)
    assert [event["finish_time"] for event in action["events"]] == [None, None]
    assert stage.ended(reply)["status"] == "SUCCESS"
    action = latest(stage, server_id)
    assert (action["action"], names(stage, server_id)) == ("attach_interface", ["attach_interface", "create"])
    assert [(event["event"], event["result"]) for event in action["events"]] == [("compute_attach_interface", "Success")] * 2


def test_one_request_for_several_servers(stage: Stage) -> None:
    servers = stage.create(count=2)
    reply = stage.call("stopServers", {"os-stop": {"servers": ids(*servers, NOWHERE)}})
    asked = f"req-{stage.requests}"
    stage.ended(reply)
    for server_id in servers:
        action = stage.call("showServerAction", server_id=server_id, request_id=asked).body["instanceAction"]
        assert (action["action"], action["instance_uuid"]) == ("stop", server_id)


def test_a_deleted_server(stage: Stage) -> None:
    """Its disks and ports go with it, without being actions; its actions are there from 2.21 on."""
    server_id = stage.server(data_volumes=[{"volumetype": "SATA", "size": 10}])
    stage.ended(stage.call("deleteServers", {"servers": ids(server_id), "delete_volume": True}))
    assert names(stage, server_id, version=(2, 21)) == ["delete", "create"]
    for version in (None, (2, 1), (2, 20)):
        assert stage.code("listServerActions", server_id=server_id, version=version)[0] == 404
        assert stage.code("showServerAction", server_id=server_id, request_id="req-1", version=version)[0] == 404


def test_what_is_not_there(stage: Stage) -> None:
    server_id, other = stage.server(), stage.server(name="other")
    theirs = listed(stage, other)[0]["request_id"]
    for request_id in ("req-0", NOWHERE, theirs, "by-hand"):
        assert stage.code("showServerAction", server_id=server_id, request_id=request_id)[0] == 404
    for version in ((2, 1), (2, 60)):
        assert stage.code("listServerActions", server_id=NOWHERE, version=version)[0] == 404
    stranger = stage.world.projects[stage.world.add_project("stranger")["projectId"]]
    assert stage.code("listServerActions", server_id=server_id, project=stranger, version=(2, 60))[0] == 404


# Pages, from 2.58 on


def busy(stage: Stage) -> str:
    server_id = stage.server()
    for name, body in (("lockServer", "lock"), ("unlockServer", "unlock"), ("lockServer", "lock")):
        stage.pass_time(10)
        stage.call(name, {body: None}, server_id=server_id)
    return server_id


def test_pages(stage: Stage) -> None:
    server_id = busy(stage)
    rows = listed(stage, server_id, version=PAGED)
    assert [row["action"] for row in rows] == ["lock", "unlock", "lock", "create"]
    assert "updated_at" in rows[0]
    body = stage.call("listServerActions", server_id=server_id, query={"limit": "2"}, version=PAGED).body
    assert body["instanceActions"] == rows[:2]
    assert f"os-instance-actions?limit=2&marker={rows[1]['request_id']}" in body["links"][0]["href"]
    more = {"limit": "2", "marker": rows[1]["request_id"]}
    assert listed(stage, server_id, query=more, version=PAGED) == rows[2:]
    assert stage.call("listServerActions", server_id=server_id, query={"marker": rows[3]["request_id"]}, version=PAGED).body == {
        "instanceActions": []
    }


def test_changes_since(stage: Stage) -> None:
    server_id = busy(stage)
    rows = listed(stage, server_id, version=PAGED)
    assert listed(stage, server_id, query={"changes-since": rows[1]["updated_at"] + "Z"}, version=PAGED) == rows[:2]


@pytest.mark.parametrize("query", [{"limit": "-1"}, {"limit": "many"}, {"marker": NOWHERE}, {"changes-since": "yesterday"}])
def test_queries_that_make_no_sense(stage: Stage, query: dict[str, str]) -> None:
    server_id = busy(stage)
    assert stage.code("listServerActions", server_id=server_id, query=query, version=PAGED)[0] == 400
    assert len(listed(stage, server_id, query=query, version=(2, 57))) == 4


def test_worlds_remember_actions_under_way(stage: Stage) -> None:
    server_id = stage.server()
    stage.call("stopServer", {"os-stop": None}, server_id=server_id)
    again = Stage(type(stage.world).from_json(stage.world.to_json()))
    again.pass_time(600)
    assert [row["action"] for row in listed(again, server_id)] == ["stop", "create"]
    assert latest(again, server_id)["events"][0]["result"] == "Success"


def test_every_kind_has_a_name_of_the_reference() -> None:
    """Table 6-209; createImage is Nova's and missing there."""
    known = {
        "create delete evacuate restore stop start reboot rebuild revertResize confirmResize detach_volume attach_volume attach_interface",
        "detach_interface lock unlock resize migrate pause unpause rescue unrescue changePassword shelve unshelve live-migration",
        "trigger_crash_dump extend_volume",
    }
    known = {name for line in known for name in line.split()}
    assert {kind.action for kind in actions.KINDS.values()} - known == {"createImage"}
