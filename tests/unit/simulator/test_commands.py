"""Who may command a server when, under /v1 and natively; what a command does; and batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.unit.simulator.stage import IMAGE, NOWHERE, VOLUME, Stage, ids, request


class Command(NamedTuple):
    """How a command is sent, and in which states of a settled server it is taken."""

    name: str
    body: Callable[[str], Any]
    states: str
    is_batch: bool = False
    path: dict[str, Any] = {}  # noqa: RUF012


V1 = [
    Command("startServers", lambda s: {"os-start": {"servers": ids(s)}}, "SHUTOFF", is_batch=True),
    Command("stopServers", lambda s: {"os-stop": {"servers": ids(s)}}, "ACTIVE", is_batch=True),
    Command("stopServers", lambda s: {"os-stop": {"type": "HARD", "servers": ids(s)}}, "ACTIVE", is_batch=True),
    Command("rebootServers", lambda s: {"reboot": {"type": "SOFT", "servers": ids(s)}}, "ACTIVE", is_batch=True),
    Command("rebootServers", lambda s: {"reboot": {"type": "HARD", "servers": ids(s)}}, "ACTIVE", is_batch=True),
    Command("deleteServers", lambda s: {"servers": ids(s)}, "ACTIVE SHUTOFF ERROR", is_batch=True),
    Command("resizeServer", lambda _: {"resize": {"flavorRef": "s3.xlarge.2"}}, "SHUTOFF"),
    Command("reinstallServer", lambda _: {"os-reinstall": {"userid": "u"}}, "SHUTOFF"),
    Command("changeServerImage", lambda _: {"os-change": {"imageid": IMAGE}}, "SHUTOFF"),
    Command("migrateServer", lambda _: {"migrate": {"dedicated_host_id": "h"}}, "SHUTOFF"),
    Command("attachVolume", lambda _: {"volumeAttachment": {"volumeId": VOLUME}}, "ACTIVE SHUTOFF"),
    Command("detachVolume", lambda _: None, "", path={"volume_id": VOLUME}),
]
NATIVE = [
    Command("startServer", lambda _: {"os-start": None}, "SHUTOFF"),
    Command("stopServer", lambda _: {"os-stop": {}}, "ACTIVE"),
    Command("rebootServer", lambda _: {"reboot": {"type": "SOFT"}}, "ACTIVE"),
    Command("rebuildServer", lambda _: {"rebuild": {"imageRef": IMAGE}}, "ACTIVE SHUTOFF"),
    Command("resizeServerNative", lambda _: {"resize": {"flavorRef": "s3.xlarge.2"}}, "ACTIVE SHUTOFF"),
    Command("confirmResize", lambda _: {"confirmResize": None}, ""),
    Command("revertResize", lambda _: {"revertResize": None}, ""),
]
# A task that runs does not matter to them.
METADATA = [
    Command("updateServerMetadata", lambda _: {"metadata": {"a": "b"}}, "ACTIVE SHUTOFF"),
    Command("replaceServerMetadata", lambda _: {"metadata": {"a": "b"}}, "ACTIVE SHUTOFF"),
    Command("setServerMetadataItem", lambda _: {"meta": {"a": "b"}}, "ACTIVE SHUTOFF", path={"key": "a"}),
]
PUT_IN: dict[str, Callable[[Stage, str], object]] = {
    "ACTIVE": lambda _, __: None,
    "SHUTOFF": lambda stage, server_id: stage.world.set_server(server_id, "stop"),
    "ERROR": lambda stage, server_id: stage.world.set_server(server_id, "error"),
}


def label(command: Command) -> str:
    return command.name


def send(stage: Stage, command: Command, server_id: str) -> Any:
    path: dict[str, Any] = {} if command.is_batch else {"server_id": server_id}
    return stage.call(command.name, command.body(server_id), **path, **command.path)


def code(stage: Stage, command: Command, server_id: str) -> tuple[int, str]:
    path: dict[str, Any] = {} if command.is_batch else {"server_id": server_id}
    return stage.code(command.name, command.body(server_id), **path, **command.path)


@pytest.mark.parametrize("state", PUT_IN)
@pytest.mark.parametrize("command", [*V1, *NATIVE, *METADATA], ids=label)
def test_states(stage: Stage, command: Command, state: str) -> None:
    server_id = stage.server()
    PUT_IN[state](stage, server_id)
    entries = len(stage.entries())
    if state in command.states.split():
        assert send(stage, command, server_id).status in {200, 202}
        assert len(stage.entries()) > entries
        return
    expected = (400 if command in V1 else 409, "Ecs.0100")
    if command.name == "detachVolume" and state != "ERROR":
        expected = (400, "Ecs.0111")
    assert code(stage, command, server_id) == expected
    assert len(stage.entries()) == entries


@pytest.mark.parametrize("command", [*V1, *NATIVE, *METADATA], ids=label)
def test_a_locked_server(stage: Stage, command: Command) -> None:
    server_id = stage.server()
    assert stage.call("lockServer", {"lock": None}, server_id=server_id).status == 202
    assert code(stage, command, server_id) == (400 if command in V1 else 409, "Ecs.0605")
    assert stage.show(server_id)["locked"] is True
    stage.call("unlockServer", {"unlock": None}, server_id=server_id)
    assert stage.show(server_id)["locked"] is False
    assert [entry["action"] for entry in stage.entries(resource="server")] == ["create", "lock", "unlock"]


@pytest.mark.parametrize("command", [*V1, *NATIVE], ids=label)
def test_a_busy_server(stage: Stage, command: Command) -> None:
    building = stage.call("createServers", request()).body["serverIds"][0]
    assert code(stage, command, building) == (501 if command in V1 else 409, "Ecs.0603")
    running = stage.server()
    stage.call("rebootServers", {"reboot": {"type": "SOFT", "servers": ids(running)}})
    assert code(stage, command, running) == (501 if command in V1 else 409, "Ecs.0603")


@pytest.mark.parametrize("command", [*V1, *NATIVE, *METADATA], ids=label)
def test_a_server_that_is_not_there(stage: Stage, command: Command) -> None:
    assert code(stage, command, NOWHERE) == (404, "Ecs.0114")


class Power(NamedTuple):
    name: str
    body: dict[str, Any]
    before: str
    task: str
    meanwhile: str
    after: str


POWER = [
    Power("stopServers", {"os-stop": {}}, "ACTIVE", "powering-off", "ACTIVE", "SHUTOFF"),
    Power("startServers", {"os-start": {}}, "SHUTOFF", "powering-on", "SHUTOFF", "ACTIVE"),
    Power("rebootServers", {"reboot": {"type": "SOFT"}}, "ACTIVE", "rebooting", "REBOOT", "ACTIVE"),
    Power("rebootServers", {"reboot": {"type": "HARD"}}, "ACTIVE", "rebooting_hard", "HARD_REBOOT", "ACTIVE"),
]


@pytest.mark.parametrize("case", POWER, ids=lambda case: case.task)
def test_power(stage: Stage, case: Power) -> None:
    server_id = stage.server()
    PUT_IN[case.before](stage, server_id)
    key = next(iter(case.body))
    reply = stage.call(case.name, {key: {**case.body[key], "servers": ids(server_id)}})
    assert stage.job(reply.body["job_id"])["status"] == "INIT"
    row = stage.show(server_id)
    assert (row["status"], row["OS-EXT-STS:task_state"]) == (case.meanwhile, case.task)
    stage.pass_time(0.3)
    job = stage.job(reply.body["job_id"])
    assert (job["status"], job["entities"]["sub_jobs"][0]["entities"]) == ("RUNNING", {"server_id": server_id})
    stage.pass_time(0.3)
    assert stage.job(reply.body["job_id"])["status"] == "SUCCESS"
    row = stage.show(server_id)
    assert (row["status"], row["OS-EXT-STS:task_state"]) == (case.after, None)


def test_a_native_action_takes_its_time_too(stage: Stage) -> None:
    server_id = stage.server()
    reply = stage.call("stopServer", {"os-stop": {"type": "HARD"}}, server_id=server_id)
    assert (reply.status, reply.body) == (202, None)
    assert stage.show(server_id)["OS-EXT-STS:task_state"] == "powering-off"
    stage.pass_time(1)
    assert stage.show(server_id)["status"] == "SHUTOFF"


def test_nobody_commands_the_server_of_another_project(stage: Stage) -> None:
    server_id = stage.server()
    other = stage.world.projects[stage.world.add_project("other")["projectId"]]
    for command in (
        *V1,
        *NATIVE,
        Command("lockServer", lambda _: {"lock": None}, ""),
        Command("unlockServer", lambda _: {"unlock": None}, ""),
    ):
        path: dict[str, Any] = {} if command.is_batch else {"server_id": server_id}
        assert stage.code(command.name, command.body(server_id), project=other, **path, **command.path) == (404, "Ecs.0114")
    assert stage.show(server_id)["locked"] is False


@pytest.mark.parametrize("job_type", ["startServer", "stopServer", "rebootServer", "resizeServer", "deleteServer"])
def test_a_command_that_fails_leaves_the_server_as_it_was(stage: Stage, job_type: str) -> None:
    server_id = stage.server()
    state = "SHUTOFF" if job_type in {"startServer", "resizeServer"} else "ACTIVE"
    PUT_IN[state](stage, server_id)
    stage.world.fail_next_job(stage.project.id, job_type=job_type, code="Ecs.0226", reason="no", leave="nothing")
    command = next(each for each in V1 if each.name.startswith(job_type))
    job = stage.ended(send(stage, command, server_id))
    assert (job["status"], job["job_type"], job["error_code"]) == ("FAIL", job_type, "Ecs.0226")
    row = stage.show(server_id)
    assert (row["status"], row["OS-EXT-STS:task_state"], row["flavor"]["id"]) == (state, None, "s3.large.2")
    assert stage.call("showLimits").body["absolute"]["totalCoresUsed"] == 2
    assert stage.ended(send(stage, command, server_id))["status"] == "SUCCESS"


def test_resize(stage: Stage) -> None:
    server_id = stage.stopped()
    reply = stage.call("resizeServer", {"resize": {"flavorRef": "s3.2xlarge.2"}}, server_id=server_id)
    assert stage.show(server_id)["status"] == "RESIZE"
    assert stage.call("showLimits").body["absolute"]["totalCoresUsed"] == 8
    job = stage.ended(reply)
    assert (job["status"], job["entities"]) == ("SUCCESS", {"server_id": server_id})
    row = stage.show(server_id)
    assert (row["status"], row["flavor"]["id"], row["metadata"]["metering.resourcecode"]) == ("SHUTOFF", "s3.2xlarge.2", "s3.2xlarge.2")


RESIZE_REFUSALS: list[tuple[str, str, Callable[[Stage], object], tuple[int, str]]] = [
    ("unknown", "x9.none", lambda _: None, (400, "Ecs.0029")),
    ("unchanged", "s3.large.2", lambda _: None, (400, "Ecs.0810")),
    ("sold out", "s3.xlarge.2", lambda s: s.world.sell_out("s3.xlarge.2", ("eu-west-0a",)), (400, "Ecs.0319")),
    ("quota", "s3.xlarge.2", lambda s: s.world.set_project(s.project.id, quota={"cores": 3}), (400, "Ecs.0001")),
    ("frozen", "s3.xlarge.2", lambda s: s.world.set_project(s.project.id, frozen=True), (403, "Ecs.0071")),
    ("nothing named", "", lambda _: None, (400, "Ecs.0005")),
]


@pytest.mark.parametrize(
    ("flavor", "prepare", "expected"), [case[1:] for case in RESIZE_REFUSALS], ids=[case[0] for case in RESIZE_REFUSALS]
)
def test_resize_refusals(stage: Stage, flavor: str, prepare: Callable[[Stage], object], expected: tuple[int, str]) -> None:
    server_id = stage.stopped()
    prepare(stage)
    for dry_run in (True, False):
        body = {"resize": {"flavorRef": flavor}, "dry_run": dry_run}
        assert stage.code("resizeServer", body, server_id=server_id) == expected
    assert stage.show(server_id)["status"] == "SHUTOFF"


def test_a_smaller_flavor_needs_no_quota(stage: Stage) -> None:
    server_id = stage.stopped()
    stage.world.set_project(stage.project.id, quota={"cores": 0, "ram": 0})
    body = {"resize": {"flavorRef": "s3.small.1"}}
    assert stage.call("resizeServer", {**body, "dry_run": True}, server_id=server_id).status == 202
    assert stage.ended(stage.call("resizeServer", body, server_id=server_id))["status"] == "SUCCESS"


class TestBatches:
    def test_all_of_them(self, stage: Stage) -> None:
        servers = stage.create(count=3)
        job = stage.ended(stage.call("stopServers", {"os-stop": {"servers": ids(*servers, servers[0])}}))
        assert [part["entities"]["server_id"] for part in job["entities"]["sub_jobs"]] == servers
        assert {stage.show(server_id)["status"] for server_id in servers} == {"SHUTOFF"}

    def test_some_of_them(self, stage: Stage) -> None:
        good, locked, stopped = stage.create(count=3)
        stage.call("lockServer", {"lock": None}, server_id=locked)
        stage.world.set_server(stopped, "stop")
        reply = stage.call("stopServers", {"os-stop": {"servers": ids(good, locked, stopped, NOWHERE)}})
        job = stage.ended(reply)
        parts = job["entities"]["sub_jobs"]
        assert [(part["status"], part["error_code"]) for part in parts] == [
            ("SUCCESS", None),
            ("FAIL", "Ecs.0605"),
            ("FAIL", "Ecs.0100"),
            ("FAIL", "Ecs.0114"),
        ]
        assert (job["status"], job["error_code"]) == ("FAIL", "Ecs.0605")
        assert [stage.show(server_id)["status"] for server_id in (good, locked)] == ["SHUTOFF", "ACTIVE"]

    def test_none_of_them(self, stage: Stage) -> None:
        locked = stage.server()
        stage.call("lockServer", {"lock": None}, server_id=locked)
        assert stage.code("stopServers", {"os-stop": {"servers": ids(locked, NOWHERE)}}) == (400, "Ecs.0605")

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"os-start": {"servers": []}}, "Ecs.0005"),
            ({"os-start": {}}, "Ecs.0005"),
            ({"os-start": {"servers": [{}]}}, "Ecs.0005"),
            ({"os-start": {"servers": ids(*(str(number) for number in range(1001)))}}, "Ecs.0118"),
        ],
    )
    def test_bodies(self, stage: Stage, body: dict[str, Any], code: str) -> None:
        assert stage.code("startServers", body) == (400, code)

    def test_types(self, stage: Stage) -> None:
        server_id = stage.server()
        assert stage.code("rebootServers", {"reboot": {"servers": ids(server_id)}}) == (400, "Ecs.0005")
        assert stage.code("stopServers", {"os-stop": {"type": "KIND", "servers": ids(server_id)}}) == (400, "Ecs.0005")
        assert stage.code("rebootServer", {"reboot": {}}, server_id=server_id) == (400, "Ecs.0005")

    def test_a_thousand_a_minute(self, stage: Stage) -> None:
        servers = stage.create(count=500) + stage.create(name="more", count=400)
        stage.call("stopServers", {"os-stop": {"servers": ids(*servers)}})
        stage.pass_time(10)
        stage.call("startServers", {"os-start": {"servers": ids(*servers)}})
        stage.pass_time(10)
        assert stage.code("stopServers", {"os-stop": {"servers": ids(*servers[:101])}}) == (429, "Common.1503")
        assert stage.call("stopServers", {"os-stop": {"servers": ids(*servers[:100])}}).status == 200
        stage.pass_time(60)
        assert stage.call("stopServers", {"os-stop": {"servers": ids(*servers[100:])}}).status == 200


def test_a_frozen_account_may_stop_and_delete_only(stage: Stage) -> None:
    server_id = stage.server()
    stage.world.set_project(stage.project.id, frozen=True)
    assert stage.show(server_id)["metadata"]["EcmResStatus"] == "freeze"
    assert stage.code("createServers", request()) == (403, "Ecs.0071")
    stage.ended(stage.call("stopServers", {"os-stop": {"servers": ids(server_id)}}))
    assert stage.code("startServers", {"os-start": {"servers": ids(server_id)}}) == (403, "Ecs.0071")
    assert stage.code("attachVolume", {"volumeAttachment": {"volumeId": VOLUME}}, server_id=server_id) == (403, "Ecs.0071")
    assert stage.ended(stage.call("deleteServers", {"servers": ids(server_id)}))["status"] == "SUCCESS"
    stage.world.set_project(stage.project.id, frozen=False)
    assert stage.server()


def test_an_unknown_job(stage: Stage) -> None:
    assert stage.code("showJob", job_id="none") == (400, "Common.0011")
    job_id = stage.call("createServers", request()).body["job_id"]
    stage.world.set_behaviour({"jobRetention": 60})
    stage.pass_time(61)
    assert stage.job(job_id)["status"] == "SUCCESS"
    stage.pass_time(2)
    assert stage.code("showJob", job_id=job_id) == (400, "Common.0011")
