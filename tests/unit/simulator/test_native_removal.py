"""6.2.3: what a native delete takes, leaves and breaks off."""

from __future__ import annotations

from typing import Any

from tests.unit.simulator.native_stage import native
from tests.unit.simulator.stage import EIP, IMAGE, SUBNET, VOLUME, Stage, ids


def test_a_delete_leaves_the_address(stage: Stage) -> None:
    server_id = stage.server(publicip={"id": EIP})
    assert stage.call("deleteServer", server_id=server_id).status == 204
    assert stage.show(server_id)["OS-EXT-STS:task_state"] == "deleting"
    assert stage.call("deleteServer", server_id=server_id).status == 204, "once more is fine"
    stage.pass_time(600)
    assert stage.refused("showServer", server_id=server_id).status == 404
    assert stage.refused("deleteServer", server_id=server_id).status == 404
    assert (stage.project.floating_ips[EIP].status, stage.project.floating_ips[EIP].server_id) == ("DOWN", None)


def test_only_a_lock_prevents_it(stage: Stage) -> None:
    server_id = stage.server()
    stage.call("lockServer", {"lock": None}, server_id=server_id)
    assert stage.refused("deleteServer", server_id=server_id).status == 409
    stage.call("unlockServer", {"unlock": None}, server_id=server_id)
    stage.call("stopServers", {"os-stop": {"servers": ids(server_id)}})
    assert stage.show(server_id)["OS-EXT-STS:task_state"] == "powering-off"
    assert stage.call("deleteServer", server_id=server_id).status == 204
    stage.pass_time(600)
    assert stage.alive() == set()


def test_what_runs_is_broken_off(stage: Stage) -> None:
    building = stage.call("createServer", native()).body["server"]["id"]
    assert stage.call("deleteServer", server_id=building).status == 204
    attaching = stage.server()
    accepted = stage.call("attachVolume", {"volumeAttachment": {"volumeId": VOLUME}}, server_id=attaching)
    assert stage.call("deleteServer", server_id=attaching).status == 204
    assert stage.job(accepted.body["job_id"])["status"] == "FAIL"
    creating = stage.call("createServers", {"server": request_of_5_1_1()})
    (server_id,) = creating.body["serverIds"]
    assert stage.call("deleteServer", server_id=server_id).status == 204
    assert server_id not in stage.project.servers, "5.1.1 rolls back by itself"
    stage.pass_time(600)
    assert stage.alive() == set()
    assert (stage.project.volumes[VOLUME].status, stage.project.volumes[VOLUME].attachment) == ("available", None)


def request_of_5_1_1() -> dict[str, Any]:
    nics, root = [{"subnet_id": SUBNET}], {"volumetype": "SSD"}
    vpc = "0dae26c9-9a70-4392-93f3-87d53115d171"
    return {"name": "web", "flavorRef": "s3.large.2", "imageRef": IMAGE, "vpcid": vpc, "nics": nics, "root_volume": root}


def test_a_system_disk_that_came_back_goes_with_the_server(stage: Stage) -> None:
    server_id = stage.stopped()
    (root,) = stage.project.servers[server_id].volume_ids
    stage.ended(stage.call("detachVolume", server_id=server_id, volume_id=root))
    stage.ended(stage.call("attachVolume", {"volumeAttachment": {"volumeId": root, "device": "/dev/vda"}}, server_id=server_id))
    stage.ended(stage.call("deleteServers", {"servers": ids(server_id)}))
    assert root not in stage.project.volumes
