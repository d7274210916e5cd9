"""Servers that were there already: adopted by id once they are as the spec says, or as was approved, and by one object only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from ecs_operator.api.group import FINALIZER, SERVER
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Address, AttachedVolume, Meaning, Outcome, Server
from ecs_operator.engine.conditions import find
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Again
from ecs_operator.resources.ownership import MARKER_KEY, ClusterIdentity, Owner
from tests.unit.resources.server.effects import Crash, When
from tests.unit.resources.server.fake_cloud import DEBIAN, UBUNTU, lost, refusal
from tests.unit.resources.server.stage import IDENTITY, KEY, SETTLE, SPEC, START, UID, Stage, pause_of

THERE = "server-there"
OTHER = ObjectKey(SERVER.plural, "other", "web-1")
OTHER_UID = "0f3d1c0a-0000-4000-8000-000000000002"
FOREIGN = {"role": "theirs", "vpc_id": SPEC["vpcId"]}
IMPORT = {"name": "there", "import": {"id": THERE}}
CHANGES = (
    "create",
    "add_group",
    "remove_group",
    "delete",
    "merge",
    "remove_marker",
    "update",
    "add_tags",
    "stop.soft",
    "start",
    "resize",
    "install",
    "reboot",
    "lock",
)


def plant(stage: Stage, **changes: Any) -> Server:
    """A server that somebody else made."""
    server = Server(
        id=THERE,
        name="there",
        status="ACTIVE",
        vm_state="active",
        power_state=1,
        flavor_id="s3.small.1",
        image_id=UBUNTU.id,
        availability_zone="eu-west-0a",
        metadata=FOREIGN,
        tags=("owner=them",),
        volumes=(AttachedVolume(id=f"{THERE}-root"),),
        addresses=(Address(network="vpc", ip="192.168.0.7", mac="fa:16:3e:00:00:07", type="fixed"),),
        security_groups=("name of default",),
        created=START.isoformat(),
        host_id="host of None",
    )
    server = replace(server, **changes)
    stage.cloud.volumes_by_id[f"{THERE}-root"] = 10
    stage.cloud.plant(server)
    return server


def importing(spec: Mapping[str, Any] | None = None, **server: Any) -> Stage:
    stage = Stage(spec={**SPEC, **IMPORT, **(spec or {})})
    plant(stage, **server)
    return stage


def there(stage: Stage) -> Server:
    return stage.cloud.servers_by_id[THERE].server


def marker(uid: str = UID) -> str:
    return IDENTITY.marker(Owner(uid=uid, incarnation=1))


def is_marked(stage: Stage, uid: str = UID) -> bool:
    return there(stage).metadata.get(MARKER_KEY) == marker(uid)


def untouched(stage: Stage) -> bool:
    """Nothing was sent that changes anything."""
    return not any(stage.effects.count(f"cloud.{name}") for name in CHANGES)


def edit(stage: Stage, **changes: Any) -> None:
    spec = {key: value for key, value in {**stage.obj.spec, **changes}.items() if value is not None}
    stage.store.edit(KEY, spec=spec)


async def until_says(stage: Stage, reason: Reason) -> None:
    await stage.until(lambda: stage.reason == reason, passes=40)


async def passes(stage: Stage, count: int = 4) -> None:
    for _ in range(count):
        stage.clock.advance(pause_of(await stage.once()))
        stage.cloud.settle()


async def approve(stage: Stage) -> None:
    await until_says(stage, Reason.WAITING_FOR_APPROVAL)
    stage.annotate(**{"approve-plan": stage.status["plan"]["hash"]})


WHENS: tuple[When, When] = ("before", "after")

# Adoption


async def test_a_server_as_the_spec_says_is_adopted_at_once() -> None:
    stage = importing()
    await stage.until_ready()
    assert is_marked(stage)
    assert [name for name in CHANGES if stage.effects.count(f"cloud.{name}")] == ["merge"]
    status = stage.status
    assert (status["id"], status["project"], "create" in status, "plan" in status) == (THERE, "lab", False, False)
    assert status["adoption"] == {"id": THERE, "state": "Adopted", "attempts": 1, "sentAt": "2026-03-01T12:00:00Z"}
    assert status["volumes"] == [{"id": f"{THERE}-root", "device": "/dev/vda", "bootIndex": 0, "sizeGiB": 10, "deleteWithServer": True}]
    log = stage.effects.log
    assert log.index("kube.add_finalizer") < log.index("cloud.merge")
    assert FINALIZER in stage.obj.finalizers


async def test_an_adopted_server_costs_nothing_in_steady_state() -> None:
    stage = importing()
    await stage.until_ready()
    await passes(stage, 2)
    writes, position = stage.store.status_writes, len(stage.effects.log)
    await passes(stage, 4)
    assert stage.store.status_writes == writes
    assert set(stage.effects.log[position:]) <= {"kube.get", "cloud.sweep"}


async def test_what_others_set_stays_for_good() -> None:
    stage = importing({"metadata": {"mine": "1"}, "tags": {"team": "shop"}})
    await approve(stage)
    await stage.until_ready()
    assert there(stage).tags == ("owner=them", "team=shop")
    edit(stage, metadata={}, tags={})
    await stage.until(lambda: "mine" not in there(stage).metadata and there(stage).tags == ("owner=them",))
    assert {**FOREIGN, MARKER_KEY: marker()} == there(stage).metadata


@dataclass(frozen=True)
class Row:
    """A difference: what the spec says, what the server has, and what the plan shows."""

    name: str
    spec: Mapping[str, Any]
    server: Mapping[str, Any]
    plan: tuple[tuple[str, str, str, str], ...]
    check: Callable[[Server], bool]


ROWS = [
    Row("name", {"name": "mine"}, {}, (("spec.name", "there", "mine", "None"),), lambda s: s.name == "mine"),
    Row("metadata", {"metadata": {"a": "1"}}, {}, (("spec.metadata", "a (absent)", "a", "None"),), lambda s: s.metadata["a"] == "1"),
    Row("tags", {"tags": {"a": "1"}}, {}, (("spec.tags", "", "a=1", "None"),), lambda s: s.tags == ("a=1", "owner=them")),
    Row("lock", {"locked": True}, {}, (("spec.locked", "false", "true", "None"),), lambda s: s.locked),
    Row("flavor", {"flavor": "s3.large.2"}, {}, (("spec.flavor", "s3.small.1", "s3.large.2", "Restart"),), lambda s: s.status == "ACTIVE"),
    Row(
        "security groups",
        {"securityGroupIds": ["web"]},
        {},
        (("spec.securityGroupIds", "", "web", "None"), ("spec.securityGroupIds", "default", "", "None")),
        lambda s: s.security_groups == ("name of web",),
    ),
    Row(
        "power on",
        {"powerState": "Running"},
        {"status": "SHUTOFF", "vm_state": "stopped", "power_state": 3},
        (("spec.powerState", "SHUTOFF", "Running", "None"),),
        lambda s: s.status == "ACTIVE",
    ),
    Row(
        "power off", {"powerState": "Stopped"}, {}, (("spec.powerState", "ACTIVE", "Stopped", "Restart"),), lambda s: s.status == "SHUTOFF"
    ),
    Row(
        "image and key pair, with a name",
        {"image": {"id": DEBIAN.id}, "keyPairName": "ops", "name": "mine"},
        {"key_name": "theirs"},
        (
            ("spec.image", UBUNTU.id, DEBIAN.id, "Reinstall"),
            ("spec.keyPairName", "theirs", "ops", "Reinstall"),
            ("spec.name", "there", "mine", "None"),
        ),
        lambda s: (s.image_id, s.key_name, s.name, s.status) == (DEBIAN.id, "ops", "mine", "ACTIVE"),
    ),
]


@pytest.mark.parametrize("allow", ["None", "Reinstall"])
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_what_differs_is_shown_whatever_it_costs_and_done_after_one_approval(row: Row, allow: str) -> None:
    stage = importing({**row.spec, "disruption": {"allow": allow}}, **row.server)
    await until_says(stage, Reason.WAITING_FOR_APPROVAL)
    plan = stage.status["plan"]
    assert tuple((each.get("from"), each.get("to"), each["path"], each["cost"]) for each in plan["changes"]) == tuple(
        (have, want, path, cost) for path, have, want, cost in row.plan
    )
    assert "ApprovalRequired" in stage.types()
    assert "nothing is changed before this is approved" in stage.message
    assert (find(stage.status["conditions"], "ApprovalRequired") or {})["message"] == stage.message
    assert "id" not in stage.status, "it is not this object's yet"
    await passes(stage)
    assert untouched(stage)
    await approve(stage)
    await stage.until_ready()
    assert is_marked(stage)
    assert row.check(there(stage)), there(stage)
    assert "plan" not in stage.status
    assert "agreed" not in stage.status["adoption"] or stage.status["adoption"]["agreed"] == []
    assert stage.effects.log.index("cloud.merge") < min(
        (stage.effects.log.index(f"cloud.{name}") for name in CHANGES if name != "merge" and stage.effects.count(f"cloud.{name}")),
        default=10_000,
    )


async def test_an_approval_of_another_plan_is_none() -> None:
    stage = importing({"flavor": "s3.large.2"})
    await approve(stage)
    edit(stage, flavor="s3.xlarge.2")
    await passes(stage)
    assert untouched(stage)
    assert stage.reason == Reason.WAITING_FOR_APPROVAL
    edit(stage, flavor="s3.small.1")
    await stage.until_ready()
    assert is_marked(stage)
    assert stage.settings.resizes == []


async def test_what_was_approved_is_used_up() -> None:
    """Somebody takes it back at the console: that is another plan, although the annotation still stands."""
    stage = importing({"flavor": "s3.large.2"})
    await approve(stage)
    await stage.until_ready()
    stage.cloud.set(THERE, flavor_id="s3.small.1")
    stage.annotate(**{"reconcile-requested-at": "now"})
    await until_says(stage, Reason.WAITING_FOR_APPROVAL)
    assert len(stage.settings.resizes) == 1


async def test_an_image_by_name_is_resolved_and_compared() -> None:
    stage = importing({"image": {"name": UBUNTU.name}})
    await stage.until_ready()
    assert stage.status["applied"]["installed"]["imageName"] == UBUNTU.name
    other = importing({"image": {"name": DEBIAN.name}})
    await until_says(other, Reason.WAITING_FOR_APPROVAL)
    assert [each["path"] for each in other.status["plan"]["changes"]] == ["spec.image"]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"availabilityZone": "eu-west-0b"}, "spec.availabilityZone is eu-west-0b, the server has eu-west-0a"),
        ({"vpcId": "another-vpc"}, "spec.vpcId is another-vpc, the server has 0dae26c9"),
        ({"rootVolume": {"type": "SSD", "sizeGiB": 40}}, "spec.rootVolume.sizeGiB is 40, the server has 10"),
        ({"dataVolumes": [{"name": "d", "type": "SSD", "sizeGiB": 20}]}, "spec.dataVolumes is 20 GiB, the server has none"),
        ({"publicIp": {"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 5}}}}, "spec.publicIp is a new one, the server has none"),
        ({"agencyName": "backup"}, "spec.agencyName is backup, the server has none"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_what_nobody_can_change_must_fit(spec: dict[str, Any], says: str) -> None:
    stage = importing(spec)
    await until_says(stage, Reason.INVALID_CONFIGURATION)
    assert says in stage.message
    await passes(stage)
    assert untouched(stage)
    stage.delete()
    await stage.until_gone()
    assert untouched(stage)


async def test_data_disks_follow_the_spec_only_where_they_fit_it() -> None:
    volumes = tuple(AttachedVolume(id=f"{THERE}-{name}") for name in ("root", "data1", "data2"))
    wanted = [
        {"name": "a", "type": "SSD", "sizeGiB": 20, "deleteWithServer": True},
        {"name": "b", "type": "SSD", "sizeGiB": 30},
    ]
    stage = importing({"dataVolumes": wanted}, volumes=volumes)
    stage.cloud.volumes_by_id |= {f"{THERE}-data1": 20, f"{THERE}-data2": 30}
    await stage.until_ready()
    stage.delete()
    await stage.until_gone()
    assert set(stage.cloud.volumes_by_id) == {f"{THERE}-data2"}
    left_alone = importing(volumes=volumes)
    left_alone.cloud.volumes_by_id |= {f"{THERE}-data1": 20, f"{THERE}-data2": 30}
    await left_alone.until_ready()
    left_alone.delete()
    await left_alone.until_gone()
    assert set(left_alone.cloud.volumes_by_id) == {f"{THERE}-data1", f"{THERE}-data2"}


async def test_a_server_that_is_not_there_is_said_so_and_found_when_it_comes() -> None:
    stage = Stage(spec={**SPEC, **IMPORT})
    await until_says(stage, Reason.INVALID_CONFIGURATION)
    assert f"there is no server {THERE} in EcsProject lab" in stage.message
    outcome = await stage.once()
    assert isinstance(outcome, Again)
    assert outcome.after >= 60
    assert untouched(stage), "none is ever created for it"
    plant(stage)
    await stage.until_ready()
    assert is_marked(stage)


async def test_an_edit_of_the_id_is_taken_up() -> None:
    stage = importing({"import": {"id": "server-nowhere"}})
    await until_says(stage, Reason.INVALID_CONFIGURATION)
    edit(stage, **{"import": {"id": THERE}})
    await stage.until_ready()
    assert stage.status["adoption"]["id"] == THERE


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (IDENTITY.marker(Owner(uid="gone", incarnation=3)), "the mark of an object of this cluster that is gone (uid gone)"),
        (ClusterIdentity("prod", b"x" * 32).marker(Owner(uid=UID, incarnation=1)), "the mark of another cluster"),
        (ClusterIdentity("lab", b"x" * 32).marker(Owner(uid=UID, incarnation=1)), "a mark of this cluster that is not genuine"),
        ("", "the mark of another cluster"),
        ("whatever", "the mark of another cluster"),
    ],
)
async def test_a_server_with_another_mark_is_refused(value: str, says: str) -> None:
    stage = importing(metadata={**FOREIGN, MARKER_KEY: value})
    await until_says(stage, Reason.OWNERSHIP_CONFLICT)
    assert says in stage.message
    await passes(stage)
    assert untouched(stage)
    stage.delete()
    await stage.until_gone()
    assert untouched(stage)
    assert there(stage).metadata[MARKER_KEY] == value


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ({"status": "BUILD", "vm_state": "building", "task_state": "spawning"}, Reason.WAITING_FOR_DEPENDENCY),
        ({"task_state": "rebooting"}, Reason.WAITING_FOR_DEPENDENCY),
        ({"status": "ERROR", "vm_state": "error"}, Reason.WAITING_FOR_DEPENDENCY),
        ({"metadata": {**FOREIGN, "EcmResStatus": "freeze"}}, Reason.FROZEN),
    ],
    ids=["built", "busy", "error", "frozen"],
)
async def test_a_server_that_cannot_be_marked_now_is_waited_for(server: dict[str, Any], reason: Reason) -> None:
    stage = importing(**server)
    stage.cloud.servers_by_id[THERE].ready_at = START + timedelta(hours=1)
    await until_says(stage, reason)
    await passes(stage)
    assert untouched(stage)
    stage.cloud.set(THERE, status="ACTIVE", vm_state="active", task_state="", metadata=FOREIGN)
    await stage.until_ready()
    assert is_marked(stage)


async def test_a_group_that_is_missing_is_waited_for_before_anything_is_compared() -> None:
    stage = importing({"serverGroupRef": {"name": "web"}})
    await until_says(stage, Reason.WAITING_FOR_DEPENDENCY)
    assert "web" in stage.message
    assert untouched(stage)


async def test_a_creation_that_was_refused_gives_way_to_an_adoption() -> None:
    stage = Stage()
    plant(stage)
    error = refusal("createServers", meaning=Meaning.INVALID, outcome=Outcome.REFUSED, status=400, message="bad")
    stage.effects.plan("cloud.create", "before", error)
    await until_says(stage, Reason.REJECTED)
    edit(stage, **IMPORT)
    await stage.until_ready()
    assert is_marked(stage)
    assert stage.cloud.created() == []
    assert not stage.status["applied"].get("metadataKeys")
    assert "create" not in stage.status


# Two objects, one server


def second(stage: Stage, spec: Mapping[str, Any] | None = None, *, seconds: float = 60.0) -> None:
    """Another object that imports the same server, so much younger (older, when negative)."""
    obj = replace(
        stage.obj,
        key=OTHER,
        uid=OTHER_UID,
        created_at=stage.obj.created_at + timedelta(seconds=seconds),
        finalizers=(),
        spec={**SPEC, **IMPORT, **(spec or {})},
        status={"observedGeneration": -1},
    )
    stage.store.put(obj)


def ready_of(stage: Stage, key: ObjectKey) -> tuple[str, str]:
    ready = find(stage.store.objects[key].status.get("conditions") or (), "Ready") or {}
    return str(ready.get("reason")), str(ready.get("message"))


async def both(stage: Stage, order: tuple[ObjectKey, ...], *, rounds: int = 12) -> None:
    for _ in range(rounds):
        for key in order:
            await stage.reconciler.reconcile(key)
        stage.clock.advance(5.0)


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("order", [(KEY, OTHER), (OTHER, KEY)], ids=["the older first", "the younger first"])
async def test_of_two_objects_for_one_server_one_gets_it_and_the_other_names_it(order: tuple[ObjectKey, ...], restarts: bool) -> None:  # noqa: FBT001
    stage = importing()
    second(stage)
    await both(stage, order)
    winner = KEY if is_marked(stage, UID) else OTHER
    loser = OTHER if winner is KEY else KEY
    assert is_marked(stage, UID) or is_marked(stage, OTHER_UID)
    if restarts:
        stage.restart()
        await both(stage, tuple(reversed(order)))
    assert ready_of(stage, winner)[0] == Reason.AVAILABLE
    reason, message = ready_of(stage, loser)
    assert reason == Reason.OWNERSHIP_CONFLICT
    assert f"EcsServer {winner.namespace}/{winner.name}" in message
    assert stage.effects.count("cloud.merge") == 1
    stage.store.delete(loser, at=stage.clock.now())
    await stage.reconciler.reconcile(loser)
    assert loser not in stage.store.objects
    assert stage.effects.count("cloud.delete") == stage.effects.count("cloud.remove_marker") == 0


async def test_the_older_of_two_that_wait_for_approval_comes_first() -> None:
    stage = importing({"flavor": "s3.large.2"})
    second(stage, {"flavor": "s3.large.2"}, seconds=-60.0)
    await both(stage, (KEY, OTHER))
    assert ready_of(stage, OTHER)[0] == Reason.WAITING_FOR_APPROVAL
    reason, message = ready_of(stage, KEY)
    assert (reason, "EcsServer other/web-1 imports it too and is older" in message) == (Reason.OWNERSHIP_CONFLICT, True)
    stage.store.delete(OTHER, at=stage.clock.now())
    await both(stage, (OTHER, KEY), rounds=4) if OTHER in stage.store.objects else None
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL, passes=10)


@pytest.mark.parametrize("seconds", [60.0, -60.0], ids=["the other is younger", "the other is older"])
@pytest.mark.parametrize("other_state", ["Claimed", "Marking"])
async def test_claims_written_at_the_same_moment(other_state: str, seconds: float) -> None:
    """The other wrote its claim between our look at the server and our own claim, and stands still."""
    stage = importing()
    second(stage, seconds=seconds)
    record = {"id": THERE, "state": other_state, "attempts": 1, "sentAt": START.isoformat()}
    await stage.until(lambda: (stage.status.get("adoption") or {}).get("state") == "Claimed", passes=5)
    other = stage.store.objects[OTHER]
    stage.store.put(replace(other, finalizers=(FINALIZER,), status={"observedGeneration": 1, "adoption": record}))
    await passes(stage, 6)
    assert untouched(stage), "it cannot know whether the other was faster"
    if other_state == "Claimed" and seconds > 0:
        assert stage.status["adoption"]["state"] == "Claimed", "the older waits for the younger to step back"
        await stage.reconciler.reconcile(OTHER)
        assert ready_of(stage, OTHER)[0] == Reason.OWNERSHIP_CONFLICT
        await stage.until_ready()
        assert is_marked(stage)
    else:
        assert stage.reason == Reason.OWNERSHIP_CONFLICT
        await both(stage, (OTHER, KEY))
        assert is_marked(stage, OTHER_UID)


@pytest.mark.parametrize("seconds", [60.0, -60.0], ids=["the other is younger", "the other is older"])
async def test_one_stands_still_at_any_effect_and_the_other_goes_on(seconds: float) -> None:
    """Killed at each effect, then the other has its turn, then it goes on: the mark is set once, and never overwritten."""
    length = len(await _reference())
    for number in range(1, length + 1):
        for when in WHENS:
            stage = importing()
            second(stage, seconds=seconds)
            stage.effects.plan("*", when, Crash(), nth=number)
            marks: set[str] = set()
            killed = False
            for turn in range(60):
                key = KEY if not killed or turn % 7 == 0 else OTHER
                try:
                    outcome = await stage.reconciler.reconcile(key)
                    stage.clock.advance(min(pause_of(outcome), 5.0))
                except Crash:
                    stage.restart()
                    killed = True
                marks |= {there(stage).metadata[MARKER_KEY]} if MARKER_KEY in there(stage).metadata else set()
            context = (number, when)
            assert killed, context
            assert len(marks) == 1, context
            reasons = {ready_of(stage, key)[0] for key in (KEY, OTHER)}
            assert reasons == {Reason.AVAILABLE, Reason.OWNERSHIP_CONFLICT}, context
            winner = KEY if is_marked(stage, UID) else OTHER
            assert ready_of(stage, winner)[0] == Reason.AVAILABLE, context


async def test_a_server_that_another_object_made_is_refused_by_name() -> None:
    stage = Stage()
    await stage.until_ready()
    second(stage, {"import": {"id": "server-1"}})
    await stage.reconciler.reconcile(OTHER)
    reason, message = ready_of(stage, OTHER)
    assert reason == Reason.OWNERSHIP_CONFLICT
    assert "EcsServer shop/web-0" in message
    stage.exactly_one()


# Mishaps


async def _reference(spec: Mapping[str, Any] | None = None) -> list[str]:
    stage = importing(spec)
    if spec:
        await approve(stage)
    await stage.until_ready()
    return stage.effects.log


@pytest.mark.parametrize("spec", [None, {"flavor": "s3.large.2", "tags": {"a": "1"}}], ids=["alike", "different"])
async def test_killed_around_every_effect_of_an_adoption(spec: dict[str, Any] | None) -> None:
    """The end is the same, and no server is made or lost on the way."""
    length = len(await _reference(spec))
    for number in range(1, length + 1):
        for when in WHENS:
            stage = importing(spec)
            stage.effects.plan("*", when, Crash(), nth=number)
            for _ in range(60):
                try:
                    if stage.reason == Reason.WAITING_FOR_APPROVAL:
                        stage.annotate(**{"approve-plan": stage.status["plan"]["hash"]})
                    outcome = await stage.once()
                except Crash:
                    stage.restart()
                    continue
                stage.cloud.settle()
                if stage.ready.get("status") == "True":
                    break
                stage.clock.advance(pause_of(outcome))
            context = (number, when)
            assert stage.ready.get("status") == "True", context
            assert is_marked(stage), context
            assert (stage.cloud.created(), len(stage.cloud.alive())) == ([], 1), context
            assert stage.effects.count("cloud.merge") <= 2, context
            if spec:
                assert (there(stage).flavor_id, there(stage).status, there(stage).tags) == ("s3.large.2", "ACTIVE", ("a=1", "owner=them"))
                assert len(stage.settings.resizes) == 1, context


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_mark_whose_answer_is_lost(when: When) -> None:
    stage = importing()
    stage.effects.plan("cloud.merge", when, lost("updateServerMetadata"))
    await stage.until_ready()
    assert is_marked(stage)
    assert stage.effects.count("cloud.merge") == (2 if when == "before" else 1)


async def test_a_mark_that_is_refused_leaves_nothing_open() -> None:
    stage = importing()
    error = refusal("updateServerMetadata", meaning=Meaning.QUOTA, outcome=Outcome.REFUSED, status=400, message="too many pairs")
    stage.effects.plan("cloud.merge", "before", error)
    await until_says(stage, Reason.QUOTA_EXCEEDED)
    assert "too many pairs" in stage.message
    assert stage.status["adoption"]["state"] == "Claimed"
    stage.delete()
    await stage.until_gone()
    assert stage.clock.monotonic() < SETTLE
    assert not is_marked(stage)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_deleted_while_the_mark_is_on_its_way_it_is_taken_off_again(when: When) -> None:
    """Whatever deletionPolicy says: the adoption was never finished."""
    stage = importing()
    stage.effects.plan("cloud.merge", when, lost("updateServerMetadata"))
    await stage.until(lambda: stage.effects.count("cloud.merge") == 1, passes=10)
    stage.delete()
    await stage.once()
    assert stage.obj.finalizers == (FINALIZER,), "a late mark would be left behind"
    stage.cloud.set(THERE, metadata={**FOREIGN, MARKER_KEY: marker()})
    await stage.until_gone()
    assert stage.clock.monotonic() >= SETTLE
    assert there(stage).metadata == FOREIGN
    assert stage.effects.count("cloud.delete") == 0
    assert any("stays as it is: its adoption was not finished" in message for _, _, message in stage.events.recorded)


async def test_another_mark_that_came_between_wins() -> None:
    """Another cluster was faster: nothing is overwritten and nothing more is changed."""
    stage = importing()
    rival = ClusterIdentity("prod", b"x" * 32).marker(Owner(uid="u", incarnation=1))
    stage.effects.plan("cloud.merge", "before", lost("updateServerMetadata"))
    await stage.until(lambda: stage.effects.count("cloud.merge") == 1, passes=10)
    stage.cloud.set(THERE, metadata={**FOREIGN, MARKER_KEY: rival})
    await until_says(stage, Reason.OWNERSHIP_CONFLICT)
    await passes(stage, 6)
    assert there(stage).metadata[MARKER_KEY] == rival
    assert stage.effects.count("cloud.merge") == 1


async def test_nothing_is_sent_without_the_lease_or_without_the_finalizer() -> None:
    stage = importing()
    stage.lease.left = 3.0
    await passes(stage, 6)
    assert untouched(stage)
    stage.lease.left = 25.0
    await stage.until_ready()


# The end


async def test_an_adopted_server_is_deleted_with_its_object_by_default() -> None:
    stage = importing()
    await stage.until_ready()
    stage.delete()
    await stage.until_gone()
    assert stage.cloud.alive() == []
    assert stage.clock.monotonic() < 60, "of a server that was adopted no create request can be late"


async def test_killed_around_every_effect_of_the_deletion_of_an_adopted_server() -> None:
    """There is no create record to go by: what the list shows since the deletion began is the proof."""
    reference = importing()
    await reference.until_ready()
    start = len(reference.effects.log)
    reference.delete()
    await reference.until_gone()
    for number in range(1, len(reference.effects.log) - start + 1):
        for when in WHENS:
            stage = importing()
            await stage.until_ready()
            neighbour = plant(stage, id="server-neighbour")
            stage.effects.plan("*", when, Crash(), nth=number)
            stage.delete()
            while KEY in stage.store.objects:
                try:
                    stage.clock.advance(pause_of(await stage.once()))
                    stage.cloud.settle()
                except Crash:
                    stage.restart()
            assert stage.cloud.alive() == [neighbour], (number, when)


async def test_a_server_that_is_not_adopted_yet_stays_when_its_object_goes() -> None:
    stage = importing({"flavor": "s3.large.2"})
    await until_says(stage, Reason.WAITING_FOR_APPROVAL)
    stage.delete()
    asked = stage.tenants.asked
    await stage.until_gone()
    assert stage.tenants.asked == asked, "no project is needed for that"
    assert untouched(stage)
    assert any(f"server {THERE} was not adopted, and stays as it is" in message for _, _, message in stage.events.recorded)


async def test_a_server_that_was_retained_is_adopted_by_another_object() -> None:
    stage = Stage(spec={**SPEC, "deletionPolicy": "Retain"})
    await stage.until_ready()
    stage.delete()
    await stage.until_gone()
    stage.put()
    second(stage, {"import": {"id": "server-1"}, "name": "web-0"})
    for _ in range(8):
        await stage.reconciler.reconcile(OTHER)
    assert ready_of(stage, OTHER)[0] == Reason.AVAILABLE, ready_of(stage, OTHER)
    (server,) = stage.cloud.alive()
    assert server.metadata[MARKER_KEY] == marker(OTHER_UID)
    assert len(stage.cloud.created()) == 1
