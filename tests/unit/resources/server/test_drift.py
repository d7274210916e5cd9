"""Somebody changes a server in the cloud: every field under both policies, through restarts, edits and crashes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Server
from ecs_operator.engine.conditions import find
from tests.unit.resources.server.effects import Crash, When
from tests.unit.resources.server.fake_cloud import DEBIAN, UBUNTU, refusal
from tests.unit.resources.server.rows import changes_since, converge, edit
from tests.unit.resources.server.stage import KEY, Stage, pause_of
from tests.unit.resources.server.test_changes import DEFAULT_GROUP, WEB_GROUP, server
from tests.unit.resources.server.test_stopped_changes import A, B, running

REPORT = {"driftPolicy": "Report"}
CORRECTED = "DriftCorrected"
OFF = {"status": "SHUTOFF", "vm_state": "stopped", "power_state": 4}
ON = {"status": "ACTIVE", "vm_state": "active", "power_state": 1}
HIDDEN, OTHER = "(the spec's value)", "(another value)"


def put(**changes: Any) -> Callable[[Stage], None]:
    """Somebody's hand on the server."""
    return lambda stage: stage.cloud.set(server(stage).id, **changes)


def pair(key: str, value: str | None) -> Callable[[Stage], None]:
    """Somebody's hand on one metadata pair."""

    def act(stage: Stage) -> None:
        rest = {each: text for each, text in server(stage).metadata.items() if each != key}
        stage.cloud.set(server(stage).id, metadata=rest if value is None else {**rest, key: value})

    return act


def recover(stage: Stage) -> None:
    stage.settings.recovery[server(stage).id] = False


def move(group: str | None) -> Callable[[Stage], None]:
    """Somebody's hand on the groups."""

    def act(stage: Stage) -> None:
        stage.cloud.set_hint(server(stage).id, group)

    return act


@dataclass(frozen=True)
class Row:
    """One field of a spec, what somebody makes of it in the cloud, and how that is shown and put right."""

    name: str
    spec: Mapping[str, Any]
    act: Callable[[Stage], None]
    path: str
    want: str
    have: str
    effects: tuple[str, ...]
    cost: str = "None"


