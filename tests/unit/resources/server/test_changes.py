"""Edits of a server that is there: what costs nothing is done at once, a restart waits for consent, and all of it survives crashes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Meaning, Outcome, Server
from ecs_operator.engine.conditions import find
from tests.unit.resources.server.fake_cloud import lost, refusal
from tests.unit.resources.server.rows import back, changes_since, converge, edit, killed_around_every_effect, there
from tests.unit.resources.server.stage import SPEC, Stage, pause_of

DEFAULT_GROUP, WEB_GROUP = "507ca48f-814c-4293-8706-300564d54620", "e5a1b7f0-8a3b-4a2c-9d35-6b1f0c2d4e77"
BIG = {"flavor": "s3.large.2"}
ALLOWED = {"disruption": {"allow": "Restart"}}


async def running(**changes: Any) -> Stage:
    stage = Stage(spec={**SPEC, **changes})
    await stage.until_ready()
    return stage


def server(stage: Stage) -> Server:
    (alive,) = stage.cloud.alive()
    return alive


def shown(stage: Stage) -> dict[str, Any]:
    """What a user could tell two states of the server apart by."""
    alive = server(stage)
    return {
        "name": alive.name,
        "description": alive.description,
        "metadata": {key: value for key, value in alive.metadata.items() if not key.startswith("ecs-operator.")},
        "tags": alive.tags,
        "groups": sorted(stage.settings.groups_of(alive.id)),
        "recovery": stage.settings.recovery.get(alive.id, False),
        "locked": alive.locked,
        "flavor": alive.flavor_id,
        "status": alive.status,
    }


@dataclass(frozen=True)
class Row:
    """One row of the cost table: from one spec to another."""

    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    effects: tuple[str, ...]
    check: Callable[[dict[str, Any]], bool]


ROWS = [
    Row("name", {"name": "a"}, {"name": "b"}, ("update",), lambda s: s["name"] == "b"),
    Row("description", {"description": "old"}, {"description": "new"}, ("update",), lambda s: s["description"] == "new"),
    Row("metadata, more", {"metadata": {"a": "1"}}, {"metadata": {"a": "1", "b": "2"}}, ("merge",), lambda s: s["metadata"]["b"] == "2"),
    Row("metadata, other", {"metadata": {"a": "1"}}, {"metadata": {"a": "2"}}, ("merge",), lambda s: s["metadata"]["a"] == "2"),
    Row("metadata, less", {"metadata": {"a": "1"}}, {"metadata": {}}, ("remove_marker",), lambda s: "a" not in s["metadata"]),
    Row(
        "metadata of a locked server",
        {"locked": True, "metadata": {"a": "1"}},
        {"locked": True, "metadata": {"b": "2"}},
        ("unlock", "merge", "remove_marker", "lock"),
        lambda s: (s["metadata"], s["locked"]) == ({"b": "2"}, True),
    ),
    Row(
        "metadata of a server that is no longer to be locked",
        {"locked": True, "metadata": {"a": "1"}},
        {"locked": False, "metadata": {"a": "2"}},
        ("unlock", "merge"),
        lambda s: (s["metadata"], s["locked"]) == ({"a": "2"}, False),
    ),
    Row("tags, more", {"tags": {"a": "1"}}, {"tags": {"a": "1", "b": "2"}}, ("add_tags",), lambda s: s["tags"] == ("a=1", "b=2")),
    Row("tags, without a value", {"tags": {"a": "1"}}, {"tags": {"a": ""}}, ("add_tags",), lambda s: s["tags"] == ("a",)),
    Row("tags, less of those", {"tags": {"a": "", "b": ""}}, {"tags": {"b": ""}}, ("remove_tags",), lambda s: s["tags"] == ("b",)),
    Row("tags, other", {"tags": {"a": "1"}}, {"tags": {"a": "2"}}, ("add_tags",), lambda s: s["tags"] == ("a=2",)),
    Row("tags, less", {"tags": {"a": "1", "b": "2"}}, {"tags": {"b": "2"}}, ("remove_tags",), lambda s: s["tags"] == ("b=2",)),
    Row(
        "security groups",
        {"securityGroupIds": [DEFAULT_GROUP]},
        {"securityGroupIds": [WEB_GROUP]},
        ("add_group", "remove_group"),
        lambda s: s["groups"] == [WEB_GROUP],
    ),
    Row("automatic recovery", {"autoRecovery": False}, {"autoRecovery": True}, ("set_recovery",), lambda s: s["recovery"] is True),
    Row("lock", {"locked": False}, {"locked": True}, ("lock",), lambda s: s["locked"] is True),
    Row("unlock", {"locked": True}, {"locked": False}, ("unlock",), lambda s: s["locked"] is False),
    Row(
        "flavor of a running server",
        ALLOWED,
        {**ALLOWED, **BIG},
        ("stop.soft", "resize", "start"),
        lambda s: (s["flavor"], s["status"]) == ("s3.large.2", "ACTIVE"),
    ),
    Row(
        "flavor of a stopped server",
        {**ALLOWED, "powerState": "Stopped"},
        {**ALLOWED, "powerState": "Stopped", **BIG},
        ("resize",),
        lambda s: (s["flavor"], s["status"]) == ("s3.large.2", "SHUTOFF"),
    ),
    Row(
        "flavor of a locked server",
        {**ALLOWED, "locked": True},
        {**ALLOWED, "locked": True, **BIG},
        ("unlock", "stop.soft", "resize", "start", "lock"),
        lambda s: (s["flavor"], s["status"], s["locked"]) == ("s3.large.2", "ACTIVE", True),
    ),
]
ROW_IDS = [row.name for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_a_change_there_and_back(row: Row) -> None:
    before = shown(await running(**row.before))
    stage = await there(lambda: running(**row.before), row.after, row.effects)
    assert row.check(shown(stage)), shown(stage)
    await back(stage, row.before)
    if "description" not in row.after:
        assert shown(stage) == before
    assert "change" not in stage.status
    assert "plan" not in stage.status


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_the_operator_is_killed_around_every_effect_of_a_change(row: Row) -> None:
    def check(stage: Stage, _: Stage, __: int) -> None:
        assert len(stage.settings.resizes) <= 1, "never resized twice"
        assert "change" not in stage.status
        stage.exactly_one()

    await killed_around_every_effect(lambda: running(**row.before), row.after, shown=shown, check=check)


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_in_steady_state_a_changed_server_is_left_alone(row: Row) -> None:
    stage = await running(**row.after)
    writes, position = stage.store.status_writes, len(stage.effects.log)
    for _ in range(4):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.store.status_writes == writes
    assert changes_since(stage, position) == ()


async def test_what_others_set_stays() -> None:
    stage = await running(metadata={"a": "1"}, tags={"a": "1"})
    alive = server(stage)
    stage.cloud.set(alive.id, metadata={**alive.metadata, "theirs": "x"}, tags=(*alive.tags, "theirs=x", "plain"))
    edit(stage, metadata={}, tags={"b": "2"})
    await converge(stage)
    assert server(stage).metadata["theirs"] == "x"
    assert set(server(stage).tags) >= {"b=2", "theirs=x"}
    assert "a" not in server(stage).metadata
    assert "a=1" not in server(stage).tags


async def test_drift_of_what_costs_nothing_is_corrected() -> None:
    stage = await running(name="web", metadata={"a": "1"}, tags={"a": "1"}, locked=True)
    alive = server(stage)
    stage.cloud.set(alive.id, name="theirs", metadata={**alive.metadata, "a": "2"}, tags=(), locked=False)
    stage.clock.advance(400)
    await stage.until(lambda: (server(stage).name, server(stage).locked) == ("web", True))
    assert (server(stage).metadata["a"], server(stage).tags) == ("1", ("a=1",))


async def test_a_dear_change_waits_and_cheap_ones_of_the_same_edit_do_not() -> None:
    stage = await running(description="old")
    edit(stage, description="new", **BIG)
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    assert (server(stage).description, server(stage).flavor_id, server(stage).status) == ("new", "s3.small.1", "ACTIVE")
    plan = stage.status["plan"]
    assert plan["cost"] == "Restart"
    assert plan["changes"] == [{"path": "spec.flavor", "from": "s3.small.1", "to": "s3.large.2", "cost": "Restart"}]
    required = find(stage.status["conditions"], "ApprovalRequired")
    assert required is not None
    assert (required["status"], plan["hash"] in required["message"]) == ("True", True)
    assert stage.types() == {"ApprovalRequired", "Ready"}
    assert stage.effects.count("cloud.stop.soft") == 0


@pytest.mark.parametrize("how", ["annotation", "allowance"])
async def test_consent_lets_it_go_ahead(how: str) -> None:
    stage = await running()
    edit(stage, **BIG)
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    if how == "annotation":
        stage.annotate(**{"approve-plan": stage.status["plan"]["hash"]})
    else:
        edit(stage, **ALLOWED)
    await converge(stage)
    assert (server(stage).flavor_id, server(stage).status) == ("s3.large.2", "ACTIVE")
    assert "plan" not in stage.status
    assert stage.types() == {"Ready"}


async def test_the_approval_of_another_plan_approves_nothing() -> None:
    stage = await running()
    edit(stage, **BIG)
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    stage.annotate(**{"approve-plan": stage.status["plan"]["hash"]})
    edit(stage, flavor="s3.xlarge.2")
    await stage.until(lambda: stage.status.get("plan", {}).get("changes", [{}])[0].get("to") == "s3.xlarge.2")
    for _ in range(5):
        stage.clock.advance(pause_of(await stage.once()))
    assert server(stage).flavor_id == "s3.small.1"
    assert stage.effects.count("cloud.stop.soft") == 0


async def test_a_flavor_that_cannot_be_had_stops_nothing() -> None:
    stage = await running(**ALLOWED)
    for flavor, reason in (("s3.none.9", Reason.INVALID_CONFIGURATION), ("s3.rare.2", Reason.CAPACITY_EXHAUSTED)):
        edit(stage, flavor=flavor)
        await stage.until(lambda reason=reason: stage.reason == reason)
        assert flavor in stage.message
    assert stage.effects.count("cloud.stop.soft") == 0
    edit(stage, flavor="s3.small.1")
    await converge(stage)


async def test_an_edit_taken_back_while_the_server_stops_starts_it_again() -> None:
    stage = await running(**ALLOWED)
    edit(stage, **BIG)
    await stage.until(lambda: server(stage).status == "SHUTOFF" or server(stage).task_state == "powering-off")
    edit(stage, flavor="s3.small.1")
    await converge(stage)
    assert (server(stage).flavor_id, server(stage).status) == ("s3.small.1", "ACTIVE")
    assert stage.settings.resizes == []


async def test_a_job_that_fails_for_good_brings_the_server_back_and_says_why() -> None:
    stage = await running(**ALLOWED)
    stage.settings.next_resize_failure = ("Ecs.0319", "no capacity")
    edit(stage, **BIG)
    await stage.until(lambda: "Stalled" in stage.types())
    assert stage.reason == Reason.OPERATION_FAILED
    assert "no capacity" in stage.message
    assert (server(stage).flavor_id, server(stage).status) == ("s3.small.1", "ACTIVE")
    for _ in range(5):
        stage.clock.advance(pause_of(await stage.once()))
    assert len(stage.settings.resizes) == 1, "not tried again by itself"
    stage.annotate(**{"reconcile-requested-at": "now"})
    await converge(stage)
    assert server(stage).flavor_id == "s3.large.2"


async def test_a_job_that_fails_in_passing_is_tried_again() -> None:
    stage = await running(**ALLOWED)
    stage.settings.next_resize_failure = ("Ecs.9999", "nobody knows")
    edit(stage, **BIG)
    await converge(stage)
    assert (server(stage).flavor_id, len(stage.settings.resizes)) == ("s3.large.2", 2)
    assert stage.effects.count("cloud.stop.soft") == 1


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_resize_whose_answer_is_lost(when: str) -> None:
    stage = await running(**ALLOWED)
    stage.effects.plan("cloud.resize", when, lost("resizeServer"))  # type: ignore[arg-type]
    edit(stage, **BIG)
    await converge(stage)
    assert (server(stage).flavor_id, server(stage).status, len(stage.settings.resizes)) == ("s3.large.2", "ACTIVE", 1)


async def test_an_edit_that_is_refused_does_not_hold_up_the_others() -> None:
    stage = await running(tags={"a": "1"}, locked=False)
    stage.settings.refused["add_tags"] = refusal(
        "addServerTags", meaning=Meaning.INVALID, outcome=Outcome.REFUSED, status=400, message="bad tag"
    )
    edit(stage, tags={"a": "2"}, description="new", locked=True)
    await stage.until(lambda: server(stage).locked)
    assert server(stage).description == "new"
    await stage.until(lambda: stage.reason == Reason.REJECTED)
    assert "bad tag" in stage.message
    stage.settings.refused.clear()
    await converge(stage)
    assert server(stage).tags == ("a=2",)


async def test_a_restart_asked_for_during_a_resize_comes_after_it() -> None:
    stage = await running(**ALLOWED)
    edit(stage, **BIG)
    await stage.until(lambda: server(stage).status == "SHUTOFF")
    stage.annotate(**{"restart-requested-at": "now"})
    await stage.until(lambda: stage.status.get("lastHandledRestartAt") == "now")
    await converge(stage)
    assert server(stage).flavor_id == "s3.large.2"
    assert stage.effects.count("cloud.reboot") == 1


async def test_metadata_removed_while_the_server_is_built_goes_too() -> None:
    stage = Stage(spec={**SPEC, "metadata": {"a": "1"}})
    await stage.until(lambda: bool(stage.cloud.alive()))
    edit(stage, metadata={"b": "2"})
    await converge(stage)
    metadata = server(stage).metadata
    assert ("a" in metadata, metadata.get("b")) == (False, "2")


@pytest.mark.parametrize(
    "changes", [{"metadata": {"a": "2"}}, {"metadata": {}}, {**ALLOWED, **BIG}], ids=["metadata", "metadata, less", "flavor"]
)
async def test_a_lock_that_others_made_holds_up_what_it_refuses(changes: dict[str, Any]) -> None:
    stage = await running(metadata={"a": "1"}, tags={"a": "1"})
    stage.cloud.set(server(stage).id, locked=True)
    position = len(stage.effects.log)
    edit(stage, **changes, tags={"a": "2"})
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_DEPENDENCY)
    assert changes_since(stage, position) == ("add_tags",), "what the lock does not refuse is done"
    assert "while the server is locked" in stage.message
    writes = stage.store.status_writes
    for _ in range(3):
        stage.clock.advance(300)
        await stage.once()
    assert stage.store.status_writes == writes
    stage.cloud.set(server(stage).id, locked=False)
    stage.clock.advance(300)
    await converge(stage)
