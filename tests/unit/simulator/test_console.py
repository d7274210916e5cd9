"""6.14.1: what a server writes to its console, and when there is one."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_simulator.world.console import KEPT_BLOCKS
from tests.unit.simulator.stage import IMAGE, NOWHERE, WINDOWS, Stage, ids, request

VERSION = (2, 5)
BOOTED = "web-01 login: "


def output(stage: Stage, server_id: str, **fields: Any) -> str:
    body = {"os-getConsoleOutput": fields}
    return str(stage.call("showConsoleOutput", body, version=VERSION, server_id=server_id).body["output"])


def power(stage: Stage, name: str, key: str, server_id: str, **more: Any) -> None:
    stage.ended(stage.call(name, {key: {**more, "servers": ids(server_id)}}))


def test_a_server_says_how_it_boots(stage: Stage) -> None:
    stage.call("createServers", request(name="Web_01"))
    stage.pass_time(600)
    (server_id,) = stage.project.servers
    text = output(stage, server_id)
    port = stage.project.ports[stage.project.servers[server_id].port_ids[0]]
    for part in (server_id, "Booting Ubuntu 24.04 server 64bit", f"ci-info: | eth0 | True | {port.address} | {port.mac} |", BOOTED):
        assert part in text
    assert text.count("Booting") == 1
    assert "reboot:" not in text


def test_a_windows_server(stage: Stage) -> None:
    server_id = stage.server(imageRef=WINDOWS, adminPass="Lab-Passw0rd!", key_name=None)
    text = output(stage, server_id)
    assert "cloudbase-init: finished" in text
    assert "Lab-Passw0rd!" not in text


def test_stop_start_and_reboot(stage: Stage) -> None:
    """The last lines tell what was last; the log goes on where it was."""
    server_id = stage.server(name="web-01")
    first = output(stage, server_id)
    power(stage, "stopServers", "os-stop", server_id, type="SOFT")
    assert output(stage, server_id, length=2).endswith(": stopping all services\nreboot: Power down")
    stage.pass_time(3600)
    power(stage, "startServers", "os-start", server_id)
    assert output(stage, server_id, length=1) == BOOTED
    power(stage, "rebootServers", "reboot", server_id, type="HARD")
    text = output(stage, server_id)
    assert text.startswith(first)
    assert (text.count("Booting"), text.count("reboot: Power down"), text.count("reboot: Restarting system")) == (3, 1, 1)
    assert text.count("stopping all services") == 1


def test_the_time_is_the_worlds(stage: Stage) -> None:
    server_id = stage.server()
    stage.world.clock.advance(40 * 86400)
    power(stage, "rebootServers", "reboot", server_id, type="SOFT")
    dates = [line.split(" at ")[1][:16] for line in output(stage, server_id).split("\n") if "running 'init' at" in line]
    assert len(set(dates)) == 2


def test_a_rebuilt_server_boots_its_new_image(stage: Stage) -> None:
    server_id = stage.server()
    image = stage.world.images[IMAGE]
    image.name = "Ubuntu 26.04 server 64bit"
    stage.call("rebuildServer", {"rebuild": {"imageRef": IMAGE}}, server_id=server_id)
    stage.pass_time(600)
    assert "Restarting system\n[    0.000000] Booting Ubuntu 26.04 server 64bit" in output(stage, server_id)


@pytest.mark.parametrize("name", ["lockServer", "updateServer", "attachVolume"])
def test_what_the_console_does_not_notice(stage: Stage, name: str) -> None:
    server_id = stage.server()
    before = output(stage, server_id)
    bodies: dict[str, Any] = {
        "lockServer": {"lock": None},
        "updateServer": {"server": {"name": "new"}},
        "attachVolume": {"volumeAttachment": {"volumeId": next(iter(stage.project.volumes))}},
    }
    stage.call(name, bodies[name], server_id=server_id)
    stage.pass_time(600)
    assert output(stage, server_id) == before


def test_by_hand_too(stage: Stage) -> None:
    server_id = stage.world.plant_server(stage.project.id, name="planted", metadata={})
    assert "planted login: " in output(stage, server_id)
    stage.world.set_server(server_id, "stop")
    assert output(stage, server_id, length=1) == "reboot: Power down"
    stage.world.set_server(server_id, "start")
    assert output(stage, server_id, length=1) == "planted login: "


@pytest.mark.parametrize("length", [1, 3, "3", 1000, "1000", 2**31 - 1])
def test_lengths(stage: Stage, length: object) -> None:
    server_id = stage.server()
    lines = output(stage, server_id).split("\n")
    assert output(stage, server_id, length=length).split("\n") == lines[-int(str(length)) :]


@pytest.mark.parametrize("length", [-1, "-1", None, ""])
def test_lengths_that_mean_everything(stage: Stage, length: object) -> None:
    server_id = stage.server()
    assert output(stage, server_id, length=length) == output(stage, server_id)


def test_no_lines_at_all(stage: Stage) -> None:
    assert output(stage, stage.server(), length=0) == ""


WRONG: list[tuple[str, object]] = [
    ("below -1", {"length": -2}),
    ("a text that is no number", {"length": "all"}),
    ("two signs", {"length": "--5"}),
    ("a fraction", {"length": 1.5}),
    ("a Boolean", {"length": True}),
    ("a list", {"length": [1]}),
    ("beyond all numbers", {"length": 10**30}),
    ("an unknown field", {"lines": 5}),
    ("null", None),
    ("a list of fields", []),
]


@pytest.mark.parametrize("fields", [case[1] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_makes_no_sense(stage: Stage, fields: object) -> None:
    server_id = stage.server()
    error = stage.refused("showConsoleOutput", {"os-getConsoleOutput": fields}, version=VERSION, server_id=server_id)
    assert (error.status, error.nova) == (400, True)


def test_before_there_is_a_console(stage: Stage) -> None:
    """As in Nova: 409 while no host was chosen, 404 while nothing runs there."""
    stage.call("createServers", request())
    (server_id,) = stage.project.servers
    body: dict[str, Any] = {"os-getConsoleOutput": {}}
    assert stage.code("showConsoleOutput", body, version=VERSION, server_id=server_id)[0] == 409
    stage.pass_time(1)
    assert stage.code("showConsoleOutput", body, version=VERSION, server_id=server_id)[0] == 404
    stage.pass_time(600)
    assert output(stage, server_id)
    stage.ended(stage.call("deleteServers", {"servers": ids(server_id)}))
    for gone in (server_id, NOWHERE):
        assert stage.code("showConsoleOutput", body, version=VERSION, server_id=gone)[0] == 404


@pytest.mark.parametrize(("version", "is_there"), [(None, True), ((2, 1), True), ((2, 5), True), ((2, 6), False), ((2, 60), False)])
def test_microversions(stage: Stage, version: tuple[int, int] | None, is_there: bool) -> None:  # noqa: FBT001
    server_id = stage.server()
    body: dict[str, Any] = {"os-getConsoleOutput": {"length": 1}}
    if is_there:
        assert stage.call("showConsoleOutput", body, version=version, server_id=server_id).status == 200
    else:
        assert stage.code("showConsoleOutput", body, version=version, server_id=server_id)[0] == 404


def test_it_does_not_grow_for_ever(stage: Stage) -> None:
    server_id = stage.server()
    for _ in range(KEPT_BLOCKS):
        stage.world.set_server(server_id, "stop")
        stage.world.set_server(server_id, "start")
    assert len(stage.project.servers[server_id].console) == KEPT_BLOCKS