GROUPS = {"securityGroupIds": [DEFAULT_GROUP]}
RUNNING, STOPPED = {"powerState": "Running"}, {"powerState": "Stopped"}
ROWS = [
    Row("name", {"name": "web"}, put(name="theirs"), "spec.name", "web", "theirs", ("update",)),
    Row("default name", {}, put(name="theirs"), "spec.name", "web-0", "theirs", ("update",)),
    Row("description", {"description": "a"}, put(description="b"), "spec.description", "a", "b", ("update",)),
    Row("description, none", {"description": "a"}, put(description=""), "spec.description", "a", "", ("update",)),
    Row("metadata, other", {"metadata": {"a": "1", "b": "2"}}, pair("a", "x"), "spec.metadata.a", HIDDEN, OTHER, ("merge",)),
    Row("metadata, less", {"metadata": {"a.b": "1"}}, pair("a.b", None), "spec.metadata.a.b", HIDDEN, "", ("merge",)),
    Row("tags, other", {"tags": {"a": "1", "b": "2"}}, put(tags=("a=x", "b=2")), "spec.tags.a", "a=1", "a=x", ("add_tags",)),
    Row("tags, less", {"tags": {"a": "1"}}, put(tags=()), "spec.tags.a", "a=1", "", ("add_tags",)),
    Row(
        "security groups, other",
        GROUPS,
        put(security_groups=(f"name of {WEB_GROUP}",)),
        "spec.securityGroupIds",
        DEFAULT_GROUP,
        WEB_GROUP,
        ("add_group", "remove_group"),
    ),
    Row(
        "security groups, more",
        GROUPS,
        put(security_groups=(f"name of {DEFAULT_GROUP}", f"name of {WEB_GROUP}")),
        "spec.securityGroupIds",
        DEFAULT_GROUP,
        f"{DEFAULT_GROUP}, {WEB_GROUP}",
        ("remove_group",),
    ),
    Row("automatic recovery", {"autoRecovery": True}, recover, "spec.autoRecovery", "true", "false", ("set_recovery",)),
    Row("unlocked", {"locked": True}, put(locked=False), "spec.locked", "true", "false", ("lock",)),
    Row("locked", {"locked": False}, put(locked=True), "spec.locked", "false", "true", ("unlock",)),
    Row("stopped", RUNNING, put(**OFF), "spec.powerState", "Running", "Stopped", ("start",)),
    Row("started", STOPPED, put(**ON), "spec.powerState", "Stopped", "Running", ("stop.soft",)),
    Row("flavor", {}, put(flavor_id="s3.large.2"), "spec.flavor", "s3.small.1", "s3.large.2", ("stop.soft", "resize", "start"), "Restart"),
    Row(
        "flavor of a stopped server",
        STOPPED,
        put(flavor_id="s3.large.2"),
        "spec.flavor",
        "s3.small.1",
        "s3.large.2",
        ("resize",),
        "Restart",
    ),
    Row(
        "image",
        {"keyPairName": "ops"},
        put(image_id=DEBIAN.id),
        "spec.image",
        UBUNTU.id,
        DEBIAN.id,
        ("stop.soft", "install", "start"),
        "Reinstall",
    ),
    Row("out of its group", {"serverGroupId": A}, move(None), "spec.serverGroupId", A, "", ("stop.soft", "join_group", "start"), "Restart"),
    Row(
        "in another group",
        {"serverGroupRef": {"name": "a"}},
        move(B),
        "spec.serverGroupRef",
        "a",
        B,
        ("stop.soft", "leave_group", "join_group", "start"),
        "Restart",
    ),
]
FREE = [row for row in ROWS if row.cost == "None"]
DEAR = [row for row in ROWS if row.cost != "None"]


