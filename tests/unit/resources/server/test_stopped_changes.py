"""Changes that need the server stopped: another image, another way in, another group, another host. Together they share one stop."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass, replace
from typing import Any

import pytest

from ecs_operator.api.group import SERVER_GROUP
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Image, Meaning, Outcome
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Blocked
from ecs_operator.engine.ports import SecretData
from tests.unit.resources.server.effects import When
from tests.unit.resources.server.fake_cloud import BULKY, DEBIAN, UBUNTU, lost, refusal
from tests.unit.resources.server.rows import back, changes_since, converge, edit, killed_around_every_effect, nothing_comes_of, there
from tests.unit.resources.server.stage import KEY, SPEC, Stage, pause_of
from tests.unit.resources.server.test_changes import server

A, B = "0f3d1c0a-0000-4000-8000-00000000000a", "0f3d1c0a-0000-4000-8000-00000000000b"
PASSWORDS = {"one": "First-Passw0rd!", "two": "Secnd-Passw0rd!"}
RESTART, REINSTALL = {"disruption": {"allow": "Restart"}}, {"disruption": {"allow": "Reinstall"}}
OPS = {**REINSTALL, "keyPairName": "ops"}
HOST = {"tenancy": "dedicated", "dedicatedHostId": "host-1"}


def password(name: str) -> dict[str, Any]:
    return {"adminPasswordSecretRef": {"name": name, "key": "password"}}


def user_data(name: str) -> dict[str, Any]:
    return {"userDataRef": {"secret": {"name": name, "key": "data"}}}


def secret(name: str) -> SecretData:
    data = {"password": PASSWORDS[name].encode(), "data": f"#!/bin/sh\necho {name}\n".encode()}
    return SecretData(data=data, resource_version=name)


def prepared(**changes: Any) -> Stage:
    stage = Stage(spec={**SPEC, **changes})
    for name in PASSWORDS:
        stage.store.secrets[f"shop/{name}"] = secret(name)
    for name, group_id in (("a", A), ("b", B)):
        key = ObjectKey(SERVER_GROUP.plural, KEY.namespace, name)
        status = {"id": group_id, "project": "lab"}
        stage.store.put(replace(stage.obj, key=key, kind=SERVER_GROUP.kind, uid=name, spec={}, status=status))
        stage.systems.groups[group_id] = []
    return stage


async def running(**changes: Any) -> Stage:
    stage = prepared(**changes)
    await stage.until_ready()
    return stage


def shown(stage: Stage) -> dict[str, Any]:
    """What a user could tell two states of the server apart by."""
    alive = server(stage)
    how_in = stage.systems.installed[-1] if stage.systems.installed else None
    return {
        "status": alive.status,
        "locked": alive.locked,
        "flavor": alive.flavor_id,
        "image": alive.image_id,
        "key": alive.key_name,
        "password": how_in.password if how_in else None,
        "user_data": how_in.user_data if how_in else None,
        "group": stage.systems.group_of(alive.id),
        "host": alive.host_id,
        "disks": len(alive.volumes),
    }


@dataclass(frozen=True)
class Row:
    """One row of the cost table: from one spec to another."""

    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    effects: tuple[str, ...]
    check: Mapping[str, Any]


IMAGE = ("stop.soft", "install", "start")
JOIN = ("stop.soft", "join_group", "start")
ROWS = [
    Row("image of a running server", OPS, {"image": {"id": DEBIAN.id}}, IMAGE, {"image": DEBIAN.id, "key": "ops", "status": "ACTIVE"}),
    Row("image by name", OPS, {"image": {"name": DEBIAN.name}}, IMAGE, {"image": DEBIAN.id, "status": "ACTIVE"}),
    Row(
        "image of a stopped server",
        {**OPS, "powerState": "Stopped"},
        {"image": {"id": DEBIAN.id}},
        ("install",),
        {"image": DEBIAN.id, "status": "SHUTOFF"},
    ),
    Row(
        "image of a locked server",
        {**OPS, "locked": True},
        {"image": {"id": DEBIAN.id}},
        ("unlock", *IMAGE, "lock"),
        {"image": DEBIAN.id, "locked": True, "status": "ACTIVE"},
    ),
    Row(
        "image of a server with a data disk",
        {**OPS, "dataVolumes": [{"name": "data", "type": "SSD", "sizeGiB": 10}]},
        {"image": {"id": DEBIAN.id}},
        IMAGE,
        {"image": DEBIAN.id, "disks": 2},
    ),
    Row("key pair", OPS, {"keyPairName": "new"}, IMAGE, {"key": "new", "image": UBUNTU.id, "status": "ACTIVE"}),
    Row("password", {**REINSTALL, **password("one")}, password("two"), IMAGE, {"password": PASSWORDS["two"], "key": ""}),
    Row(
        "a password instead of a key pair",
        OPS,
        {"keyPairName": None, **password("one")},
        IMAGE,
        {"password": PASSWORDS["one"], "key": "", "status": "ACTIVE"},
    ),
    Row("user data", {**OPS, **user_data("one")}, user_data("two"), IMAGE, {"user_data": b"#!/bin/sh\necho two\n", "key": "ops"}),
    Row("no user data any more", {**OPS, **user_data("one")}, {"userDataRef": None}, IMAGE, {"user_data": None, "status": "ACTIVE"}),
    Row("join a group", RESTART, {"serverGroupId": A}, JOIN, {"group": A, "status": "ACTIVE"}),
    Row("join a group by its object", RESTART, {"serverGroupRef": {"name": "a"}}, JOIN, {"group": A, "status": "ACTIVE"}),
    Row(
        "a stopped server joins a group",
        {**RESTART, "powerState": "Stopped"},
        {"serverGroupId": A},
        ("join_group",),
        {"group": A, "status": "SHUTOFF"},
    ),
    Row("leave a group", {**RESTART, "serverGroupId": A}, {"serverGroupId": None}, ("leave_group",), {"group": None, "status": "ACTIVE"}),
    Row(
        "from one group to another",
        {**RESTART, "serverGroupRef": {"name": "a"}},
        {"serverGroupRef": {"name": "b"}},
        ("stop.soft", "leave_group", "join_group", "start"),
        {"group": B, "status": "ACTIVE"},
    ),
    Row("to a dedicated host", RESTART, {"scheduling": HOST}, ("stop.soft", "migrate", "start"), {"host": "host of host-1"}),
    Row(
        "everything at once",
        {**OPS, "serverGroupId": A},
        {"image": {"id": DEBIAN.id}, "keyPairName": "new", "flavor": "s3.large.2", "serverGroupId": B, "scheduling": HOST},
        ("stop.soft", "migrate", "leave_group", "join_group", "resize", "install", "start"),
        {"image": DEBIAN.id, "key": "new", "flavor": "s3.large.2", "group": B, "host": "host of host-1", "status": "ACTIVE"},
    ),
]
ROW_IDS = [row.name for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_a_change_there_and_back(row: Row) -> None:
    before = shown(await running(**row.before))
    stage = await there(lambda: running(**row.before), row.after, row.effects)
    assert {key: shown(stage)[key] for key in row.check} == row.check
    await back(stage, row.before)
    # Nobody saw how the first password and user data came there.
    unseen = {"password", "user_data"}
    assert {key: value for key, value in shown(stage).items() if key not in unseen} == {
        key: value for key, value in before.items() if key not in unseen
    }
    assert {"change", "plan", "resolvedImage"}.isdisjoint(stage.status)
    stage.exactly_one()


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_the_operator_is_killed_around_every_effect_of_a_change(row: Row) -> None:
    def check(stage: Stage, _: Stage, position: int) -> None:
        assert len(stage.systems.installed) <= 1, "never installed twice"
        assert len(stage.systems.moves) <= 1, "never moved twice"
        sent = [name for name in changes_since(stage, position) if name == "start"]
        assert len(sent) <= 2, "one start, but for the one the crash took the answer of"
        assert "change" not in stage.status
        stage.exactly_one()

    await killed_around_every_effect(lambda: running(**row.before), row.after, shown=shown, check=check)


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_in_steady_state_a_changed_server_is_left_alone(row: Row) -> None:
    stage = await running(**{key: value for key, value in {**row.before, **row.after}.items() if value is not None})
    writes, position = stage.store.status_writes, len(stage.effects.log)
    for _ in range(4):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.store.status_writes == writes
    assert changes_since(stage, position) == ()
    assert [name for name in stage.effects.log[position:] if name == "cloud.get"] == []


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "stop.soft" in row.effects and row.name != "everything at once"], ids=lambda row: row.name
)
@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_call_whose_answer_is_lost_is_not_made_twice(row: Row, when: When) -> None:
    stage = await running(**row.before)
    call = next(name for name in row.effects if name in {"install", "join_group", "migrate"})
    stage.effects.plan(f"cloud.{call}", when, lost(call))
    edit(stage, **row.after)
    await converge(stage)
    assert {key: shown(stage)[key] for key in row.check} == row.check
    done: dict[str, Sized] = {"install": stage.systems.installed, "join_group": stage.systems.joins, "migrate": stage.systems.moves}
    assert len(done[call]) == 1


# --- Consent


@pytest.mark.parametrize(
    ("change", "path", "cost"),
    [
        ({"image": {"id": DEBIAN.id}}, "spec.image", "Reinstall"),
        ({"keyPairName": "new"}, "spec.keyPairName", "Reinstall"),
        (user_data("one"), "spec.userDataRef", "Reinstall"),
        ({"serverGroupId": A}, "spec.serverGroupId", "Restart"),
        ({"scheduling": HOST}, "spec.scheduling", "Restart"),
    ],
)
async def test_nothing_dearer_than_allowed_is_done(change: dict[str, Any], path: str, cost: str) -> None:
    allow = "Restart" if cost == "Reinstall" else "None"
    stage = await running(keyPairName="ops", disruption={"allow": allow})
    position = len(stage.effects.log)
    edit(stage, description="new", **change)
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    plan = stage.status["plan"]
    assert (plan["cost"], [each["path"] for each in plan["changes"]]) == (cost, [path])
    assert f"disruption.allow: {cost}" in stage.message
    assert changes_since(stage, position) == ("update",)


async def test_one_approval_holds_for_all_steps_of_the_plan_and_they_share_one_stop() -> None:
    stage = await running(keyPairName="ops")
    edit(stage, image={"id": DEBIAN.id}, flavor="s3.large.2", serverGroupId=A)
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    plan = stage.status["plan"]
    assert plan["cost"] == "Reinstall"
    assert [(each["path"], each["cost"]) for each in plan["changes"]] == [
        ("spec.serverGroupId", "Restart"),
        ("spec.flavor", "Restart"),
        ("spec.image", "Reinstall"),
    ]
    position = len(stage.effects.log)
    stage.annotate(**{"approve-plan": plan["hash"]})
    await converge(stage)
    assert changes_since(stage, position) == ("stop.soft", "join_group", "resize", "install", "start")


async def test_what_is_left_of_an_approved_plan_after_a_failure_needs_no_other_approval() -> None:
    stage = await running(keyPairName="ops")
    edit(stage, image={"id": DEBIAN.id}, serverGroupId=A)
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    stage.systems.next_failure = ("Ecs.0319", "no capacity")
    stage.annotate(**{"approve-plan": stage.status["plan"]["hash"]})
    await stage.until(lambda: stage.reason == Reason.SERVER_ERROR)
    assert stage.systems.group_of(server(stage).id) == A
    stage.annotate(**{"reconcile-requested-at": "now"})
    await converge(stage)
    assert (server(stage).image_id, server(stage).status) == (DEBIAN.id, "ACTIVE")


async def test_what_is_allowed_goes_at_once_and_what_is_not_waits() -> None:
    stage = await running(keyPairName="ops", **RESTART)
    edit(stage, image={"id": DEBIAN.id}, flavor="s3.large.2")
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    await stage.until(lambda: server(stage).flavor_id == "s3.large.2" and server(stage).status == "ACTIVE")
    assert (server(stage).image_id, stage.systems.installed) == (UBUNTU.id, [])


# --- Images


async def test_a_newer_image_of_the_same_name_changes_nothing_and_another_name_does() -> None:
    stage = await running(**OPS, image={"name": UBUNTU.name})
    newer = Image(id="9e0b3a55-7d1c-4a6f-8b21-3c4d5e6f7a8b", name=UBUNTU.name, status="ACTIVE")
    stage.cloud.images.insert(0, newer)
    edit(stage, description="an edit")
    await converge(stage)
    assert (server(stage).image_id, stage.systems.installed) == (UBUNTU.id, [])
    edit(stage, image={"id": newer.id})
    await converge(stage)
    assert server(stage).image_id == newer.id
    assert stage.status["applied"]["installed"]["imageId"] == newer.id


async def test_a_name_is_resolved_once_while_it_waits() -> None:
    stage = await running(keyPairName="ops")
    edit(stage, image={"name": DEBIAN.name})
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    assert stage.status["resolvedImage"] == {"name": DEBIAN.name, "id": DEBIAN.id}
    stage.cloud.images[:] = [replaced(each) for each in stage.cloud.images]
    stage.cloud.images.append(DEBIAN)
    stage.annotate(**{"approve-plan": stage.status["plan"]["hash"]})
    await converge(stage)
    assert server(stage).image_id == DEBIAN.id


def replaced(image: Image) -> Image:
    return image.model_copy(update={"id": "9e0b3a55-7d1c-4a6f-8b21-3c4d5e6f7a8b"}) if image == DEBIAN else image


@pytest.mark.parametrize(
    ("change", "reason", "part"),
    [
        ({"image": {"id": "9e0b3a55-7d1c-4a6f-8b21-3c4d5e6f7a8b"}}, Reason.INVALID_CONFIGURATION, "there is no image"),
        ({"image": {"id": BULKY.id}}, Reason.INVALID_CONFIGURATION, "needs a system disk of 200 GiB, the server has one of 10 GiB"),
        ({"image": {"name": "nobody's"}}, Reason.WAITING_FOR_DEPENDENCY, 'image "nobody\'s" (spec.image.name)'),
        ({"keyPairName": "absent"}, Reason.WAITING_FOR_DEPENDENCY, "key pair absent (spec.keyPairName)"),
        ({"keyPairName": None}, Reason.INVALID_CONFIGURATION, "needs spec.keyPairName or spec.adminPasswordSecretRef"),
        ({"keyPairName": None, **password("absent")}, Reason.WAITING_FOR_DEPENDENCY, "Secret absent (spec.adminPasswordSecretRef)"),
        (user_data("absent"), Reason.WAITING_FOR_DEPENDENCY, "Secret absent (spec.userDataRef)"),
        ({"serverGroupId": "no-group"}, Reason.WAITING_FOR_DEPENDENCY, "server group no-group"),
        ({"serverGroupRef": {"name": "absent"}}, Reason.WAITING_FOR_DEPENDENCY, "EcsServerGroup absent (spec.serverGroupRef)"),
        ({"scheduling": {"tenancy": "dedicated"}}, Reason.INVALID_CONFIGURATION, "spec.scheduling.dedicatedHostId is needed"),
    ],
)
async def test_what_cannot_be_done_stops_nothing(change: dict[str, Any], reason: Reason, part: str) -> None:
    await nothing_comes_of(await running(**OPS), change, reason=reason, says=(part,))


async def test_a_missing_group_is_waited_for() -> None:
    stage = await running(**RESTART)
    key = ObjectKey(SERVER_GROUP.plural, KEY.namespace, "later")
    edit(stage, serverGroupRef={"name": "later"})
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_DEPENDENCY)
    outcome = await stage.once()
    assert isinstance(outcome, Blocked)
    assert outcome.waits_for == (key,)
    stage.store.put(replace(stage.obj, key=key, kind=SERVER_GROUP.kind, uid="l", spec={}, status={"id": B, "project": "lab"}))
    await converge(stage)
    assert stage.systems.group_of(server(stage).id) == B


# --- Passwords and user data


async def test_a_password_travels_and_is_kept_nowhere() -> None:
    stage = await running(**REINSTALL, **password("one"))
    edit(stage, **password("two"))
    await converge(stage)
    assert stage.systems.installed[-1].password == PASSWORDS["two"]
    assert not any(each in str(stage.obj.status) + str(stage.events.recorded) for each in PASSWORDS.values())


async def test_another_content_of_the_same_secret_changes_nothing() -> None:
    stage = await running(**REINSTALL, **password("one"), **user_data("two"))
    stage.store.secrets["shop/one"] = replace(secret("one"), data={"password": b"Thrd-Passw0rd!!"}, resource_version="9")
    stage.annotate(**{"reconcile-requested-at": "now"})
    for _ in range(4):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.systems.installed == []


async def test_a_secret_that_goes_while_the_server_stops_brings_it_back_and_is_waited_for() -> None:
    stage = await running(**OPS)
    edit(stage, keyPairName=None, **password("one"))
    await stage.until(lambda: server(stage).task_state == "powering-off")
    del stage.store.secrets["shop/one"]
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_DEPENDENCY)
    assert (server(stage).status, stage.systems.installed) == ("ACTIVE", [])
    stage.store.secrets["shop/one"] = secret("one")
    await converge(stage)
    assert stage.systems.installed[-1].password == PASSWORDS["one"]


@pytest.mark.parametrize(("user", "how"), [("7e25b1da389f4697a79df3a0e5bd494e", "5.2.1"), (None, "5.2.2")])
async def test_the_same_image_is_installed_by_5_2_1_where_it_is_known_who_we_are(user: str | None, how: str) -> None:
    stage = await running(**OPS)
    stage.systems.user = user
    edit(stage, keyPairName="new")
    await converge(stage)
    (done,) = stage.systems.installed
    assert (done.how, done.image, done.key) == (how, UBUNTU.id, "new")


# --- Failures


async def test_an_installation_that_fails_leaves_an_error_and_is_made_again_on_request() -> None:
    stage = await running(**OPS, powerState="Running")
    stage.systems.next_failure = ("Ecs.0319", "no capacity")
    edit(stage, image={"id": DEBIAN.id})
    await stage.until(lambda: stage.reason == Reason.SERVER_ERROR and "Ecs.0319" in stage.message)
    assert "the installation broke" in stage.message
    assert "Stalled" in stage.types()
    writes = stage.store.status_writes
    for _ in range(4):
        stage.clock.advance(pause_of(await stage.once()))
    assert (len(stage.systems.installed), stage.store.status_writes) == (1, writes), "not by itself"
    stage.restart()
    stage.annotate(**{"reconcile-requested-at": "now"})
    await converge(stage)
    assert (server(stage).image_id, server(stage).status) == (DEBIAN.id, "ACTIVE")
    assert [each.how for each in stage.systems.installed] == ["5.2.2", "5.2.2"]


async def test_an_edit_taken_back_after_an_installation_broke_installs_the_former_image() -> None:
    stage = await running(**OPS, powerState="Running")
    stage.systems.next_failure = ("Ecs.0319", "no capacity")
    edit(stage, image={"id": DEBIAN.id})
    await stage.until(lambda: stage.reason == Reason.SERVER_ERROR and "Ecs.0319" in stage.message)
    edit(stage, image={"id": UBUNTU.id})
    await converge(stage)
    assert (server(stage).image_id, server(stage).status) == (UBUNTU.id, "ACTIVE")
    assert [each.image for each in stage.systems.installed] == [DEBIAN.id, UBUNTU.id]


async def test_an_installation_that_fails_in_passing_is_made_again_by_itself() -> None:
    stage = await running(**OPS)
    stage.systems.next_failure = ("Ecs.9999", "nobody knows")
    edit(stage, image={"id": DEBIAN.id})
    await converge(stage)
    assert (server(stage).image_id, len(stage.systems.installed)) == (DEBIAN.id, 2)
    assert stage.effects.count("cloud.stop.soft") == 1


async def test_a_step_that_is_refused_ends_the_change_and_brings_the_server_back() -> None:
    stage = await running(**OPS)
    no = refusal("addServerGroupMember", meaning=Meaning.INVALID, outcome=Outcome.REFUSED, status=400, message="Xen cannot")
    stage.effects.plan("cloud.join_group", "before", no)
    edit(stage, serverGroupId=A, image={"id": DEBIAN.id})
    await stage.until(lambda: stage.reason == Reason.OPERATION_FAILED and "Stalled" in stage.types())
    assert "Xen cannot" in stage.message
    assert (server(stage).status, stage.systems.installed) == ("ACTIVE", [])
    stage.annotate(**{"reconcile-requested-at": "now"})
    await converge(stage)
    assert (stage.systems.group_of(server(stage).id), server(stage).image_id) == (A, DEBIAN.id)


async def test_an_edit_taken_back_while_the_server_stops_leaves_it_as_it_was() -> None:
    stage = await running(**OPS)
    position = len(stage.effects.log)
    edit(stage, image={"id": DEBIAN.id}, serverGroupId=A)
    await stage.until(lambda: server(stage).task_state == "powering-off")
    edit(stage, image=SPEC["image"], serverGroupId=None)
    await converge(stage)
    assert changes_since(stage, position) == ("stop.soft", "start")


# --- Groups


async def test_a_membership_that_is_not_ours_is_left_alone() -> None:
    stage = await running(**RESTART)
    stage.systems.groups[B].append(server(stage).id)
    edit(stage, description="an edit")
    await converge(stage)
    assert stage.systems.group_of(server(stage).id) == B
    assert "serverGroup" not in stage.status


async def test_a_server_that_somebody_put_in_the_wanted_group_is_not_stopped() -> None:
    stage = await running(**RESTART)
    stage.systems.groups[A].append(server(stage).id)
    edit(stage, serverGroupId=A)
    await converge(stage)
    assert stage.effects.count("cloud.stop.soft") == 0
    assert stage.status["serverGroup"] == {"id": A}


async def test_both_groups_are_told_when_a_server_moves() -> None:
    stage = await running(**RESTART, serverGroupRef={"name": "a"})
    stage.woken.clear()
    edit(stage, serverGroupRef={"name": "b"})
    await converge(stage)
    assert {key.name for key in stage.woken} == {"a", "b"}
