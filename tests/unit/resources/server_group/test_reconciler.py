"""EcsServerGroup: one group in the cloud, whatever happens on the way there and back."""

from __future__ import annotations

import pytest

from ecs_operator.api.group import FINALIZER, SERVER, SERVER_GROUP
from ecs_operator.api.reasons import Reason
from ecs_operator.api.server_group import ServerGroupSpec
from ecs_operator.cloud import Meaning, Outcome
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Again, Blocked, Done, Lane
from ecs_operator.engine.ports import ConflictError, UnavailableError
from ecs_operator.resources.keys import members_of
from ecs_operator.resources.server_group.planner import cloud_name
from ecs_operator.resources.server_group.reconciler import ServerGroupReconciler
from ecs_operator.resources.tenancy import TenantUnavailable
from tests.fakes.cloud import IDENTITY, SETTLE_AFTER, cloud_error, lost
from tests.fakes.effects import When
from tests.fakes.stage import STEADY, Stage

KEY = ObjectKey(SERVER_GROUP.plural, "shop", "web")
WEB_0 = ObjectKey(SERVER.plural, "shop", "web-0")
MEMBERS = members_of("shop", "web")


def build(stage: Stage) -> ServerGroupReconciler:
    return ServerGroupReconciler(stage.desk)


@pytest.fixture
def stage() -> Stage:
    stage = Stage(build)
    stage.store.create(KEY.resource, KEY.name, {}, namespace=KEY.namespace)
    return stage


def name_of(stage: Stage) -> str:
    return cloud_name(ServerGroupSpec(), object_name="web", uid=stage.store[KEY].uid, identity=IDENTITY)


async def made(stage: Stage) -> str:
    await stage.settle(KEY)
    group_id = stage.status(KEY)["id"]
    assert isinstance(group_id, str)
    return group_id


async def test_a_group_is_made_once_and_named_so_that_it_is_known_as_ours(stage: Stage) -> None:
    group_id = await made(stage)
    assert stage.condition(KEY) == ("True", "Available")
    assert [group.name for group in stage.cloud.group_rows.values()] == [name_of(stage)]
    assert name_of(stage).startswith("web-")
    assert FINALIZER in stage.store[KEY].finalizers
    assert stage.status(KEY)["project"] == "lab"
    assert stage.status(KEY)["intent"]["outcome"] == "Accepted"
    assert list(stage.cloud.group_rows) == [group_id]
    assert stage.effects.log == ["add_finalizer", "apply_status", "createServerGroup", "apply_status"]


