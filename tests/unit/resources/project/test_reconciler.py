"""EcsProject: whether the cloud takes the credentials, the quota, and staying as long as it is used."""

from __future__ import annotations

import pytest

from ecs_operator.api.group import FINALIZER
from ecs_operator.cloud import Meaning, Outcome
from ecs_operator.engine.outcome import Again, Blocked, Done, Gone, Lane, Retry
from ecs_operator.resources.keys import alarm_key
from ecs_operator.resources.tenancy import TenantUnavailable
from tests.fakes.cloud import cloud_error
from tests.unit.resources.project.opening import NAMESPACE, PASSWORD
from tests.unit.resources.project.stage import LAB, LIMITS, SECRET, WEB_0, Stage


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.add()
    return stage


async def test_a_good_project_is_ready_and_shows_what_it_found(stage: Stage) -> None:
    outcome = await stage.reconciler.reconcile(LAB)
    assert outcome == Blocked((SECRET, alarm_key("lab")), at_most=45.0)
    assert stage.condition() == ("True", "Available")
    assert stage.condition("Authenticated") == ("True", "SignedIn")
    status = stage.store[LAB].status
    assert (status["projectId"], status["microversion"], status["observedGeneration"]) == ("project-1", "2.46", 1)
    assert status["quota"] == {
        "instances": {"used": 12, "limit": 1000},
        "cores": {"used": 24, "limit": 8000},
        "ramMiB": {"used": 4096, "limit": -1},
    }
    assert FINALIZER in stage.store[LAB].finalizers


