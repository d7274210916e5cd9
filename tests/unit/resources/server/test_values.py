"""The pure parts: disks, folding, markers in lists, pauses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ecs_operator.api.server import ServerSpec, ServerStatus, Volume
from ecs_operator.cloud import Address, AttachedVolume, BlockDevice, Fault, Server, parse_time
from ecs_operator.resources.ownership import MARKER_KEY, Owner
from ecs_operator.resources.server.evidence import look_among
from ecs_operator.resources.server.status import fold, lacks_details, vanished
from ecs_operator.resources.server.volumes import VolumeFate, fate, recorded_at_creation, refreshed
from ecs_operator.resources.times import growing, poll_pause
from tests.unit.resources.server.stage import IDENTITY, SPEC, START, UID


def spec(*flags: bool | None, sizes: tuple[int, ...] = (20, 30, 40)) -> ServerSpec:
    disks = [
        {"name": f"d{index}", "type": "SSD", "sizeGiB": sizes[index]} | ({} if flag is None else {"deleteWithServer": flag})
        for index, flag in enumerate(flags)
    ]
    return ServerSpec.model_validate({**SPEC, "dataVolumes": disks})


def device(volume: str, letter: str, size: int, *, boot: int | None = None) -> BlockDevice:
    return BlockDevice(volume_id=volume, device=f"/dev/vd{letter}", size=size, boot_index=boot)


ROOT = device("root", "a", 10, boot=0)


@pytest.mark.parametrize(
    ("flags", "devices", "expected"),
    [
        ((True, False), [device("x", "b", 20), device("y", "c", 30)], {"x": True, "y": False}),
        ((True, False), [device("y", "c", 30), device("x", "b", 20)], {"x": True, "y": False}),
        ((True, False), [device("x", "b", 30), device("y", "c", 20)], {"x": False, "y": False}),
        ((True, True), [device("x", "b", 30), device("y", "c", 20)], {"x": True, "y": True}),
        ((True,), [device("x", "b", 20), device("y", "c", 30)], {"x": False, "y": False}),
        ((True, False), [device("x", "b", 20)], {"x": False}),
        ((None, None), [device("x", "b", 20), device("y", "c", 30)], {"x": False, "y": False}),
    ],
    ids=["in order", "listed in another order", "sizes disagree", "all go anyway", "one too many", "one too few", "kept by default"],
)
def test_the_fate_of_each_disk(flags: tuple[bool, ...], devices: list[BlockDevice], expected: dict[str, bool]) -> None:
    recorded = recorded_at_creation([ROOT, *devices], spec(*flags))
    assert recorded[0] == Volume(id="root", device="/dev/vda", boot_index=0, size_gib=10, delete_with_server=True)
    assert {each.id: each.delete_with_server for each in recorded[1:]} == expected


def test_the_27th_disk_comes_after_the_26th() -> None:
    recorded = recorded_at_creation([device("aa", "aa", 5), ROOT, device("z", "z", 5)], spec())
    assert [each.id for each in recorded] == ["root", "z", "aa"]


def test_disks_that_came_later_stay() -> None:
    before = recorded_at_creation([ROOT, device("x", "b", 20)], spec(True))
    after = refreshed(before, [ROOT, device("x", "b", 20), device("new", "c", 7)])
    assert {each.id: each.delete_with_server for each in after} == {"root": True, "x": True, "new": False}


def server(*volumes: str) -> Server:
    return Server(id="s", volumes=tuple(AttachedVolume(id=each) for each in volumes))


@pytest.mark.parametrize(
    ("flags", "attached", "expected"),
    [
        ((), ("root",), VolumeFate(delete_volume=False)),
        ((False,), ("root", "x"), VolumeFate(delete_volume=False)),
        ((True,), ("root", "x"), VolumeFate(delete_volume=True)),
        ((True, False), ("root", "x", "y"), VolumeFate(delete_volume=True, detach_first=("y",))),
        ((True,), ("root", "x", "stranger"), VolumeFate(delete_volume=False, needs_devices=True)),
        ((True,), ("root",), VolumeFate(delete_volume=False)),
    ],
    ids=["no data disks", "kept", "goes", "one goes, one stays", "a stranger", "already detached"],
)
def test_what_a_delete_call_must_do(flags: tuple[bool, ...], attached: tuple[str, ...], expected: VolumeFate) -> None:
    devices = [ROOT, device("x", "b", 20), device("y", "c", 30)][: len(flags) + 1]
    recorded = recorded_at_creation(devices, spec(*flags))
    assert fate(server(*attached), recorded, spec(*flags)) == expected


ADDRESSES = (
    Address(network="vpc", ip="192.168.0.9", mac="m1", type="fixed"),
    Address(network="vpc", ip="80.158.1.2", mac="m1", type="floating"),
    Address(network="vpc", ip="192.168.0.3", mac="m2", type="fixed"),
)


def seen(**changes: object) -> Server:
    facts: dict[str, object] = {
        "id": "s",
        "status": "ACTIVE",
        "vm_state": "active",
        "power_state": 1,
        "flavor_id": "s3.small.1",
        "addresses": ADDRESSES,
        **changes,
    }
    return Server(**facts)  # type: ignore[arg-type]


def test_everything_a_server_shows_is_folded() -> None:
    status = fold(ServerStatus(), seen(fault=Fault(code=500, message="boom"), locked=True), spec=spec(), ports={"m1": "p1", "m2": "p2"})
    assert (status.id, status.server_status, status.vm_state, status.task_state, status.power_state) == (
        "s",
        "ACTIVE",
        "active",
        None,
        "Running",
    )
    assert (status.private_ip, status.public_ip, status.locked) == ("192.168.0.9", "80.158.1.2", True)
    assert [(each.ip, each.type, each.port_id) for each in status.addresses] == [
        ("192.168.0.3", "fixed", "p2"),
        ("192.168.0.9", "fixed", "p1"),
        ("80.158.1.2", "floating", "p1"),
    ]
    assert status.fault is not None
    assert (status.fault.code, status.fault.message) == (500, "boom")


def test_the_order_of_a_row_changes_nothing() -> None:
    first = fold(ServerStatus(), seen(), spec=spec(), ports={"m1": "p1"})
    assert fold(first, seen(addresses=ADDRESSES[::-1]), spec=spec()) == first


@pytest.mark.parametrize(("number", "name"), [(0, "Pending"), (1, "Running"), (2, "Paused"), (3, "Shutdown"), (4, "Crashed"), (7, None)])
def test_power_states(number: int, name: str | None) -> None:
    assert fold(ServerStatus(), seen(power_state=number), spec=spec()).power_state == name


def test_details_are_read_when_a_disk_or_an_interface_is_new() -> None:
    status = fold(ServerStatus(volumes=(Volume(id="x"),)), seen(volumes=(AttachedVolume(id="x"),)), spec=spec())
    assert not lacks_details(status, seen(volumes=(AttachedVolume(id="x"),)))
    assert lacks_details(status, seen(volumes=(AttachedVolume(id="x"), AttachedVolume(id="y"))))
    assert lacks_details(status, seen(addresses=(*ADDRESSES, Address(network="n", ip="1.2.3.4", mac="m3"))))


def test_of_a_server_that_is_gone_only_the_ids_stay() -> None:
    status = vanished(fold(ServerStatus(), seen(), spec=spec()))
    assert (status.id, status.flavor, status.server_status, status.addresses, status.private_ip) == ("s", "s3.small.1", None, (), None)


def test_a_list_is_searched_for_good_markers_only() -> None:
    def marked(server_id: str, value: str, created: str = "", status: str = "ACTIVE") -> Server:
        return Server(id=server_id, metadata={MARKER_KEY: value}, created=created, status=status)

    good = IDENTITY.marker(Owner(UID, 1))
    rows = [
        marked("young", good, "2026-01-02"),
        marked("old", good, "2026-01-01"),
        marked("gone", good, "2025-01-01", "DELETED"),
        marked("other", IDENTITY.marker(Owner("someone", 1))),
        marked("forged", good[:-1] + ("0" if good[-1] != "0" else "1")),
        marked("next", IDENTITY.marker(Owner(UID, 2)), "2026-01-03"),
        Server(id="bare"),
    ]
    look = look_among(rows, uid=UID, identity=IDENTITY, complete=True, started_at=START)
    assert [each.server.id for each in look.found] == ["old", "young", "next"]
    assert [each.server.id for each in look.of_incarnation(2)] == ["next"]


@pytest.mark.parametrize(
    ("complete", "age", "proves"),
    [(True, 0, True), (True, 1, True), (True, -1, False), (False, 1, False)],
)
def test_when_a_list_proves_absence(complete: bool, age: int, proves: bool) -> None:  # noqa: FBT001
    look = look_among([], uid=UID, identity=IDENTITY, complete=complete, started_at=START + timedelta(seconds=age))
    assert look.proves_absence(after=START) is proves


def test_pauses() -> None:
    assert [growing(number, first=10, cap=120) for number in range(6)] == [10, 10, 20, 40, 80, 120]
    assert [poll_pause(elapsed) for elapsed in (0, 1, 4, 10, 20, 1000)] == [1, 1, 2, 5, 10, 10]
    assert poll_pause(-5) == 1


def test_times_of_the_cloud() -> None:
    assert parse_time("2016-04-25T20:04:47.591Z") == datetime(2016, 4, 25, 20, 4, 47, 591000, tzinfo=UTC)
    assert parse_time("2016-04-25T22:04:47+02:00") == datetime(2016, 4, 25, 20, 4, 47, tzinfo=UTC)
    assert parse_time("2016-04-25T20:04:47") == datetime(2016, 4, 25, 20, 4, 47, tzinfo=UTC)
    assert parse_time("") is None
    assert parse_time("yesterday") is None