async def test_steady_state_writes_nothing_and_reads_the_group_once(stage: Stage) -> None:
    await made(stage)
    for _ in range(3):
        stage.effects.log.clear()
        stage.cloud.calls.clear()
        outcome = await stage.once(KEY)
        assert isinstance(outcome, Blocked)
        assert outcome.waits_for == (MEMBERS,)
        assert STEADY < outcome.at_most <= 300
        assert stage.effects.log == []
        assert stage.cloud.calls == ["showServerGroup"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", range(4))
async def test_killed_around_any_effect_of_a_creation_there_is_still_one_group(stage: Stage, effect: int, when: When) -> None:
    stage.effects.kill(effect, when)
    await made(stage)
    assert stage.deaths == 1
    assert [group.name for group in stage.cloud.group_rows.values()] == [name_of(stage)]
    assert stage.cloud.calls.count("createServerGroup") == (2 if (effect, when) == (2, "before") else 1)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", range(4, 7))
async def test_killed_around_any_effect_of_a_deletion_nothing_is_left(stage: Stage, effect: int, when: When) -> None:
    await made(stage)
    stage.store.delete(KEY)
    stage.effects.kill(effect, when)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert stage.cloud.group_rows == {}
    assert stage.deaths == 1


async def test_an_answer_that_is_lost_after_the_group_was_made(stage: Stage) -> None:
    stage.cloud.fail("createServerGroup", lost("createServerGroup"), when="after")
    await stage.once(KEY)
    assert stage.condition(KEY) == ("False", "OutcomeUnknown")
    assert stage.condition(KEY, "Reconciling") == ("True", "OutcomeUnknown")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available")
    assert stage.cloud.calls.count("createServerGroup") == 1
    assert stage.clock.monotonic() < SETTLE_AFTER


async def test_a_request_that_got_lost_is_repeated_only_when_it_can_no_longer_arrive(stage: Stage) -> None:
    stage.cloud.fail("createServerGroup", lost("createServerGroup"))
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available")
    assert stage.cloud.calls.count("createServerGroup") == 2
    assert stage.clock.monotonic() >= SETTLE_AFTER
    assert len(stage.cloud.group_rows) == 1


async def test_a_second_group_from_a_late_request_is_removed(stage: Stage) -> None:
    stage.cloud.fail("createServerGroup", lost("createServerGroup"))
    await stage.once(KEY)
    used = stage.cloud.add_group(name_of(stage), "server-1")
    stage.cloud.add_group(name_of(stage))
    foreign = stage.cloud.add_group("web")
    await stage.settle(KEY)
    assert stage.status(KEY)["id"] == used.id
    assert set(stage.cloud.group_rows) == {used.id, foreign.id}


async def test_the_id_is_written_on_top_of_what_changed_meanwhile(stage: Stage) -> None:
    stage.store.fail("apply_status", ConflictError("changed"), skip=1)
    await stage.once(KEY)
    assert stage.status(KEY)["id"] in stage.cloud.group_rows
    assert stage.cloud.calls.count("createServerGroup") == 1


async def test_an_id_that_cannot_be_written_is_found_again(stage: Stage) -> None:
    stage.store.fail("apply_status", UnavailableError("503"), skip=1, times=5)
    with pytest.raises(UnavailableError):
        await stage.once(KEY)
    await stage.settle(KEY)
    assert stage.status(KEY)["id"] in stage.cloud.group_rows
    assert stage.cloud.calls.count("createServerGroup") == 1


@pytest.mark.parametrize(
    ("meaning", "code", "reason", "stalled"),
    [
        pytest.param(Meaning.QUOTA, "Ecs.0022", "QuotaExceeded", False, id="quota"),
        pytest.param(Meaning.AUTH, "Common.0013", "Unauthorized", False, id="credentials"),
        pytest.param(Meaning.THROTTLED, "Common.1503", "Throttled", False, id="flow control"),
        pytest.param(Meaning.INVALID, "Ecs.0000", "Rejected", True, id="invalid"),
    ],
)
async def test_a_refusal_is_shown_and_mended_by_itself_or_on_request(
    stage: Stage, meaning: Meaning, code: str, reason: str, *, stalled: bool
) -> None:
    stage.cloud.fail("createServerGroup", cloud_error("createServerGroup", meaning=meaning, code=code), times=1)
    await stage.once(KEY)
    assert stage.condition(KEY) == ("False", reason)
    assert stage.condition(KEY, "Stalled") == (("True", reason) if stalled else None)
    assert code in stage.message(KEY)
    assert "req-1" in stage.message(KEY)
    if stalled:
        assert await stage.settle(KEY) == Done()
        assert stage.cloud.calls.count("createServerGroup") == 1
        stage.store.annotate(KEY, reconcile_requested_at="now")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available")
    assert stage.cloud.calls.count("createServerGroup") == 2
    told = [(each.kind, each.reason) for each in stage.events.recorded]
    assert told.index(("Warning", reason)) < told.index(("Normal", "Available"))


async def test_a_frozen_account_is_asked_again_by_itself(stage: Stage) -> None:
    """Nobody tells when it thaws."""
    stage.cloud.fail("createServerGroup", cloud_error("createServerGroup", meaning=Meaning.FROZEN, code="Ecs.0067"), times=1)
    await stage.once(KEY)
    assert stage.condition(KEY, "Stalled") == ("True", "Frozen")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available")


async def test_nothing_is_sent_without_the_lease(stage: Stage) -> None:
    stage.authority.left = 3.0
    assert isinstance(await stage.once(KEY), Again)
    assert "createServerGroup" not in stage.cloud.calls
    assert "intent" not in stage.status(KEY)
    stage.authority.left = 100.0
    await made(stage)


async def test_members_their_hosts_and_violations_are_shown(stage: Stage) -> None:
    group_id = await made(stage)
    for server_id in ("server-1", "server-2", "server-3"):
        stage.cloud.add_server(server_id)
    stage.cloud.set_members(group_id, "server-2", "server-1")
    await stage.settle(KEY)
    expected = [{"serverId": "server-1", "hostId": "host-1"}, {"serverId": "server-2", "hostId": "host-2"}]
    assert stage.status(KEY)["members"] == expected
    assert "violations" not in stage.status(KEY)

    stage.cloud.server_rows["server-2"] = stage.cloud.server_rows["server-1"].__class__(id="server-2", status="ACTIVE", host_id="host-1")
    stage.clock.advance(400)
    await stage.settle(KEY)
    assert stage.status(KEY)["violations"] == ["server server-1, server server-2 stand on the same host host-1"]
    assert stage.condition(KEY) == ("True", "Available")
    assert "violated" in stage.message(KEY)


def add_object(stage: Stage, name: str, server_id: str) -> None:
    """An EcsServer whose server this is."""
    stage.store.create(WEB_0.resource, name, {}, namespace="shop", status={"id": server_id})


def references(stage: Stage) -> dict[str, str | None]:
    return {each["serverId"]: each.get("serverRef", {}).get("name") for each in stage.status(KEY)["members"]}


async def test_members_are_named_where_an_object_stands_for_them(stage: Stage) -> None:
    group_id = await made(stage)
    for number in (1, 2, 3):
        stage.cloud.add_server(f"server-{number}")
    add_object(stage, "web-1", "server-1")
    add_object(stage, "web-2", "server-2")
    stage.store.create(WEB_0.resource, "foreign", {}, namespace="elsewhere", status={"id": "server-3"})
    stage.cloud.set_members(group_id, "server-1", "server-2", "server-3")
    outcome = await stage.settle(KEY)
    assert references(stage) == {"server-1": "web-1", "server-2": "web-2", "server-3": None}
    assert isinstance(outcome, Blocked)
    assert outcome.at_most > STEADY, "who is not in a new list needs no second look"

    rows = stage.cloud.server_rows
    for server_id in ("server-1", "server-2", "server-3"):
        rows[server_id] = rows[server_id].__class__(id=server_id, status="ACTIVE", host_id="host-9")
    stage.clock.advance(400)
    await stage.settle(KEY)
    together = "EcsServer web-1, EcsServer web-2, server server-3 stand on the same host host-9"
    assert stage.status(KEY)["violations"] == [together]
    assert together in stage.message(KEY)
    assert "migrateServer" not in stage.cloud.calls


async def test_a_member_whose_object_comes_or_goes_is_named_accordingly(stage: Stage) -> None:
    group_id = await made(stage)
    stage.cloud.add_server("server-1")
    stage.cloud.set_members(group_id, "server-1")
    await stage.settle(KEY)
    assert references(stage) == {"server-1": None}
    stage.clock.advance(3)
    add_object(stage, "web-0", "server-1")
    await stage.settle(KEY)
    assert references(stage) == {"server-1": "web-0"}
    stage.store.delete(WEB_0)
    stage.clock.advance(400)
    await stage.settle(KEY)
    assert references(stage) == {"server-1": None}


async def test_all_groups_of_a_namespace_share_one_list_of_its_servers(stage: Stage) -> None:
    group_id = await made(stage)
    stage.cloud.add_server("server-1")
    add_object(stage, "web-0", "server-1")
    stage.cloud.set_members(group_id, "server-1")
    other = ObjectKey(KEY.resource, "shop", "other")
    stage.store.create(other.resource, other.name, {}, namespace="shop")
    await stage.settle(other)
    stage.cloud.set_members(stage.status(other)["id"], "server-1")
    for _ in range(3):
        for key in (KEY, other):
            await stage.settle(key)
        stage.clock.advance(60)
    assert stage.store.reads.count(f"list {WEB_0.resource}") == 1


async def test_one_that_a_list_is_too_old_to_name_is_looked_for_soon(stage: Stage) -> None:
    group_id = await made(stage)
    stage.cloud.add_server("server-1")
    stage.cloud.set_members(group_id, "server-1")
    await stage.settle(KEY)
    stage.cloud.add_server("server-2")
    add_object(stage, "web-1", "server-2")
    stage.cloud.set_members(group_id, "server-1", "server-2")
    outcome = await stage.settle(KEY)
    assert references(stage)["server-2"] is None
    assert outcome == Blocked((MEMBERS,), at_most=15.0)
    stage.clock.advance(15)
    await stage.settle(KEY)
    assert references(stage)["server-2"] == "web-1"


async def test_a_member_that_joined_is_shown_with_its_host_though_the_list_is_old(stage: Stage) -> None:
    group_id = await made(stage)
    stage.cloud.add_server("server-1")
    stage.cloud.set_members(group_id, "server-1")
    await stage.settle(KEY)
    stage.clock.advance(11)
    stage.cloud.add_server("server-2")
    stage.cloud.set_members(group_id, "server-1", "server-2")
    outcome = await stage.settle(KEY)
    assert [each["hostId"] for each in stage.status(KEY)["members"]] == ["host-1", "host-2"]
    assert isinstance(outcome, Blocked)
    assert outcome.at_most > STEADY
    assert stage.cloud.calls.count("listServersDetails") == 2


async def test_many_that_join_at_once_do_not_each_cost_a_list(stage: Stage) -> None:
    group_id = await made(stage)
    stage.cloud.add_server("server-1")
    stage.cloud.set_members(group_id, "server-1")
    await stage.settle(KEY)
    stage.cloud.add_server("server-2")
    stage.cloud.set_members(group_id, "server-1", "server-2")
    assert await stage.settle(KEY) == Blocked((MEMBERS,), at_most=15.0), "its host is looked for again, once"
    assert stage.status(KEY)["members"][1] == {"serverId": "server-2"}
    assert stage.cloud.calls.count("listServersDetails") == 1
    stage.clock.advance(15)
    outcome = await stage.settle(KEY)
    assert stage.status(KEY)["members"][1] == {"serverId": "server-2", "hostId": "host-2"}
    assert isinstance(outcome, Blocked)
    assert outcome.at_most > STEADY


async def test_a_member_without_a_host_is_left_to_the_resync_after_the_second_look(stage: Stage) -> None:
    group_id = await made(stage)
    stage.cloud.set_members(group_id, "server-0")
    assert await stage.settle(KEY) == Blocked((MEMBERS,), at_most=15.0)
    stage.clock.advance(15)
    outcome = await stage.settle(KEY)
    assert stage.status(KEY)["members"] == [{"serverId": "server-0"}]
    assert isinstance(outcome, Blocked)
    assert outcome.at_most > STEADY


async def test_hosts_are_kept_while_the_servers_cannot_be_listed(stage: Stage) -> None:
    group_id = await made(stage)
    stage.cloud.add_server("server-1")
    stage.cloud.set_members(group_id, "server-1")
    await stage.settle(KEY)
    before = stage.status(KEY)
    stage.clock.advance(400)
    stage.cloud.fail("listServersDetails", lost("listServersDetails"))
    await stage.settle(KEY)
    assert stage.status(KEY) == before


async def test_a_group_deleted_by_somebody_is_said_after_two_looks_and_not_made_again(stage: Stage) -> None:
    await made(stage)
    stage.cloud.group_rows.clear()
    await stage.once(KEY)
    assert stage.condition(KEY) == ("True", "Available"), "one 404 is no evidence"
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("False", "DeletedExternally")
    assert stage.condition(KEY, "Stalled") == ("True", "DeletedExternally")
    stage.effects.log.clear()
    await stage.settle(KEY)
    assert stage.effects.log == []
    assert stage.cloud.group_rows == {}


async def test_a_group_that_answers_404_once_is_left_alone(stage: Stage) -> None:
    await made(stage)
    stage.cloud.fail("showServerGroup", cloud_error("showServerGroup", meaning=Meaning.NOT_FOUND, status=404))
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available")


@pytest.mark.parametrize("is_by_id", [False, True], ids=["by name", "by id"])
async def test_a_group_in_use_by_objects_stays_and_names_them(stage: Stage, *, is_by_id: bool) -> None:
    group_id = await made(stage)
    names_it = {"serverGroupId": group_id} if is_by_id else {"serverGroupRef": {"name": "web"}}
    stage.store.create(WEB_0.resource, WEB_0.name, names_it, namespace="shop")
    stage.store.create(WEB_0.resource, "other", {"serverGroupRef": {"name": "db"}}, namespace="shop")
    stage.store.delete(KEY)
    assert await stage.settle(KEY) == Blocked((WEB_0,), at_most=60.0)
    assert stage.condition(KEY) == ("False", "InUse")
    assert "EcsServer web-0" in stage.message(KEY)
    stage.store.delete(WEB_0)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert stage.cloud.group_rows == {}


async def test_a_protected_group_that_is_deleted_all_the_same_stays_until_the_protection_ends(stage: Stage) -> None:
    """Where the admission policy is not installed."""
    group_id = await made(stage)
    stage.store.edit(KEY, deletionProtection=True)
    stage.store.delete(KEY)
    assert await stage.settle(KEY) == Done()
    assert stage.condition(KEY) == ("False", "InUse")
    assert "spec.deletionProtection" in stage.message(KEY)
    assert group_id in stage.cloud.group_rows
    stage.effects.log.clear()
    assert await stage.settle(KEY) == Done()
    assert stage.effects.log == []
    stage.store.edit(KEY, deletionProtection=False)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert stage.cloud.group_rows == {}


async def test_a_group_with_members_in_the_cloud_stays(stage: Stage) -> None:
    group_id = await made(stage)
    stage.cloud.set_members(group_id, "server-9")
    stage.store.delete(KEY)
    assert await stage.settle(KEY) == Blocked((MEMBERS,), at_most=15.0)
    assert stage.condition(KEY) == ("False", "InUse")
    assert "server-9" in stage.message(KEY)
    assert group_id in stage.cloud.group_rows
    stage.cloud.set_members(group_id)
    await stage.settle(KEY)
    assert KEY not in stage.store


async def test_a_group_that_was_never_asked_for_goes_without_the_cloud(stage: Stage) -> None:
    stage.tenants.answer = TenantUnavailable(Reason.CREDENTIALS_MISSING, "no Secret")
    await stage.once(KEY)
    assert stage.condition(KEY) == ("False", "CredentialsMissing")
    stage.store.delete(KEY)
    assert await stage.once(KEY) == Done()
    assert KEY not in stage.store
    assert stage.cloud.calls == []


async def test_a_deletion_while_the_outcome_is_unknown_waits_for_what_may_still_arrive(stage: Stage) -> None:
    stage.cloud.fail("createServerGroup", lost("createServerGroup"))
    await stage.once(KEY)
    stage.store.delete(KEY)
    await stage.once(KEY)
    assert stage.condition(KEY) == ("False", "OutcomeUnknown")
    stage.clock.advance(100)
    stage.cloud.add_group(name_of(stage))
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert stage.cloud.group_rows == {}
    assert stage.clock.monotonic() >= SETTLE_AFTER


async def test_a_lost_answer_to_the_deletion_is_found_out(stage: Stage) -> None:
    await made(stage)
    stage.store.delete(KEY)
    stage.cloud.fail("deleteServerGroup", lost("deleteServerGroup"), when="after")
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert stage.cloud.calls.count("deleteServerGroup") == 1


async def test_retain_leaves_the_group_and_names_it(stage: Stage) -> None:
    group_id = await made(stage)
    stage.store.edit(KEY, deletionPolicy="Retain")
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert group_id in stage.cloud.group_rows
    assert group_id in stage.events.recorded[-1].message


async def test_paused_changes_nothing_and_says_so(stage: Stage) -> None:
    stage.store.annotate(KEY, paused="true")
    assert await stage.once(KEY) == Done()
    assert stage.condition(KEY) == ("False", "Paused")
    assert stage.cloud.calls == []
    stage.store.annotate(KEY, paused=None)
    await made(stage)
    stage.store.annotate(KEY, paused="true")
    stage.store.delete(KEY)
    assert await stage.once(KEY) == Done()
    assert KEY in stage.store
    assert len(stage.cloud.group_rows) == 1


async def test_a_spec_that_an_older_schema_let_in_is_said_and_nothing_is_done(stage: Stage) -> None:
    stage.store.edit(KEY, policy="affinity")
    assert await stage.once(KEY) == Again(300.0, Lane.RESYNC)
    assert stage.condition(KEY) == ("False", "InvalidConfiguration")
    assert stage.condition(KEY, "Stalled") == ("True", "InvalidConfiguration")
    assert stage.message(KEY).startswith("spec.policy: ")
    assert [(each.kind, each.reason) for each in stage.events.recorded] == [("Warning", "InvalidConfiguration")]
    assert stage.cloud.calls == []
    stage.effects.log.clear()
    await stage.once(KEY)
    assert stage.effects.log == []


async def test_a_request_to_reconcile_is_answered_once(stage: Stage) -> None:
    await made(stage)
    stage.store.annotate(KEY, reconcile_requested_at="2026-01-01T00:00:00Z")
    await stage.settle(KEY)
    assert stage.status(KEY)["lastHandledReconcileAt"] == "2026-01-01T00:00:00Z"
    stage.effects.log.clear()
    await stage.settle(KEY)
    assert stage.effects.log == []


async def test_an_unreachable_cloud_is_shown_once_and_recovers(stage: Stage) -> None:
    await made(stage)
    for number in range(3):
        stage.cloud.fail(
            "showServerGroup", cloud_error("showServerGroup", outcome=Outcome.UNKNOWN, meaning=Meaning.UNREACHABLE, request_id=f"r{number}")
        )
    stage.effects.log.clear()
    for _ in range(3):
        await stage.once(KEY)
    assert stage.effects.log == ["apply_status"], "only the request id differs"
    assert stage.condition(KEY) == ("False", "CloudUnreachable")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available")


async def test_an_object_of_another_uid_under_the_same_name_gets_its_own_group(stage: Stage) -> None:
    first = await made(stage)
    stage.store.edit(KEY, deletionPolicy="Retain")
    stage.store.delete(KEY)
    await stage.settle(KEY)
    stage.store.create(KEY.resource, KEY.name, {}, namespace=KEY.namespace)
    second = await made(stage)
    assert first != second
    assert len({group.name for group in stage.cloud.group_rows.values()}) == 2
