"""5.8.1: what each kind of job shows about itself and what it works on, when it ends well and when it does not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.unit.simulator.stage import IMAGE, SUBNET, VOLUME, Answer, Stage, ids, request

PASSWORD = "Lab-Passw0rd!"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
FIELDS = {"status", "entities", "job_id", "job_type", "begin_time", "end_time", "error_code", "fail_reason"}


class Case(NamedTuple):
    """A kind of job: what starts it, on a server in which state, the type of its parts (None: it has none), what else it names."""

    job_type: str
    start: Callable[[Stage, str], Answer]
    part_type: str | None = None
    is_stopped: bool = False
    names: str | None = None


def batch(name: str, key: str | None, **more: Any) -> Callable[[Stage, str], Answer]:
    def start(stage: Stage, server_id: str) -> Answer:
        body = {**more, "servers": ids(server_id)}
        return stage.call(name, body if key is None else {key: body})

    return start


def on_server(name: str, body: dict[str, Any]) -> Callable[[Stage, str], Answer]:
    return lambda stage, server_id: stage.call(name, body, server_id=server_id)


def detach(stage: Stage, server_id: str) -> Answer:
    stage.ended(stage.call("attachVolume", {"volumeAttachment": {"volumeId": VOLUME}}, server_id=server_id))
    return stage.call("detachVolume", server_id=server_id, volume_id=VOLUME)


def remove_interface(stage: Stage, server_id: str) -> Answer:
    stage.call("attachInterface", {"interfaceAttachment": {"net_id": SUBNET}}, server_id=server_id)
    nics = [{"id": stage.project.servers[server_id].port_ids[1]}]
    return stage.call("removeInterfaces", {"nics": nics}, server_id=server_id)


CASES = [
    Case("createServer", lambda stage, _: stage.call("createServers", request()), "createSingleServer"),
    Case("deleteServer", batch("deleteServers", None), "deleteSingleServer"),
    Case("startServer", batch("startServers", "os-start"), "startSingleServer", is_stopped=True),
    Case("stopServer", batch("stopServers", "os-stop"), "stopSingleServer"),
    Case("rebootServer", batch("rebootServers", "reboot", type="SOFT"), "rebootSingleServer"),
    Case("reinstallServer", on_server("reinstallServer", {"os-reinstall": {"userid": "u", "adminpass": PASSWORD}}), is_stopped=True),
    Case("changeServerImage", on_server("changeServerImage", {"os-change": {"imageid": IMAGE, "adminpass": PASSWORD}}), is_stopped=True),
    Case("migrateServer", on_server("migrateServer", {"migrate": {"dedicated_host_id": "h"}}), is_stopped=True),
    Case("resizeServer", on_server("resizeServer", {"resize": {"flavorRef": "s3.xlarge.2"}}), is_stopped=True),
    Case("addNics", on_server("addInterfaces", {"nics": [{"subnet_id": SUBNET}]}), "addNic", names="nic_id"),
    Case("deleteNics", remove_interface, "deleteNic", names="nic_id"),
    Case("attachVolume", on_server("attachVolume", {"volumeAttachment": {"volumeId": VOLUME}}), names="volume_id"),
    Case("detachVolume", detach, names="volume_id"),
]


def started(stage: Stage, case: Case) -> tuple[str, str]:
    """A job of a kind under way: its id, and that of the server it works on."""
    server_id = stage.stopped() if case.is_stopped else stage.server()
    job_id = case.start(stage, server_id).body["job_id"]
    return job_id, list(stage.project.servers)[-1] if case.job_type == "createServer" else server_id


def check_entities(case: Case, entities: dict[str, Any], server_id: str) -> None:
    assert entities["server_id"] == server_id
    assert set(entities) - {"errorcode_message"} == {"server_id"} | ({case.names} if case.names else set())
    assert case.names != "volume_id" or entities["volume_id"] == VOLUME


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.job_type)
def test_a_job_that_ends_well(stage: Stage, case: Case) -> None:
    job_id, server_id = started(stage, case)
    job = stage.job(job_id)
    assert (set(job), job["status"], job["job_type"], job["end_time"]) == (FIELDS, "INIT", case.job_type, "")
    stage.pass_time(600)
    job = stage.job(job_id)
    assert (job["status"], job["job_id"], job["error_code"], job["fail_reason"]) == ("SUCCESS", job_id, None, None)
    for time in (job["begin_time"], job["end_time"]):
        assert MOMENT.fullmatch(time)
    if case.part_type is None:
        check_entities(case, job["entities"], server_id)
        return
    (part,) = job["entities"]["sub_jobs"]
    assert (job["entities"]["sub_jobs_total"], set(part)) == (1, FIELDS)
    assert (part["status"], part["job_type"], part["error_code"], part["fail_reason"]) == ("SUCCESS", case.part_type, None, None)
    assert part["job_id"] != job_id
    assert "errorcode_message" not in part["entities"]
    check_entities(case, part["entities"], server_id)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.job_type)
def test_a_job_that_fails(stage: Stage, case: Case) -> None:
    stage.world.fail_next_job(stage.project.id, job_type=case.job_type, code="Ecs.0000", reason="as told", leave="nothing")
    if case.job_type == "createServer":
        # The first one is the server that the job works on here.
        job_id = case.start(stage, "").body["job_id"]
        (server_id,) = stage.project.servers
    else:
        job_id, server_id = started(stage, case)
    stage.pass_time(600)
    job = stage.job(job_id)
    assert (job["status"], job["error_code"], job["fail_reason"]) == ("FAIL", "Ecs.0000", "as told")
    if case.part_type is None:
        check_entities(case, job["entities"], server_id)
        return
    (part,) = job["entities"]["sub_jobs"]
    assert (part["status"], part["error_code"], part["fail_reason"]) == ("FAIL", "Ecs.0000", "as told")
    assert part["entities"]["errorcode_message"] == "as told"
    check_entities(case, part["entities"], server_id)


@pytest.mark.parametrize("job_id", ["none", "ff80808288d41e1b018990260955686a", "é", "x" * 300])
def test_a_job_that_there_is_not(stage: Stage, job_id: str) -> None:
    assert stage.code("showJob", job_id=job_id) == (400, "Common.0011")


def test_the_job_of_another_project(stage: Stage) -> None:
    job_id = stage.call("createServers", request()).body["job_id"]
    other = stage.world.projects[stage.world.add_project("other")["projectId"]]
    assert stage.code("showJob", job_id=job_id, project=other) == (400, "Common.0011")
