"""The native resize (6.3.8 to 6.3.10): it waits for an answer, and takes room for both flavors meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.simulator.stage import NOWHERE, SUBNET, Stage


def resize(stage: Stage, server_id: str, flavor: str = "s3.xlarge.2") -> int:
    return stage.call("resizeServerNative", {"resize": {"flavorRef": flavor}}, server_id=server_id).status


def resized(stage: Stage, server_id: str, flavor: str = "s3.xlarge.2") -> None:
    assert resize(stage, server_id, flavor) == 202
    stage.pass_time(60)
    assert stage.show(server_id)["status"] == "VERIFY_RESIZE"


def confirm(stage: Stage, server_id: str) -> int:
    return stage.call("confirmResize", {"confirmResize": None}, server_id=server_id).status


def revert(stage: Stage, server_id: str) -> int:
    return stage.call("revertResize", {"revertResize": None}, server_id=server_id).status


def cores(stage: Stage) -> int:
    return int(stage.call("showLimits").body["absolute"]["totalCoresUsed"])


def made(stage: Stage, state: str) -> str:
    return stage.server() if state == "ACTIVE" else stage.stopped()


@pytest.mark.parametrize("state", ["ACTIVE", "SHUTOFF"])
def test_confirmed(stage: Stage, state: str) -> None:
    server_id = made(stage, state)
    resized(stage, server_id)
    row = stage.show(server_id)
    assert (row["OS-EXT-STS:vm_state"], row["OS-EXT-STS:task_state"], row["flavor"]["id"]) == ("resized", None, "s3.xlarge.2")
    assert row["metadata"]["metering.resourcecode"] == "s3.xlarge.2"
    stage.pass_time(30 * 86400)
    assert stage.show(server_id)["status"] == "VERIFY_RESIZE", "it waits as long as it takes"
    assert confirm(stage, server_id) == 204
    row = stage.show(server_id)
    assert (row["status"], row["flavor"]["id"]) == (state, "s3.xlarge.2")
    assert [entry["action"] for entry in stage.entries(resource="server")][-2:] == ["resize", "confirm-resize"]


@pytest.mark.parametrize("state", ["ACTIVE", "SHUTOFF"])
def test_reverted(stage: Stage, state: str) -> None:
    server_id = made(stage, state)
    before = stage.show(server_id)
    resized(stage, server_id)
    assert revert(stage, server_id) == 202
    row = stage.show(server_id)
    assert (row["status"], row["OS-EXT-STS:task_state"]) == ("REVERT_RESIZE", "resize_reverting")
    stage.pass_time(60)
    row = stage.show(server_id)
    assert (row["status"], row["flavor"]["id"], row["metadata"]) == (state, "s3.large.2", before["metadata"])
    assert [entry["action"] for entry in stage.entries(resource="server")][-2:] == ["resize", "revert-resize"]


@pytest.mark.parametrize(("flavor", "greatest", "least"), [("s3.xlarge.2", 4, 4), ("s3.small.1", 2, 1)])
def test_the_quota_counts_the_greater_until_it_is_settled(stage: Stage, flavor: str, greatest: int, least: int) -> None:
    server_id = stage.server()
    resize(stage, server_id, flavor)
    assert cores(stage) == greatest
    stage.pass_time(60)
    assert cores(stage) == greatest, "it may go back"
    confirm(stage, server_id)
    assert cores(stage) == least
    stage.pass_time(60)
    resized(stage, server_id, "s3.large.2")
    revert(stage, server_id)
    stage.pass_time(60)
    assert cores(stage) == least


def test_the_quota_bounds_it(stage: Stage) -> None:
    server_id = stage.server()
    stage.world.set_project(stage.project.id, quota={"cores": 3})
    assert stage.code("resizeServerNative", {"resize": {"flavorRef": "s3.xlarge.2"}}, server_id=server_id) == (403, "Ecs.0001")
    stage.world.set_project(stage.project.id, quota={"cores": 4})
    assert resize(stage, server_id) == 202


@pytest.mark.parametrize("state", ["ACTIVE", "SHUTOFF"])
def test_it_comes_back_by_itself_where_resources_lack(stage: Stage, state: str) -> None:
    server_id = made(stage, state)
    stage.world.sell_out("s3.xlarge.2", ("eu-west-0a",))
    assert resize(stage, server_id) == 202
    assert stage.show(server_id)["status"] == "RESIZE"
    stage.pass_time(60)
    row = stage.show(server_id)
    assert (row["status"], row["flavor"]["id"], cores(stage)) == (state, "s3.large.2", 2)


def test_the_flavor_by_its_url(stage: Stage) -> None:
    server_id = stage.server()
    assert resize(stage, server_id, f"https://cloud.test/v2.1/{stage.project.id}/flavors/s3.xlarge.2") == 202
    assert stage.project.servers[server_id].target_flavor_id == "s3.xlarge.2"


REFUSALS: dict[str, tuple[str, Callable[[Stage, str], object], tuple[int, str]]] = {
    "unknown": ("x9.none", lambda *_: None, (400, "Ecs.0005")),
    "unchanged": ("s3.large.2", lambda *_: None, (400, "Ecs.0810")),
    "locked": ("s3.xlarge.2", lambda s, i: s.call("lockServer", {"lock": None}, server_id=i), (409, "Ecs.0605")),
    "busy": ("s3.xlarge.2", lambda s, i: s.call("stopServer", {"os-stop": {}}, server_id=i), (409, "Ecs.0603")),
    "in ERROR": ("s3.xlarge.2", lambda s, i: s.world.set_server(i, "error"), (409, "Ecs.0100")),
    "frozen": ("s3.xlarge.2", lambda s, _: s.world.set_project(s.project.id, frozen=True), (403, "Ecs.0071")),
    "waiting": ("s3.2xlarge.2", lambda s, i: resized(s, i), (409, "Ecs.0100")),  # noqa: PLW0108
    "no recovery": (
        "s3.medium.2",
        lambda s, i: s.call("setAutoRecovery", {"support_auto_recovery": "true"}, server_id=i),
        (400, "Ecs.0036"),
    ),
}


@pytest.mark.parametrize(("flavor", "prepare", "expected"), REFUSALS.values(), ids=REFUSALS)
def test_refusals(stage: Stage, flavor: str, prepare: Callable[[Stage, str], object], expected: tuple[int, str]) -> None:
    server_id = stage.server()
    prepare(stage, server_id)
    entries = len(stage.entries())
    error = stage.refused("resizeServerNative", {"resize": {"flavorRef": flavor}}, server_id=server_id)
    assert (error.status, error.code) == expected
    assert len(stage.entries()) == entries


def test_a_flavor_that_takes_fewer_interfaces(stage: Stage) -> None:
    server_id = stage.server(nics=[{"subnet_id": SUBNET}] * 3)
    assert stage.refused("resizeServerNative", {"resize": {"flavorRef": "s3.small.1"}}, server_id=server_id).status == 400
    two = stage.server(nics=[{"subnet_id": SUBNET}] * 2)
    assert resize(stage, two, "s3.small.1") == 202


def test_a_flavor_with_too_little_memory_for_the_image(stage: Stage) -> None:
    server_id = stage.server(imageRef="1189efbf-d48b-46ad-a823-94b942e2a000", adminPass="Canary-Passw0rd")
    assert stage.refused("resizeServerNative", {"resize": {"flavorRef": "s3.small.1"}}, server_id=server_id).status == 400
    assert resize(stage, server_id, "s3.medium.2") == 202


@pytest.mark.parametrize("body", [{"resize": None}, {"resize": {}}, {"resize": {"flavorRef": 7}}, {"resize": {"flavorRef": ""}}, None])
def test_no_flavor(stage: Stage, body: object) -> None:
    assert stage.refused("resizeServerNative", body, server_id=stage.server()).status == 400


@pytest.mark.parametrize("name", ["confirmResize", "revertResize"])
class TestWithoutAResize:
    def test_nothing_to_settle(self, stage: Stage, name: str) -> None:
        server_id = stage.server()
        assert stage.code(name, {name: None}, server_id=server_id) == (409, "Ecs.0100")
        resize(stage, server_id)
        assert stage.code(name, {name: None}, server_id=server_id) == (409, "Ecs.0603")
        assert stage.refused(name, {name: None}, server_id=NOWHERE).status == 404

    def test_not_twice(self, stage: Stage, name: str) -> None:
        server_id = stage.server()
        resized(stage, server_id)
        stage.call(name, {name: None}, server_id=server_id)
        stage.pass_time(60)
        assert stage.code(name, {name: None}, server_id=server_id) == (409, "Ecs.0100")

    def test_not_while_locked(self, stage: Stage, name: str) -> None:
        server_id = stage.server()
        resized(stage, server_id)
        stage.call("lockServer", {"lock": None}, server_id=server_id)
        assert stage.code(name, {name: None}, server_id=server_id) == (409, "Ecs.0605")


@pytest.mark.parametrize("do", ["start", "stop", "error"])
def test_by_hand_it_is_settled_too(stage: Stage, do: str) -> None:
    server_id = stage.server()
    resized(stage, server_id, "s3.small.1")
    stage.world.set_server(server_id, do)
    assert cores(stage) == 1
    assert stage.code("confirmResize", {"confirmResize": None}, server_id=server_id) == (409, "Ecs.0100")
