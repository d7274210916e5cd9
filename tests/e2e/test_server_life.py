"""The life of an EcsServer: what `kubectl apply` brings about, what the status tells, other people's hands, and the end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest

from ecs_lab.waiting import until
from tests.e2e.fillings import ALLOCATED, filled, free_address
from tests.e2e.pace import durations
from tests.scenes import MARKER, Object, Scene, condition, is_ready, left_of, says

pytestmark = pytest.mark.asyncio(loop_scope="session")


# --- from apply to Ready ---


async def test_from_apply_to_ready(scene: Scene) -> None:
    """Every field of the status is filled, and true."""
    async with durations(scene.lab, create_server=3.0):
        data = [{"name": "data", "type": "SAS", "sizeGiB": 20}]
        await scene.apply(scene.server("web-0", availabilityZone="eu-west-0b", dataVolumes=data, powerState="Running"))
        seen: list[Object] = []

        async def probe() -> bool:
            seen.append(await scene.get("ecsvm/web-0"))
            return is_ready(seen[-1])

        await until(probe, seconds=30, every=0.05, what="web-0 is not Ready")

    _check_way(seen)
    obj = seen[-1]
    status = obj["status"]
    row = await scene.cloud.server(status["id"])
    assert row is not None
    assert row["metadata"][MARKER].split("/")[1] == obj["metadata"]["uid"]
    [interface] = row["addresses"][scene.project.account.vpc_id]
    job, create, ports, volumes = status.pop("job"), status.pop("create"), status.pop("addresses"), status.pop("volumes")
    applied = status.pop("applied")
    conditions = [{key: each[key] for key in ("type", "status", "reason", "observedGeneration")} for each in status.pop("conditions")]
    assert status == {
        "observedGeneration": 1,
        "project": scene.project.name,
        "id": row["id"],
        "serverStatus": "ACTIVE",
        "vmState": "active",
        "powerState": "Running",
        "privateIp": interface["addr"],
        "flavor": scene.project.account.flavor_id,
        "imageId": scene.project.account.image_id,
        "availabilityZone": "eu-west-0b",
        "locked": False,
    }
    assert (applied["installed"], applied["placement"]) == ({"imageId": scene.project.account.image_id}, {"tenancy": "shared"})
    assert [each["portId"] for each in applied["interfaces"]] == [each["portId"] for each in ports]
    assert applied["origin"]["availabilityZone"] == "eu-west-0b"
    assert "spec.powerState" in applied["settled"]
    assert conditions == [{"type": "Ready", "status": "True", "reason": "Available", "observedGeneration": 1}]
    [port] = [each for each in await scene.ledger(resource="port") if each["name"] == interface["addr"]]
    mac = interface["OS-EXT-IPS-MAC:mac_addr"]
    network = scene.project.account.vpc_id
    assert ports == [{"network": network, "ip": interface["addr"], "mac": mac, "type": "fixed", "version": 4, "portId": port["id"]}]
    root, data_disk = (each["id"] for each in row["os-extended-volumes:volumes_attached"])
    assert volumes == [
        {"id": root, "device": "/dev/vda", "bootIndex": 0, "sizeGiB": 40, "deleteWithServer": True},
        {"id": data_disk, "device": "/dev/vdb", "bootIndex": 1, "sizeGiB": 20, "deleteWithServer": False},
    ]
    assert (job["type"], job["status"], job["progress"]) == ("createServer", "SUCCESS", "1/1")
    assert job["startedAt"] < job["endedAt"]
    assert (create["incarnation"], create["attempts"], create["outcome"], "request" in create) == (1, 1, "Accepted", False)
    assert await scene.creations() == {obj["metadata"]["uid"]: 1}


def _check_way(seen: list[Object]) -> None:
    """What could be seen on the way: Unknown or Creating, never Ready before its time, the job running, a server being built."""
    assert all(condition(each, "Ready").get("status") != "True" for each in seen[:-1])
    assert any(says(each, "Creating") and condition(each, "Reconciling")["status"] == "True" for each in seen)
    jobs = [each["status"]["job"] for each in seen if "job" in each["status"]]
    assert any(job["status"] == "RUNNING" and job["progress"] == "0/1" for job in jobs), jobs
    assert {job["id"] for job in jobs} == {jobs[0]["id"]}
    building = [each["status"] for each in seen if each["status"].get("serverStatus") == "BUILD"]
    assert building, "the server was not shown while it was built"
    assert all(each["id"] and each["vmState"] == "building" for each in building)


async def test_what_kubectl_shows(scene: Scene) -> None:
    """`kubectl wait` waits for the server, and the columns fit its state."""
    await scene.apply(scene.server("web-0"))
    await scene.kubectl("wait", "--for=condition=Ready", "ecsvm/web-0", "--timeout=30s")
    obj = await scene.get("ecsvm/web-0")
    row = await scene.cloud.server(obj["status"]["id"])
    assert row is not None
    assert row["status"] == "ACTIVE"

    narrow = (await scene.kubectl("get", "ecsvm")).splitlines()
    assert narrow[0].split() == ["NAME", "READY", "STATUS", "POWER", "IP", "FLAVOR", "AGE"]
    assert narrow[1].split()[:-1] == ["web-0", "True", "ACTIVE", "Running", obj["status"]["privateIp"], scene.project.account.flavor_id]
    wide = (await scene.kubectl("get", "ecsvm", "-o", "wide")).splitlines()
    extra = ["ID", "ZONE", "PUBLIC-IP", "TASK", "JOB", "DRIFT", "REASON", "MESSAGE"]
    assert wide[0].split() == [*narrow[0].split()[:-1], *extra, "AGE"]
    assert f" {obj['status']['id']} " in wide[1]
    assert re.search(r"SUCCESS +Available +the server is running", wide[1])
    assert "web-0" in await scene.kubectl("get", "ecs")
    by_state = await scene.kubectl("get", "ecsvm", "--field-selector=status.serverStatus=ACTIVE", "-o", "name")
    assert by_state.split() == ["ecsserver.ecs.huaweicloud.com/web-0"]


async def test_events_tell_the_transitions(scene: Scene) -> None:
    await scene.apply(scene.server("web-0", powerState="Running"))
    await scene.until_ready("ecsvm/web-0")
    await scene.patch("ecsvm/web-0", {"powerState": "Stopped"})
    await scene.until_says("ecsvm/web-0", "StoppedAsDesired")
    await scene.until_event("web-0", "StoppedAsDesired")
    events = await scene.events("web-0")
    # They are written one after the other; what has no reason to be there must not be among them.
    assert [each["reason"] for each in events] == ["Creating", "Available", "Stopping", "StoppedAsDesired"]
    assert {each["type"] for each in events} == {"Normal"}
    assert {each["action"] for each in events} <= {"Create", "Observe", "Stop"}
    assert {each["reportingController"] for each in events} == {"ecs.huaweicloud.com/ecs-operator"}
    assert "the server is running" in await scene.kubectl("describe", "ecsvm", "web-0")


async def test_generations(scene: Scene) -> None:
    """A change that costs nothing is acknowledged, without a call that changes the cloud."""
    await scene.apply(scene.server("web-0"))
    before = await scene.until_ready("ecsvm/web-0")
    ledger = await scene.ledger()
    await scene.patch("ecsvm/web-0", {"shutdown": {"timeoutSeconds": 60}})
    after = await scene.until_ready("ecsvm/web-0")
    assert [each["metadata"]["generation"] for each in (before, after)] == [1, 2]
    assert after["status"]["observedGeneration"] == 2
    assert condition(after, "Ready")["lastTransitionTime"] == condition(before, "Ready")["lastTransitionTime"]
    assert await scene.ledger() == ledger


# --- other people's hands ---

# name: (spec, what somebody does in the cloud, the reason in the end, what was done with the server)
BEHIND_ITS_BACK: dict[str, tuple[Mapping[str, Any], str, str, list[str]]] = {
    "stopped-is-started": ({"powerState": "Running"}, "stop", "Available", ["stop", "start SOFT"]),
    "started-is-stopped": ({"powerState": "Stopped"}, "start", "StoppedAsDesired", ["stop SOFT", "start", "stop SOFT"]),
    "stopped-and-not-managed": ({}, "stop", "Available", ["stop"]),
    "deleted": ({"powerState": "Running"}, "delete", "DeletedExternally", ["delete"]),
    "broken": ({"powerState": "Running"}, "error", "ServerError", ["error"]),
}


async def test_behind_the_operators_back(scene: Scene) -> None:
    await scene.apply(*(scene.server(name, **spec) for name, (spec, *_) in BEHIND_ITS_BACK.items()))
    objects = await scene.until_all_ready()
    ids = {name: obj["status"]["id"] for name, obj in objects.items()}
    for name, (_, deed, *_) in BEHIND_ITS_BACK.items():
        await scene.steer(ids[name], deed)
    after: dict[str, Object] = {}
    for name, (_, _, reason, wanted) in BEHIND_ITS_BACK.items():
        await scene.until_deeds(ids[name], wanted)
        after[name] = await scene.until_says(f"ecsvm/{name}", reason)
    for name, (spec, _, reason, wanted) in BEHIND_ITS_BACK.items():
        if reason in {"Available", "StoppedAsDesired"}:
            state = "SHUTOFF" if spec.get("powerState") != "Running" else "ACTIVE"
            await scene.until(f"ecsvm/{name}", lambda obj, state=state: is_ready(obj) and obj["status"]["serverStatus"] == state)  # type: ignore[misc]
        assert await scene.deeds(ids[name]) == wanted, name
    assert set((await scene.creations()).values()) == {1}, "nothing is made anew"
    gone, broken = after["deleted"], after["broken"]
    assert ids["deleted"] in condition(gone, "Ready")["message"]
    assert condition(gone, "Stalled")["status"] == "True"
    assert "serverStatus" not in gone["status"]
    assert broken["status"]["fault"] == {"code": 500, "message": "The server was put into ERROR by hand."}
    assert "The server was put into ERROR by hand." in condition(broken, "Ready")["message"]
    assert (await scene.until_event("deleted", "DeletedExternally"))["type"] == "Warning"
    # One that is gone, and one in ERROR, can be deleted like any other.
    await scene.delete("ecsvm", "--all")
    for name in BEHIND_ITS_BACK:
        await scene.until_gone(f"ecsvm/{name}")


async def test_paused_objects_are_left_alone(scene: Scene) -> None:
    await scene.apply(scene.server("web-0", powerState="Running"))
    server_id = (await scene.until_ready("ecsvm/web-0"))["status"]["id"]
    await scene.annotate("ecsvm/web-0", "paused=true")
    paused = await scene.until_says("ecsvm/web-0", "Paused")
    assert "ecs.huaweicloud.com/paused" in condition(paused, "Ready")["message"]
    await scene.patch("ecsvm/web-0", {"powerState": "Stopped"})
    await scene.until("ecsvm/web-0", lambda obj: obj["status"]["observedGeneration"] == 2)
    await scene.delete("ecsvm/web-0")
    await scene.until("ecsvm/web-0", lambda obj: "the deletion waits" in condition(obj, "Ready")["message"])
    assert await scene.deeds(server_id) == []
    await scene.annotate("ecsvm/web-0", "paused-")
    await scene.until_gone("ecsvm/web-0")
    assert (await scene.deeds(server_id))[-1] == "delete"


async def test_a_reconcile_can_be_asked_for(scene: Scene) -> None:
    await scene.apply(scene.server("web-0"))
    await scene.until_ready("ecsvm/web-0")
    for token in ("one", "two"):
        await scene.annotate("ecsvm/web-0", f"reconcile-requested-at={token}")
        await scene.until("ecsvm/web-0", partial(_looked_at, token=token))


def _looked_at(obj: Object, *, token: str) -> bool:
    return bool(obj["status"].get("lastHandledReconcileAt") == token)


# --- the end ---


async def test_retain_keeps_the_server_and_takes_the_mark_off(scene: Scene) -> None:
    await scene.apply(scene.server("web-0", deletionPolicy="Retain", metadata={"role": "front"}))
    server_id = (await scene.until_ready("ecsvm/web-0"))["status"]["id"]
    await scene.delete("ecsvm/web-0")
    await scene.until_gone("ecsvm/web-0")
    row = await scene.cloud.server(server_id)
    assert row is not None
    assert row["status"] == "ACTIVE"
    assert MARKER not in row["metadata"]
    assert row["metadata"]["role"] == "front"
    await scene.until_event("web-0", "Deleting", f"server {server_id} stays")
    await scene.steer(server_id, "delete")


def _disks(**goes: bool | None) -> list[dict[str, Any]]:
    """Data disks of 10, 11, … GiB, with deleteWithServer as given."""
    rows = (
        {"name": name, "type": "SSD", "sizeGiB": 10 + number, "deleteWithServer": each} for number, (name, each) in enumerate(goes.items())
    )
    return [{key: value for key, value in row.items() if value is not None} for row in rows]


# name: (spec, what stays in the cloud)
ENDS: dict[str, tuple[Mapping[str, Any], set[str]]] = {
    "nothing-else": ({}, set()),
    "disks-by-default": ({"dataVolumes": _disks(a=None, b=None)}, {"volume a", "volume b"}),
    "disks-that-go": ({"dataVolumes": _disks(a=True, b=True)}, set()),
    "one-goes-one-stays": ({"dataVolumes": _disks(a=True, b=False)}, {"volume b"}),
    "one-stays-one-goes": ({"dataVolumes": _disks(a=False, b=True)}, {"volume a"}),
    "new-address": ({"publicIp": ALLOCATED}, set()),
    "new-address-that-stays": ({"publicIp": {**ALLOCATED, "deleteWithServer": False}}, {"address"}),
    "address-by-id": ({"publicIp": {"id": "FLOATING_IP"}}, {"address"}),
    "stopped": ({"powerState": "Stopped", "dataVolumes": _disks(a=True)}, set()),
}


async def test_what_goes_with_the_server_and_what_stays(scene: Scene) -> None:
    names = {"FLOATING_IP": await free_address(scene)}
    await scene.apply(*(scene.server(name, **filled(spec, names)) for name, (spec, _) in ENDS.items()))
    objects = await scene.until_all_ready()
    parts = {name: _parts(obj) for name, obj in objects.items()}
    await scene.delete("ecsvm", "--all")
    for name in ENDS:
        await scene.until_gone(f"ecsvm/{name}", seconds=60)
    ledger = await scene.ledger()
    alive = {each.partition(" ")[2] for each in left_of(ledger)} | {names["FLOATING_IP"]}
    alive -= {each["id"] for each in ledger if each["action"] == "delete"}
    addresses = {each["server"]: each["id"] for each in ledger if each["action"] == "bind"}
    found = {}
    for name, mine in parts.items():
        mine["address"] = addresses.get(objects[name]["status"]["id"], "none")
        found[name] = {part for part, identity in mine.items() if identity in alive}
    assert found == {name: stays for name, (_, stays) in ENDS.items()}
    kept = [mine[part] for name, mine in parts.items() for part in ENDS[name][1] if part != "address"]
    rows = await asyncio.gather(*(scene.cloud.volume(each) for each in kept))
    assert {row["status"] for row in rows if row} == {"available"}
    told = await scene.until_event("one-goes-one-stays", "Deleting", "kept: disk")
    assert parts["one-goes-one-stays"]["volume b"] in told["note"]


def _parts(obj: Object) -> dict[str, str]:
    """The ids of what was made with a server, by a name for each. Data disks are told apart by their size."""
    volumes = {each["sizeGiB"]: each["id"] for each in obj["status"]["volumes"]}
    return {
        "server": obj["status"]["id"],
        "volume root": volumes[40],
        **{f"volume {name}": volumes[size] for size, name in ((10, "a"), (11, "b")) if size in volumes},
    }