def each(rows: list[Row]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


def drift(stage: Stage) -> list[tuple[str, str, str]]:
    return [(entry["path"], entry["want"], entry["have"]) for entry in stage.status.get("drift", ())]


def told(stage: Stage, reason: str) -> list[str]:
    return [text for _, each, text in stage.events.recorded if each == reason]


def fields(alive: Server) -> dict[str, Any]:
    names = ("name", "description", "metadata", "tags", "security_groups", "locked", "status", "flavor_id", "image_id")
    return {name: getattr(alive, name) for name in names}


async def seen(stage: Stage) -> None:
    """Until somebody's change is in the status."""
    await stage.until(lambda: bool(drift(stage)))


async def well(stage: Stage) -> None:
    await stage.until(lambda: stage.ready.get("status") == "True" and not drift(stage))


async def passes(stage: Stage, number: int) -> None:
    for _ in range(number):
        stage.clock.advance(pause_of(await stage.once()))


# --- Each field


@each(ROWS)
async def test_it_is_shown_once_with_its_time_and_told_once(row: Row) -> None:
    stage = await running(**{**row.spec, **REPORT})
    assert told(stage, "DriftDetected") == []
    row.act(stage)
    await seen(stage)
    assert drift(stage) == [(row.path, row.want, row.have)]
    condition = find(stage.status["conditions"], "DriftDetected")
    assert condition is not None
    assert (condition["status"], condition["reason"], row.path in condition["message"]) == ("True", "Drifted", True)
    assert len(told(stage, "DriftDetected")) == 1
    assert row.path in told(stage, "DriftDetected")[0]
    label = ".".join(row.path.split(".")[:2])
    assert dict(stage.reconciler.drift.detected) == dict(stage.reconciler.drift.current()) == {("ecsservers", label): 1}


@each(ROWS)
async def test_reported_drift_stands_as_it_is_and_nothing_is_written_or_read_for_it(row: Row) -> None:
    stage = await running(**{**row.spec, **REPORT})
    row.act(stage)
    await seen(stage)
    await passes(stage, 2)
    assert (stage.ready["status"], stage.reason, stage.types()) == ("False", Reason.DRIFTED, {"Ready", "DriftDetected"})
    assert row.path in stage.message
    since, writes, position = stage.status["drift"][0]["since"], stage.store.status_writes, len(stage.effects.log)
    for _ in range(3):
        await passes(stage, 10)
        stage.restart()
    await passes(stage, 1)
    assert stage.store.status_writes == writes
    assert changes_since(stage, position) == ()
    assert stage.effects.log[position:].count("cloud.get") == 0
    assert stage.status["drift"][0]["since"] == since
    assert len(told(stage, "DriftDetected")) == 1


@each(ROWS)
async def test_what_others_undo_is_drift_no_more(row: Row) -> None:
    stage = await running(**{**row.spec, **REPORT})
    before = fields(server(stage))
    group, recovery = stage.systems.group_of(server(stage).id), dict(stage.settings.recovery)
    row.act(stage)
    await seen(stage)
    stage.cloud.set(server(stage).id, **before)
    stage.cloud.set_hint(server(stage).id, group)
    stage.settings.recovery.update(recovery)
    await well(stage)
    assert stage.types() == {"Ready"}
    assert told(stage, CORRECTED) == [], "nobody corrected it here"
    assert not stage.reconciler.drift.current()


@each(FREE)
async def test_what_costs_nothing_is_corrected_at_once(row: Row) -> None:
    stage = await running(**row.spec)
    before, position = fields(server(stage)), len(stage.effects.log)
    row.act(stage)
    await seen(stage)
    assert drift(stage) == [(row.path, row.want, row.have)]
    await well(stage)
    assert fields(server(stage)) == before
    assert changes_since(stage, position) == row.effects
    assert (len(told(stage, "DriftDetected")), len(told(stage, CORRECTED))) == (1, 1)
    assert told(stage, CORRECTED)[0].startswith(f"{row.path}: {row.want} again")
    assert dict(stage.reconciler.drift.corrected) == {("ecsservers", ".".join(row.path.split(".")[:2])): 1}
    writes = stage.store.status_writes
    await passes(stage, 4)
    assert stage.store.status_writes == writes


@each(DEAR)
async def test_what_costs_more_is_planned_and_shown_until_it_is_approved(row: Row) -> None:
    stage = await running(**row.spec)
    position = len(stage.effects.log)
    row.act(stage)
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    plan = stage.status["plan"]
    assert [(each["path"], each["cost"]) for each in plan["changes"]] == [(row.path, row.cost)]
    assert drift(stage) == [(row.path, row.want, row.have)]
    assert {"ApprovalRequired", "DriftDetected"} < stage.types()
    since, writes = stage.status["drift"][0]["since"], stage.store.status_writes
    await passes(stage, 5)
    assert stage.store.status_writes == writes
    assert changes_since(stage, position) == ()
    stage.annotate(**{"approve-plan": plan["hash"]})
    await stage.until(lambda: "change" in stage.status)
    await passes(stage, 2)
    assert stage.status["drift"][0]["since"] == since, "it stands until it is done"
    await well(stage)
    assert changes_since(stage, position) == row.effects
    assert len(told(stage, CORRECTED)) == len(told(stage, "DriftDetected")) == 1


@each(ROWS)
async def test_the_operator_is_killed_around_every_effect_of_a_correction(row: Row) -> None:
    spec = {**row.spec, "disruption": {"allow": "Reinstall"}}

    async def corrected(stage: Stage) -> None:
        await stage.until(lambda: bool(drift(stage)) or _is_right(stage))
        await well(stage)

    def _is_right(stage: Stage) -> bool:
        return len(stage.effects.log) > start and bool(changes_since(stage, start))

    reference = await running(**spec)
    await passes(reference, 1)
    start = len(reference.effects.log)
    row.act(reference)
    await seen(reference)
    await well(reference)
    wanted = fields(server(reference))
    first = next(number for number, name in enumerate(reference.effects.log[start:]) if name == "kube.status")
    moments: tuple[When, ...] = ("before", "after")
    for when in moments:
        for number in range(first + 1, len(reference.effects.log) - start + 1):
            stage = await running(**spec)
            await passes(stage, 1)
            row.act(stage)
            mishap = stage.effects.plan("*", when, Crash(), nth=number)
            with pytest.raises(Crash):
                await corrected(stage)
            assert mishap.hits == 1
            stage.restart()
            await passes(stage, 1)
            await well(stage)
            assert fields(server(stage)) == wanted, f"{when} effect {number}"
            assert len(stage.systems.installed) <= 1
            assert "change" not in stage.status
            stage.exactly_one()


# --- Drift and edits


async def test_an_edit_is_carried_out_and_is_no_drift() -> None:
    edits: dict[str, Any] = {
        "name": "b",
        "description": "b",
        "metadata": {"a": "2"},
        "tags": {"a": "2"},
        "securityGroupIds": [WEB_GROUP],
        "autoRecovery": True,
        "locked": True,
        "powerState": "Stopped",
        "flavor": "s3.large.2",
        "image": {"id": DEBIAN.id},
        "serverGroupId": A,
        "disruption": {"allow": "Reinstall"},
    }
    first = {"name": "a", "description": "a", "metadata": {"a": "1"}, "tags": {"a": "1"}, **GROUPS, "powerState": "Running", **REPORT}
    stage = await running(keyPairName="ops", **first)
    edit(stage, **edits)
    for back in (False, True):
        if back:
            edit(stage, **{**dict.fromkeys(edits), **first, "flavor": "s3.small.1", "image": {"id": UBUNTU.id}, "locked": False})
            edit(stage, disruption={"allow": "Reinstall"})
        await converge(stage)
        assert told(stage, "DriftDetected") == []
        assert "drift" not in stage.status
    assert (server(stage).name, server(stage).flavor_id, server(stage).status) == ("a", "s3.small.1", "ACTIVE")


async def test_an_edit_and_drift_at_once_are_told_apart() -> None:
    stage = await running(metadata={"a": "1", "b": "1"}, tags={"a": "1", "b": "1"}, description="old", **REPORT)
    edit(stage, metadata={"a": "2", "b": "1", "c": "1"}, tags={"a": "1", "b": "2"}, description="new")
    alive = server(stage)
    stage.cloud.set(alive.id, metadata={**alive.metadata, "b": "x"}, tags=("a=x", "b=1"))
    await seen(stage)
    await stage.until(lambda: stage.reason == Reason.DRIFTED)
    assert drift(stage) == [("spec.metadata.b", HIDDEN, OTHER), ("spec.tags.a", "a=1", "a=x")]
    alive = server(stage)
    assert {key: alive.metadata.get(key) for key in "abc"} == {"a": "2", "b": "x", "c": "1"}
    assert (set(alive.tags), alive.description) == ({"a=x", "b=2"}, "new")


async def test_an_edit_of_the_field_that_drifted_is_carried_out() -> None:
    stage = await running(name="a", **REPORT)
    put(name="theirs")(stage)
    await seen(stage)
    edit(stage, name="b")
    await converge(stage)
    assert (server(stage).name, "drift" in stage.status) == ("b", False)
    assert told(stage, CORRECTED) == []


async def test_a_spec_that_takes_over_what_others_did_ends_the_drift() -> None:
    for policy in ("Report", "Correct"):
        stage = await running(flavor="s3.small.1", driftPolicy=policy)
        put(flavor_id="s3.large.2")(stage)
        await seen(stage)
        position = len(stage.effects.log)
        edit(stage, flavor="s3.large.2")
        await converge(stage)
        assert "drift" not in stage.status
        assert changes_since(stage, position) == ()
        assert told(stage, CORRECTED) == []


async def test_there_and_back_before_it_was_done_is_no_drift() -> None:
    """A -> B -> A while B waits for consent; then the cloud changes, and that is not known any more to be drift: it is put right."""
    stage = await running(**REPORT)
    edit(stage, flavor="s3.large.2")
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    edit(stage, flavor="s3.small.1")
    await converge(stage)
    assert told(stage, "DriftDetected") == []
    put(flavor_id="s3.large.2")(stage)
    await seen(stage)
    assert [path for path, _, _ in drift(stage)] == ["spec.flavor"]


@pytest.mark.parametrize("after", [1, 2, 3, 4, 5, 6, 8, 10])
async def test_there_and_back_while_the_operator_is_at_work_is_no_drift(after: int) -> None:
    """A -> B, some passes, -> A: whatever was sent of B is ours, and is taken back."""
    spec = {"powerState": "Running", "name": "a", "keyPairName": "ops", "serverGroupId": A, "disruption": {"allow": "Reinstall"}}
    stage = await running(**spec, **REPORT)
    tried: list[dict[str, Any]] = [
        {"powerState": "Stopped"},
        {"flavor": "s3.large.2"},
        {"name": "b"},
        {"image": {"id": DEBIAN.id}},
        {"serverGroupId": B},
    ]
    for edits in tried:
        before = {field: stage.obj.spec.get(field) for field in edits}
        edit(stage, **edits)
        await passes(stage, after)
        edit(stage, **before)
        await converge(stage)
        await passes(stage, 2)
        assert told(stage, "DriftDetected") == [], edits
        alive = server(stage)
        assert (alive.status, alive.flavor_id, alive.name, alive.image_id) == ("ACTIVE", "s3.small.1", "a", UBUNTU.id)
        assert stage.systems.group_of(alive.id) == A


@pytest.mark.parametrize(
    ("edits", "call"),
    [
        ({"flavor": "s3.large.2"}, "cloud.resize"),
        ({"image": {"id": DEBIAN.id}}, "cloud.install"),
        ({"powerState": "Stopped"}, "cloud.stop.soft"),
    ],
)
async def test_what_was_sent_and_does_not_show_yet_is_no_drift_when_it_does(edits: dict[str, Any], call: str) -> None:
    """A -> B, the call is sent and no task shows it yet, -> A: the server looks as wanted, until the call has its effect."""
    spec = {"powerState": "Running", "keyPairName": "ops", "disruption": {"allow": "Reinstall"}}
    stage = await running(**spec, **REPORT)
    before = {field: stage.obj.spec[field] for field in edits}
    edit(stage, **edits)
    await stage.until(lambda: call in stage.effects.log)
    put(task_state="")(stage)
    edit(stage, **before)
    await passes(stage, 2)
    await converge(stage)
    await passes(stage, 2)
    assert told(stage, "DriftDetected") == []
    alive = server(stage)
    assert (alive.status, alive.flavor_id, alive.image_id) == ("ACTIVE", "s3.small.1", UBUNTU.id)


async def test_the_operator_was_away_while_both_sides_changed() -> None:
    stage = await running(name="a", tags={"a": "1"}, **REPORT)
    stage.restart()
    put(name="theirs", tags=("a=x",))(stage)
    edit(stage, name="b")
    await seen(stage)
    await stage.until(lambda: stage.reason == Reason.DRIFTED)
    assert (server(stage).name, drift(stage)) == ("b", [("spec.tags.a", "a=1", "a=x")])


async def test_a_field_that_the_spec_never_had_before_is_no_drift() -> None:
    stage = await running(**REPORT)
    put(tags=("a=x",), description="theirs", locked=True)(stage)
    await passes(stage, 2)
    assert "drift" not in stage.status
    edit(stage, tags={"a": "1"}, description="ours", locked=False)
    await converge(stage)
    assert (server(stage).tags, server(stage).description, server(stage).locked) == (("a=1",), "ours", False)
    assert told(stage, "DriftDetected") == []


async def test_another_difference_of_the_same_field_is_told_again_and_its_time_stays() -> None:
    stage = await running(name="a", **REPORT)
    put(name="b")(stage)
    await seen(stage)
    since = stage.status["drift"][0]["since"]
    put(name="c")(stage)
    await stage.until(lambda: drift(stage) == [("spec.name", "a", "c")])
    assert stage.status["drift"][0]["since"] == since
    assert len(told(stage, "DriftDetected")) == 2


async def test_what_only_a_list_shows_is_not_said() -> None:
    """Before anything is said of others the server itself is asked, once, and not again while nothing changes."""
    stage = await running(name="a", **REPORT)
    put(name="theirs")(stage)
    gets = stage.effects.count("cloud.get")
    stage.effects.hooks["cloud.get"] = lambda: put(name="a")(stage)
    await passes(stage, 2)
    assert stage.effects.count("cloud.get") == gets + 1
    assert (stage.reason, "drift" in stage.status, told(stage, "DriftDetected")) == (Reason.AVAILABLE, False, [])
    put(name="theirs")(stage)
    await seen(stage)
    await passes(stage, 5)
    assert stage.effects.count("cloud.get") == gets + 2


# --- What the operator does itself, and power


async def test_a_restart_and_a_change_of_ours_are_no_drift_of_the_power() -> None:
    stage = await running(powerState="Running", locked=True, disruption={"allow": "Restart"}, **REPORT)
    stage.annotate(**{"restart-requested-at": "1"})
    await stage.until(lambda: stage.status.get("lastHandledRestartAt") == "1" and stage.ready["status"] == "True")
    edit(stage, flavor="s3.large.2")
    await converge(stage)
    assert (server(stage).locked, server(stage).status) == (True, "ACTIVE")
    assert told(stage, "DriftDetected") == []
    put(**OFF)(stage)
    await seen(stage)
    assert drift(stage) == [("spec.powerState", "Running", "Stopped")], "and it is watched again"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_killed_in_the_middle_of_a_change_the_server_is_brought_back_under_report_too(when: When) -> None:
    spec = {"powerState": "Running", "locked": True, "disruption": {"allow": "Restart"}, **REPORT}
    reference = await running(**spec)
    start = len(reference.effects.log)
    edit(reference, flavor="s3.large.2")
    await converge(reference)
    for number in range(1, len(reference.effects.log) - start + 1):
        stage = await running(**spec)
        stage.effects.plan("*", when, Crash(), nth=number)
        edit(stage, flavor="s3.large.2")
        with pytest.raises(Crash):
            await converge(stage)
        stage.restart()
        await converge(stage)
        assert (server(stage).flavor_id, server(stage).locked, server(stage).status) == ("s3.large.2", True, "ACTIVE"), number
        assert told(stage, "DriftDetected") == []


async def test_a_stopped_server_stays_stopped_under_report_until_the_policy_says_otherwise() -> None:
    stage = await running(powerState="Running", **REPORT)
    put(**OFF)(stage)
    await seen(stage)
    edit(stage, description="edited meanwhile")
    await stage.until(lambda: server(stage).description == "edited meanwhile" and stage.reason == Reason.DRIFTED)
    assert server(stage).status == "SHUTOFF"
    stage.annotate(**{"reconcile-requested-at": "now"})
    await passes(stage, 2)
    assert server(stage).status == "SHUTOFF"
    edit(stage, driftPolicy="Correct")
    await well(stage)
    assert server(stage).status == "ACTIVE"
    assert len(told(stage, CORRECTED)) == 1


async def test_a_change_under_report_brings_a_drifted_power_state_back_as_it_was() -> None:
    stage = await running(powerState="Running", disruption={"allow": "Restart"}, **REPORT)
    put(**OFF)(stage)
    await seen(stage)
    since = stage.status["drift"][0]["since"]
    edit(stage, flavor="s3.large.2")
    await stage.until(lambda: server(stage).flavor_id == "s3.large.2" and "change" not in stage.status)
    assert server(stage).status == "SHUTOFF"
    await passes(stage, 2)
    assert server(stage).status == "SHUTOFF"
    assert stage.status["drift"][0]["since"] == since


async def test_without_a_power_state_in_the_spec_a_stopped_server_is_no_drift() -> None:
    stage = await running()
    put(**OFF)(stage)
    await passes(stage, 2)
    assert (stage.reason, "drift" in stage.status) == (Reason.AVAILABLE, False)


# --- States in which nothing can be told


async def test_what_was_known_stands_while_a_task_runs_or_the_server_is_in_error() -> None:
    stage = await running(name="a", **REPORT)
    put(name="theirs")(stage)
    await seen(stage)
    since = stage.status["drift"][0]["since"]
    for state in ({"task_state": "rebooting"}, {"task_state": "", "status": "ERROR", "vm_state": "error"}):
        put(**state)(stage)
        await passes(stage, 3)
        assert stage.status["drift"][0]["since"] == since
        assert "DriftDetected" in stage.types()
    put(name="a", **ON)(stage)
    await well(stage)


async def test_of_a_server_that_is_gone_nothing_is_said() -> None:
    stage = await running(name="a", **REPORT)
    put(name="theirs")(stage)
    await seen(stage)
    stage.cloud.vanish(server(stage).id)
    await stage.until(lambda: stage.reason == Reason.DELETED_EXTERNALLY)
    assert "drift" not in stage.status
    assert "DriftDetected" not in stage.types()


async def test_on_an_endpoint_that_does_not_show_them_tags_lock_and_description_do_not_drift() -> None:
    stage = await running(tags={"a": "1"}, locked=True, description="a", **REPORT)
    put(is_detailed=False, tags=(), locked=False, description="")(stage)
    await passes(stage, 3)
    assert (stage.reason, "drift" in stage.status) == (Reason.AVAILABLE, False)
    put(is_detailed=True)(stage)
    await seen(stage)
    assert [path for path, _, _ in drift(stage)] == ["spec.description", "spec.locked", "spec.tags.a"]


async def test_a_refused_correction_is_tried_again_and_stays_shown() -> None:
    stage = await running(name="a")
    stage.settings.refused["update"] = refusal("updateServer", status=403)
    put(name="theirs")(stage)
    await seen(stage)
    since = stage.status["drift"][0]["since"]
    await passes(stage, 4)
    assert (stage.ready["status"], stage.status["drift"][0]["since"]) == ("False", since)
    del stage.settings.refused["update"]
    await well(stage)
    assert server(stage).name == "a"
    assert len(told(stage, "DriftDetected")) == len(told(stage, CORRECTED)) == 1


async def test_no_value_of_metadata_is_shown_anywhere() -> None:
    stage = await running(metadata={"a": "first-secret"}, **REPORT)
    pair("a", "second-secret")(stage)
    await seen(stage)
    everything = f"{stage.status} {stage.events.recorded}"
    assert "first-secret" not in everything
    assert "second-secret" not in everything


async def test_an_object_that_is_gone_is_not_counted() -> None:
    stage = await running(name="a", **REPORT)
    put(name="theirs")(stage)
    await seen(stage)
    stage.restart()
    await stage.once()
    assert dict(stage.reconciler.drift.current()) == {("ecsservers", "spec.name"): 1}, "a new process knows what stands"
    assert not stage.reconciler.drift.detected
    stage.delete()
    await stage.until_gone()
    await stage.once()
    assert not stage.reconciler.drift.current()
    assert KEY not in stage.store.objects
