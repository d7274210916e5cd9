"""Changes that only another server can have: the former one is deleted and proven gone, then another one is made. Never two at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import AttachedVolume, Meaning, Outcome
from ecs_operator.engine.objects import KubeObject
from tests.unit.resources.server.effects import Crash, When
from tests.unit.resources.server.fake_cloud import DEBIAN, UBUNTU, lost, refusal
from tests.unit.resources.server.rows import back, changes_since, converge, edit, killed_around_every_effect, nothing_comes_of, there
from tests.unit.resources.server.stage import IDENTITY, KEY, SPEC, Stage, pause_of
from tests.unit.resources.server.test_changes import server

REPLACE = {"disruption": {"allow": "Replace"}}
ZONE = {"availabilityZone": "eu-west-0b"}
VPC, SUBNET = "0dae26c9-9a70-4392-93f3-87d53115d172", "157ee789-03ea-45b1-a698-76c92660dd84"
POOL, ADDRESS = "3f0b8d9a-1f4b-4c7e-8a55-0f6d1c2b3a49", "4f0b8d9a-1f4b-4c7e-8a55-0f6d1c2b3a49"
NIC = SPEC["networkInterfaces"][0]
ALLOCATE = {"publicIp": {"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 10}}}}
ALL = ("delete", "create")


async def running(**changes: Any) -> Stage:
    stage = Stage(spec={**SPEC, **changes})
    await stage.until_ready()
    return stage


def shown(stage: Stage) -> dict[str, Any]:
    """What a user could tell two servers apart by, whatever their ids."""
    alive = server(stage)
    body = {key: value for key, value in stage.cloud.bodies[-1].items() if key != "metadata"}
    return {"status": alive.status, "locked": alive.locked, "tags": alive.tags, "disks": len(alive.volumes), "body": body}


def one_after_the_other(stage: Stage, *, servers: int = 2) -> None:
    """I1 and I5, asked of the ledger: each server of ours began after the one before had ended, and nothing else was touched."""
    assert stage.cloud.most_alive == 1, stage.cloud.ledger
    actions = [entry.action for entry in stage.cloud.ledger]
    assert actions == ["create", *["delete", "create"] * (servers - 1)]
    owners = [IDENTITY.read(entry.marker) for entry in stage.cloud.created()]
    assert owners == [stage.owner(number) for number in range(1, servers + 1)]
    assert stage.status["id"] == server(stage).id
    assert "replacement" not in stage.status
    assert "plan" not in stage.status


@dataclass(frozen=True)
class Row:
    """One field, from one spec to another."""

    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    path: str
    effects: tuple[str, ...] = ALL


ROWS = [
    Row("zone", {"availabilityZone": "eu-west-0a"}, ZONE, "spec.availabilityZone"),
    Row("VPC", {}, {"vpcId": VPC}, "spec.vpcId"),
    Row("subnet", {}, {"networkInterfaces": [{**NIC, "subnetId": SUBNET}]}, "spec.networkInterfaces[eth0]"),
    Row(
        "address",
        {"networkInterfaces": [{**NIC, "ipAddress": "192.168.0.8"}]},
        {"networkInterfaces": [{**NIC, "ipAddress": "192.168.0.9"}]},
        "spec.networkInterfaces[eth0]",
    ),
    Row("mtu", {}, {"networkInterfaces": [{**NIC, "mtu": 1400}]}, "spec.networkInterfaces[eth0]"),
    Row(
        "mtu of another interface",
        {"networkInterfaces": [NIC, {**NIC, "name": "eth1", "mtu": 1400}]},
        {"networkInterfaces": [NIC, {**NIC, "name": "eth1", "mtu": 1500}]},
        "spec.networkInterfaces[eth1]",
    ),
    Row("type of the system disk", {}, {"rootVolume": {"type": "SATA", "sizeGiB": 10}}, "spec.rootVolume"),
    Row("size of the system disk", {}, {"rootVolume": {"type": "SSD", "sizeGiB": 50}}, "spec.rootVolume"),
    Row("scsi", {}, {"rootVolume": {"type": "SSD", "sizeGiB": 10, "scsi": True}}, "spec.rootVolume"),
    Row("storage pool", {}, {"rootVolume": {"type": "SSD", "sizeGiB": 10, "storagePoolId": POOL}}, "spec.rootVolume"),
    Row("a new public address", {}, ALLOCATE, "spec.publicIp"),
    Row(
        "bandwidth of the public address",
        ALLOCATE,
        {"publicIp": {"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 20}}}},
        "spec.publicIp",
    ),
    Row("agency", {}, {"agencyName": "reader"}, "spec.agencyName"),
    Row("a stopped server", {"powerState": "Stopped"}, {"vpcId": VPC}, "spec.vpcId", ("delete", "create", "stop.soft")),
    Row("a locked server", {"locked": True}, {"vpcId": VPC}, "spec.vpcId", ("unlock", "delete", "create", "lock")),
    Row(
        "a disk that stays",
        {
            "dataVolumes": [
                {"name": "stays", "type": "SSD", "sizeGiB": 20, "deleteWithServer": False},
                {"name": "goes", "type": "SSD", "sizeGiB": 30, "deleteWithServer": True},
            ]
        },
        {"vpcId": VPC},
        "spec.vpcId",
        ("detach", "delete", "create"),
    ),
    Row(
        "with what else differs",
        {"keyPairName": "ops"},
        {"vpcId": VPC, "flavor": "s3.large.2", "image": {"id": DEBIAN.id}, "tags": {"team": "shop"}},
        "spec.vpcId",
        ("add_tags", "delete", "create", "add_tags"),
    ),
]
ROW_IDS = [row.name for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_there_and_back(row: Row) -> None:
    before = shown(await running(**REPLACE, **row.before))
    stage = await there(lambda: running(**REPLACE, **row.before), row.after, row.effects)
    one_after_the_other(stage)
    await back(stage, {**REPLACE, **row.before})
    assert shown(stage) == before
    one_after_the_other(stage, servers=3)


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_it_waits_for_consent(row: Row) -> None:
    stage = await running(**{"disruption": {"allow": "Reinstall"}, "keyPairName": "ops", **row.before})
    edit(stage, **{key: value for key, value in row.after.items() if key not in {"tags", "flavor", "image"}})
    position = len(stage.effects.log)
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    plan = stage.status["plan"]
    assert (plan["cost"], [each["path"] for each in plan["changes"]]) == ("Replace", [row.path])
    assert "a replacement of the server by another one" in stage.message
    assert "disruption.allow: Replace" in stage.message
    assert changes_since(stage, position) == ()
    stage.annotate(**{"approve-plan": plan["hash"]})
    await converge(stage)
    one_after_the_other(stage)


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_the_operator_is_killed_around_every_effect(row: Row) -> None:
    def check(stage: Stage, _: Stage, __: int) -> None:
        assert {each for call in stage.cloud.deletions for each in call["ids"]} == {"server-1"}
        one_after_the_other(stage)

    await killed_around_every_effect(lambda: running(**REPLACE, **row.before), row.after, shown=shown, check=check)


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_in_steady_state_the_new_server_is_left_alone(row: Row) -> None:
    stage = await running(**REPLACE, **row.before)
    edit(stage, **row.after)
    await converge(stage)
    writes, position = stage.store.status_writes, len(stage.effects.log)
    for _ in range(4):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.store.status_writes == writes
    assert changes_since(stage, position) == ()
    assert [name for name in stage.effects.log[position:] if name == "cloud.get"] == []


@pytest.mark.parametrize("call", ["delete", "create"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("idempotency", ["Token", "Settle"])
async def test_an_answer_that_is_lost_makes_no_second_server(call: str, when: When, idempotency: str) -> None:
    stage = Stage(spec={**SPEC, **REPLACE}, idempotency=idempotency)
    stage.cloud.honours_tokens = idempotency == "Token"
    await stage.until_ready()
    stage.effects.plan(f"cloud.{call}", when, lost(call))
    edit(stage, **ZONE)
    await converge(stage)
    one_after_the_other(stage)


# --- What goes and what stays


async def test_how_far_it_is_can_be_seen() -> None:
    stage = await running(**REPLACE)
    edit(stage, **ZONE)
    said: list[tuple[str, str]] = []

    def reached() -> bool:
        record = stage.status.get("replacement")
        if record is not None:
            said.append((record["phase"], stage.reason))
        return stage.ready.get("status") == "True" and stage.ready.get("observedGeneration") == stage.obj.generation

    await stage.until(reached)
    assert set(said) == {("Deleting", "Replacing"), ("Creating", "Replacing")}
    assert stage.create["incarnation"] == 2


async def test_a_server_that_was_stopped_stays_stopped_and_one_that_ran_runs() -> None:
    for status, vm_state, power in (("SHUTOFF", "stopped", 4), ("ACTIVE", "active", 1)):
        stage = await running(**REPLACE)
        stage.cloud.set("server-1", status=status, vm_state=vm_state, power_state=power)
        edit(stage, **ZONE)
        await converge(stage)
        assert server(stage).status == status
        one_after_the_other(stage)


async def test_what_stays_is_named_and_what_goes_is_gone() -> None:
    disks = next(row for row in ROWS if row.name == "a disk that stays")
    stage = await running(**REPLACE, **disks.before)
    edit(stage, **ZONE)
    await converge(stage)
    assert {"server-1-data0"} <= set(stage.cloud.volumes_by_id)
    assert {"server-1-root", "server-1-data1"}.isdisjoint(stage.cloud.volumes_by_id)
    assert any("kept: disk server-1-data0" in text for _, _, text in stage.events.recorded)


async def test_a_volume_that_was_attached_later_stays() -> None:
    stage = await running(**REPLACE)
    stage.cloud.volumes_by_id["volume-1"] = 10
    stage.cloud.set("server-1", volumes=(*server(stage).volumes, AttachedVolume(id="volume-1")))
    edit(stage, **ZONE)
    await converge(stage)
    assert "volume-1" in stage.cloud.volumes_by_id
    assert [each["delete_volume"] for each in stage.cloud.deletions] == [False]


@pytest.mark.parametrize(
    ("before", "after", "released"),
    [
        ({}, {}, False),
        (ALLOCATE, ALLOCATE, True),
        (ALLOCATE, {"publicIp": None}, True),
        ({"publicIp": {**ALLOCATE["publicIp"], "deleteWithServer": False}}, {"publicIp": None}, False),
        ({"publicIp": {"id": ADDRESS}}, {"publicIp": {"id": ADDRESS}}, False),
        ({"publicIp": {"id": ADDRESS, "deleteWithServer": True}}, {"publicIp": {"id": ADDRESS, "deleteWithServer": True}}, False),
        ({"publicIp": {"id": ADDRESS, "deleteWithServer": True}}, ALLOCATE, True),
    ],
)
async def test_the_public_address_follows_its_flag_and_one_that_is_used_again_stays(
    before: dict[str, Any],
    after: dict[str, Any],
    released: bool,  # noqa: FBT001
) -> None:
    stage = await running(**REPLACE, **before)
    edit(stage, **ZONE, **after)
    await converge(stage)
    assert [each["delete_public_ip"] for each in stage.cloud.deletions] == [released]


async def test_foreign_servers_are_left_alone() -> None:
    stage = await running(**REPLACE)
    other = Stage()
    await other.until_ready()
    stranger = other.cloud.alive()[0]
    stage.cloud.plant(replace(stranger, id="stranger", metadata={}))
    edit(stage, **ZONE)
    await made_anew(stage)
    assert sorted(each.id for each in stage.cloud.alive()) == sorted([stage.status["id"], "stranger"])


# --- Taking it back


async def test_an_edit_taken_back_before_the_delete_is_sent_deletes_nothing() -> None:
    stage = await running(**REPLACE)
    position = len(stage.effects.log)
    edit(stage, **ZONE)
    await stage.until(lambda: "replacement" in stage.status)
    edit(stage, availabilityZone=None)
    await converge(stage)
    assert changes_since(stage, position) == ()
    one_after_the_other(stage, servers=1)


async def test_an_edit_taken_back_at_the_very_moment_the_delete_is_to_be_sent_deletes_nothing() -> None:
    stage = await running(**REPLACE)
    position = len(stage.effects.log)
    edit(stage, **ZONE)
    await stage.until(lambda: "replacement" in stage.status)
    stage.effects.hooks["kube.status"] = lambda: edit(stage, availabilityZone=None)
    await converge(stage)
    assert changes_since(stage, position) == ()
    one_after_the_other(stage, servers=1)


async def test_consent_withdrawn_before_the_delete_is_sent_deletes_nothing() -> None:
    stage = await running(**REPLACE)
    position = len(stage.effects.log)
    edit(stage, **ZONE)
    await stage.until(lambda: "replacement" in stage.status)
    edit(stage, disruption={"allow": "None"})
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    assert changes_since(stage, position) == ()
    assert "replacement" not in stage.status


async def test_an_edit_taken_back_after_the_delete_was_sent_makes_the_server_of_the_spec() -> None:
    stage = await running(**REPLACE)
    edit(stage, **ZONE)
    await stage.until(lambda: "operation" in stage.status)
    edit(stage, availabilityZone=None)
    await converge(stage)
    assert "availability_zone" not in stage.cloud.bodies[-1]
    one_after_the_other(stage)


MOMENTS: dict[str, Callable[[Stage], bool]] = {
    "the record is written": lambda stage: "replacement" in stage.status,
    "the former server goes": lambda stage: "operation" in stage.status,
    "the former server is gone": lambda stage: stage.create["incarnation"] == 2,
    "the new one is asked for": lambda stage: stage.create["incarnation"] == 2 and stage.create["attempts"] == 1,
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
async def test_the_object_is_deleted_while_its_server_is_replaced(moment: Callable[[Stage], bool]) -> None:
    stage = await running(**REPLACE)
    edit(stage, **ZONE)
    await stage.until(lambda: moment(stage))
    stage.delete()
    await stage.until_gone()
    stage.none_left()


# --- Nothing is destroyed in vain


HINDRANCES: list[tuple[dict[str, Any], str, str]] = [
    ({"adminPasswordSecretRef": {"name": "key", "key": "password"}}, Reason.WAITING_FOR_DEPENDENCY, "Secret key"),
    ({"image": {"name": "nobody's"}}, Reason.WAITING_FOR_DEPENDENCY, 'image "nobody\'s"'),
    ({"image": {"id": "9e0b3a55-7d1c-4a6f-8b21-3c4d5e6f7a8b"}}, Reason.INVALID_CONFIGURATION, "there is no image"),
    ({"image": {"id": "5b0f8d9a-1f4b-4c7e-8a55-0f6d1c2b3a49"}}, Reason.INVALID_CONFIGURATION, "needs a system disk of 200 GiB"),
    ({"flavor": "s3.rare.2", "availabilityZone": "eu-west-0a"}, Reason.CAPACITY_EXHAUSTED, "sellout in eu-west-0a"),
    ({"flavor": "absent"}, Reason.INVALID_CONFIGURATION, "there is no flavor absent"),
    ({"keyPairName": "absent"}, Reason.WAITING_FOR_DEPENDENCY, "key pair absent"),
    ({"serverGroupId": POOL}, Reason.WAITING_FOR_DEPENDENCY, f"server group {POOL}"),
    ({"serverGroupRef": {"name": "absent"}}, Reason.WAITING_FOR_DEPENDENCY, "EcsServerGroup absent"),
    ({"deletionProtection": True}, Reason.IN_USE, "spec.deletionProtection is true"),
    ({"flavor": "s3.xlarge.2"}, Reason.QUOTA_EXCEEDED, "quota of 2 virtual CPUs"),
]


@pytest.mark.parametrize(("change", "reason", "part"), HINDRANCES, ids=[f"{reason} {part}" for _, reason, part in HINDRANCES])
async def test_what_cannot_be_had_destroys_nothing(change: dict[str, Any], reason: str, part: str) -> None:
    stage = await running(**REPLACE)
    stage.settings.cores = 2
    await nothing_comes_of(stage, {"vpcId": VPC, **change}, reason=reason, says=(part, "the server is left as it is"))


async def test_what_a_server_uses_counts_as_free_for_the_next() -> None:
    stage = await running(**REPLACE)
    stage.settings.cores = 1
    edit(stage, **ZONE)
    await converge(stage)
    one_after_the_other(stage)


async def test_a_server_that_somebody_else_locked_is_left_alone() -> None:
    stage = await running(**REPLACE)
    stage.cloud.set("server-1", locked=True)
    edit(stage, **ZONE)
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_DEPENDENCY)
    assert "somebody else locked" in stage.message
    assert stage.cloud.deletions == []


async def test_an_operator_that_comes_back_late_looks_again_before_it_deletes() -> None:
    stage = await running(**REPLACE)
    edit(stage, keyPairName="new", **ZONE)
    await stage.until(lambda: "replacement" in stage.status)
    stage.restart()
    stage.clock.advance(3600)
    stage.systems.key_pairs.discard("new")
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_DEPENDENCY)
    assert stage.cloud.deletions == []
    assert "replacement" not in stage.status
    stage.systems.key_pairs.add("new")
    await converge(stage)
    one_after_the_other(stage)


# --- The new one


@pytest.mark.parametrize(("meaning", "reason"), [(Meaning.CAPACITY, Reason.CAPACITY_EXHAUSTED), (Meaning.QUOTA, Reason.QUOTA_EXCEEDED)])
async def test_a_creation_that_is_refused_says_why_and_is_tried_again(meaning: Meaning, reason: Reason) -> None:
    stage = await running(**REPLACE)
    for number in (1, 2):
        no = refusal("createServers", meaning=meaning, outcome=Outcome.REFUSED, status=400, message="no room")
        stage.effects.plan("cloud.create", "before", no, nth=number)
    edit(stage, **ZONE)
    await stage.until(lambda: stage.reason == reason)
    assert "no room" in stage.message
    stage.restart()
    await converge(stage)
    one_after_the_other(stage)


async def test_a_creation_whose_job_fails_is_cleaned_up_and_tried_again() -> None:
    stage = await running(**REPLACE)
    edit(stage, **ZONE)
    await stage.until(lambda: stage.create["incarnation"] == 2)
    stage.cloud.next_failure = ("Ecs.0219", "no host", True)
    await converge(stage)
    one_after_the_other(stage, servers=3)


async def test_a_server_in_error_can_be_replaced() -> None:
    stage = await running(**REPLACE)
    stage.cloud.set("server-1", status="ERROR", vm_state="error")
    edit(stage, **ZONE)
    await converge(stage)
    one_after_the_other(stage)


async def test_a_change_under_way_is_seen_to_its_end_first() -> None:
    stage = await running(**REPLACE, keyPairName="ops")
    position = len(stage.effects.log)
    edit(stage, image={"id": DEBIAN.id})
    await stage.until(lambda: server(stage).task_state == "powering-off")
    edit(stage, **ZONE)
    await converge(stage)
    assert changes_since(stage, position) == ("stop.soft", "install", "start", "delete", "create")
    one_after_the_other(stage)


async def test_what_others_change_never_costs_a_server() -> None:
    """Only an edit of the spec does: the row shows another zone, another address, a larger disk."""
    stage = await running(**REPLACE, availabilityZone="eu-west-0a", networkInterfaces=[{**NIC, "ipAddress": "192.168.0.8"}])
    stage.cloud.set("server-1", availability_zone="eu-west-0c", addresses=())
    stage.cloud.volumes_by_id["server-1-root"] = 80
    for _ in range(4):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.ready["status"] == "True"
    one_after_the_other(stage, servers=1)


async def test_an_object_of_an_older_operator_has_no_false_difference_and_its_next_edit_counts() -> None:
    stage = await running(**REPLACE, availabilityZone="eu-west-0a")
    forget(stage)
    stage.restart()
    for _ in range(3):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.ready["status"] == "True"
    assert stage.status["applied"]["origin"]["vpcId"] == SPEC["vpcId"]
    edit(stage, vpcId=VPC)
    await converge(stage)
    one_after_the_other(stage)


def forget(stage: Stage) -> KubeObject:
    applied = {key: value for key, value in stage.status["applied"].items() if key != "origin"}
    return stage.store.edit(KEY, status={**stage.status, "applied": applied})


# --- Deleted by somebody else


async def vanished(**changes: Any) -> Stage:
    stage = await running(**changes)
    stage.cloud.vanish("server-1")
    stage.clock.advance(300)
    return stage


async def made_anew(stage: Stage) -> None:
    """Until another server is there."""
    await stage.until(lambda: stage.create["incarnation"] == 2 and stage.ready.get("status") == "True")


async def test_a_server_that_somebody_deleted_is_made_anew_where_that_is_allowed() -> None:
    stage = await vanished(**REPLACE)
    await stage.once()
    assert len(stage.cloud.created()) == 1, "one 404 is no evidence"
    await stage.until(lambda: stage.create["incarnation"] == 2)
    assert stage.reason == Reason.REPLACING
    assert "somebody else deleted" in stage.message
    await converge(stage)
    one_after_the_other(stage)


async def test_without_consent_it_stays_away_and_a_plan_tells_how_to_get_it_anew() -> None:
    stage = await vanished(disruption={"allow": "Reinstall"})
    await stage.until(lambda: stage.reason == Reason.DELETED_EXTERNALLY)
    plan = stage.status["plan"]
    assert (plan["cost"], [each["path"] for each in plan["changes"]]) == ("Replace", ["status.id"])
    assert "approve-plan" in stage.message
    assert "ApprovalRequired" in stage.types()
    writes = stage.store.status_writes
    for _ in range(4):
        stage.clock.advance(pause_of(await stage.once()))
    assert (len(stage.cloud.created()), stage.store.status_writes) == (1, writes)
    stage.annotate(**{"approve-plan": plan["hash"]})
    await converge(stage)
    one_after_the_other(stage)
    stage.cloud.vanish(server(stage).id)
    stage.clock.advance(300)
    await stage.until(lambda: stage.reason == Reason.DELETED_EXTERNALLY)
    assert len(stage.cloud.created()) == 2, "an approval is for one server"


async def test_raising_what_is_allowed_lets_it_be_made_anew() -> None:
    stage = await vanished()
    await stage.until(lambda: stage.reason == Reason.DELETED_EXTERNALLY)
    edit(stage, **REPLACE)
    await converge(stage)
    one_after_the_other(stage)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_the_operator_is_killed_around_every_effect_of_making_it_anew(when: When) -> None:
    reference = await vanished(**REPLACE)
    position = len(reference.effects.log)
    await made_anew(reference)
    for number in range(1, len(reference.effects.log) - position + 1):
        stage = await vanished(**REPLACE)
        stage.effects.plan("*", when, Crash(), nth=number)
        with pytest.raises(Crash):
            await made_anew(stage)
        stage.restart()
        await made_anew(stage)
        assert stage.cloud.deletions == []
        one_after_the_other(stage)


async def test_a_server_that_only_hid_is_neither_deleted_nor_made_twice() -> None:
    stage = await running(**REPLACE)
    row = stage.cloud.servers_by_id.pop("server-1")
    stage.clock.advance(300)
    await stage.once()
    stage.cloud.servers_by_id["server-1"] = row
    for _ in range(4):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.ready["status"] == "True"
    one_after_the_other(stage, servers=1)


async def test_an_incomplete_list_makes_nothing_anew() -> None:
    stage = await vanished(**REPLACE)
    stage.cloud.list_is_complete = False
    for _ in range(6):
        stage.clock.advance(pause_of(await stage.once()))
    assert len(stage.cloud.created()) == 1


async def test_another_server_with_our_mark_is_no_reason_to_make_a_third() -> None:
    stage = await running(**REPLACE)
    stage.cloud.plant(replace(server(stage), id="twin"))
    stage.cloud.vanish("server-1")
    stage.clock.advance(300)
    await stage.until(lambda: stage.reason == Reason.OWNERSHIP_CONFLICT)
    assert [each.id for each in stage.cloud.alive()] == ["twin"]
    assert stage.cloud.deletions == []


async def test_a_server_that_was_stopped_when_it_was_deleted_is_made_stopped() -> None:
    stage = await running(**REPLACE)
    stage.cloud.set("server-1", status="SHUTOFF", vm_state="stopped", power_state=4)
    stage.clock.advance(300)
    await stage.once()
    stage.cloud.vanish("server-1")
    stage.clock.advance(300)
    await made_anew(stage)
    assert server(stage).status == "SHUTOFF"
    assert UBUNTU.id == server(stage).image_id


async def test_a_server_that_somebody_deletes_while_it_is_to_be_replaced() -> None:
    """What was agreed to was another server for a change, by its plan; that it is gone is another plan."""
    stage = await running()
    edit(stage, **ZONE)
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    stage.annotate(**{"approve-plan": stage.status["plan"]["hash"]})
    await stage.until(lambda: "replacement" in stage.status)
    stage.cloud.vanish("server-1")
    stage.clock.advance(300)
    await stage.until(lambda: stage.reason == Reason.DELETED_EXTERNALLY)
    assert "replacement" not in stage.status
    stage.annotate(**{"approve-plan": stage.status["plan"]["hash"]})
    await made_anew(stage)
    assert server(stage).availability_zone == "eu-west-0b"
    one_after_the_other(stage)