async def test_between_resyncs_neither_api_is_asked_for_anything_but_the_secret(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.cloud.calls.clear()
    stage.store.reads.clear()
    for _ in range(4):
        stage.clock.advance(45)
        await stage.reconciler.reconcile(LAB)
    assert stage.cloud.calls == []
    assert stage.store.reads.count(f"secret {NAMESPACE}/lab") == 4
    assert stage.writer.writes == 1


async def test_the_quota_is_read_at_each_resync_and_written_when_it_changed(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.clock.advance(300)
    await stage.reconciler.reconcile(LAB)
    assert stage.cloud.calls.count("showLimits") == 2
    assert stage.writer.writes == 1
    stage.cloud.limits_now = LIMITS.model_copy(update={"total_instances_used": 13})
    stage.clock.advance(300)
    await stage.reconciler.reconcile(LAB)
    assert stage.store[LAB].status["quota"]["instances"] == {"used": 13, "limit": 1000}


@pytest.mark.parametrize(
    ("meaning", "outcome", "status", "reason", "authenticated"),
    [
        pytest.param(Meaning.AUTH, Outcome.REFUSED, 401, "Unauthorized", ("False", "Unauthorized"), id="bad credentials"),
        pytest.param(Meaning.FORBIDDEN, Outcome.REFUSED, 403, "Unauthorized", ("True", "SignedIn"), id="rights do not suffice"),
        pytest.param(Meaning.FROZEN, Outcome.REFUSED, 403, "Frozen", ("True", "SignedIn"), id="frozen"),
        pytest.param(Meaning.UNREACHABLE, Outcome.NOT_SENT, None, "CloudUnreachable", ("Unknown", "CloudUnreachable"), id="unreachable"),
    ],
)
async def test_a_failed_visit_is_shown_and_mended_by_itself(
    stage: Stage, meaning: Meaning, outcome: Outcome, status: int | None, *, reason: str, authenticated: tuple[str, str]
) -> None:
    stage.cloud.fail("showLimits", cloud_error("showLimits", meaning=meaning, outcome=outcome, status=status))
    after = await stage.reconciler.reconcile(LAB)
    assert after == Blocked((SECRET,), at_most=10.0) if meaning is Meaning.AUTH else isinstance(after, Retry)
    assert stage.condition() == ("False", reason)
    assert stage.condition("Authenticated") == authenticated
    stage.woken.clear()
    await stage.reconciler.reconcile(LAB)
    assert stage.condition() == ("True", "Available")
    assert [(each.kind, each.reason) for each in stage.events.recorded] == [("Warning", reason), ("Normal", "Available")]
    assert stage.condition("Authenticated") == ("True", "SignedIn")
    assert LAB in stage.woken, "who waits for the project is told"


async def test_an_unreachable_cloud_says_nothing_about_credentials_that_were_good(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.clock.advance(300)
    stage.cloud.fail("showLimits", cloud_error("showLimits", meaning=Meaning.UNREACHABLE, outcome=Outcome.UNKNOWN, status=503))
    await stage.reconciler.reconcile(LAB)
    assert stage.condition() == ("False", "CloudUnreachable")
    assert stage.condition("Authenticated") == ("True", "SignedIn")
    assert stage.store[LAB].status["quota"]["instances"]["used"] == 12, "what was seen stays"


async def test_while_calls_are_held_back_it_comes_exactly_when_one_may_leave_again(stage: Stage) -> None:
    """The project's look at its quota is the call that finds out whether the cloud answers again; a growing pause would delay that."""
    await stage.reconciler.reconcile(LAB)
    held = cloud_error("showLimits", meaning=Meaning.UNREACHABLE, outcome=Outcome.NOT_SENT, status=None, retry_after=40.0)
    stage.cloud.fail("showLimits", held)
    stage.clock.advance(300)
    assert await stage.reconciler.reconcile(LAB) == Again(40.0)
    assert stage.condition() == ("False", "CloudUnreachable")
    assert stage.condition("Authenticated") == ("True", "SignedIn")
    stage.clock.advance(40)
    await stage.reconciler.reconcile(LAB)
    assert stage.condition() == ("True", "Available")


async def test_missing_credentials(stage: Stage) -> None:
    stage.store.delete_secret(NAMESPACE, "lab")
    assert await stage.reconciler.reconcile(LAB) == Blocked((SECRET,), at_most=10.0)
    assert stage.condition() == ("False", "CredentialsMissing")
    assert stage.condition("Authenticated") == ("False", "CredentialsMissing")
    assert f"{NAMESPACE}/lab" in stage.message()
    stage.store.set_secret(NAMESPACE, "lab", **PASSWORD)
    stage.clock.advance(10)
    await stage.reconciler.reconcile(LAB)
    assert stage.condition() == ("True", "Available")
    assert SECRET in stage.woken


async def test_a_changed_secret_is_tried_at_once(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.store.set_secret(NAMESPACE, "lab", **{**PASSWORD, "password": "wrong"})
    stage.cloud.fail("showLimits", cloud_error("showLimits", meaning=Meaning.AUTH, status=401))
    stage.clock.advance(45)
    await stage.reconciler.reconcile(LAB)
    assert stage.condition("Authenticated") == ("False", "Unauthorized")


async def test_a_secret_that_is_mended_after_a_refusal_is_noticed_soon(stage: Stage) -> None:
    stage.cloud.fail("showLimits", cloud_error("showLimits", meaning=Meaning.AUTH, status=401))
    await stage.reconciler.reconcile(LAB)
    before = stage.registry.secret_version("lab")
    stage.store.set_secret(NAMESPACE, "lab", **{**PASSWORD, "password": "right"})
    stage.clock.advance(10)
    await stage.reconciler.reconcile(LAB)
    assert stage.registry.secret_version("lab") != before
    assert stage.condition("Authenticated") == ("True", "SignedIn")


async def test_a_request_to_reconcile_reads_the_secret_at_once(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    before = stage.registry.secret_version("lab")
    stage.store.set_secret(NAMESPACE, "lab", **{**PASSWORD, "password": "another"})
    await stage.reconciler.reconcile(LAB)
    assert stage.registry.secret_version("lab") == before, "else it has its time"
    stage.store.annotate(LAB, reconcile_requested_at="now")
    await stage.reconciler.reconcile(LAB)
    assert stage.registry.secret_version("lab") != before


async def test_an_endpoint_without_encryption(stage: Stage) -> None:
    stage.store.edit(LAB, endpoints={"ecs": "http://127.0.0.1:1", "iam": "http://127.0.0.1:1"})
    await stage.reconciler.reconcile(LAB)
    assert stage.condition() == ("False", "InvalidConfiguration")
    assert stage.condition("Stalled") == ("True", "InvalidConfiguration")
    assert "--allow-http" in stage.message()


async def test_a_spec_that_an_older_schema_let_in_is_said_and_nothing_is_done(stage: Stage) -> None:
    stage.store.edit(LAB, region=None)
    assert await stage.reconciler.reconcile(LAB) == Again(300.0, Lane.RESYNC)
    assert stage.condition() == ("False", "InvalidConfiguration")
    assert stage.message().startswith("spec.region: ")
    assert [(each.kind, each.reason) for each in stage.events.recorded] == [("Warning", "InvalidConfiguration")]
    assert stage.cloud.calls == []


async def test_a_request_to_reconcile_visits_the_cloud_and_is_echoed(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.store.annotate(LAB, reconcile_requested_at="now")
    await stage.reconciler.reconcile(LAB)
    assert stage.cloud.calls.count("showLimits") == 2
    assert stage.store[LAB].status["lastHandledReconcileAt"] == "now"
    await stage.reconciler.reconcile(LAB)
    assert stage.cloud.calls.count("showLimits") == 2


async def test_paused(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.store.annotate(LAB, paused="true")
    assert await stage.reconciler.reconcile(LAB) == Done()
    assert stage.condition() == ("False", "Paused")
    stage.store.annotate(LAB, paused=None)
    await stage.reconciler.reconcile(LAB)
    assert stage.condition() == ("True", "Available")


async def test_a_project_in_use_stays_and_names_its_users(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.store.create(WEB_0.resource, WEB_0.name, {}, namespace="shop", status={"project": "lab"})
    stage.store.create(WEB_0.resource, "elsewhere", {"projectRef": {"name": "lab"}}, namespace="shop", status={"project": "other"})
    stage.store.create(WEB_0.resource, "planned", {"projectRef": {"name": "lab"}}, namespace="shop")
    stage.store.delete(LAB)
    outcome = await stage.reconciler.reconcile(LAB)
    assert isinstance(outcome, Blocked)
    assert [key.name for key in outcome.waits_for] == ["planned", "web-0"]
    assert stage.condition() == ("False", "InUse")
    assert "EcsServer shop/web-0" in stage.message()
    assert "elsewhere" not in stage.message()
    found = await stage.registry.find(namespace="shop", project_ref=None, pinned="lab")
    assert not isinstance(found, TenantUnavailable), "it still serves what it has"


async def test_an_unused_project_goes_after_two_looks_and_its_connection_with_it(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.store.delete(LAB)
    first = await stage.reconciler.reconcile(LAB)
    assert isinstance(first, Again)
    assert LAB in stage.store
    stage.clock.advance(first.after)
    assert await stage.reconciler.reconcile(LAB) == Done()
    assert LAB not in stage.store
    assert stage.opener.opened[0].is_closed


async def test_an_object_that_begins_between_the_looks_keeps_the_project(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.store.delete(LAB)
    first = await stage.reconciler.reconcile(LAB)
    assert isinstance(first, Again)
    stage.store.create(WEB_0.resource, WEB_0.name, {}, namespace="shop", status={"project": "lab"})
    stage.clock.advance(first.after)
    await stage.reconciler.reconcile(LAB)
    assert LAB in stage.store
    stage.store.delete(WEB_0)
    again = await stage.reconciler.reconcile(LAB)
    assert isinstance(again, Again), "the two looks start over"


async def test_a_project_that_is_gone_is_forgotten(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    await stage.store.remove_finalizer(stage.store[LAB])
    stage.store.delete(LAB)
    assert await stage.reconciler.reconcile(LAB) == Gone()
    assert stage.opener.opened[0].is_closed
