"""The steps of the create protocol, S0 to S9 (design: lifecycle.md), and what a refusal does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ecs_operator.api.group import FINALIZER
from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import CloudError, CreateServers, JobAccepted, Meaning, Outcome, Server
from ecs_operator.engine.objects import KubeObject, ObjectKey
from ecs_operator.engine.outcome import Again, Blocked, Done, Retry
from ecs_operator.engine.ports import SecretData
from ecs_operator.resources.ownership import MARKER_KEY, Owner
from ecs_operator.resources.tenancy import TenantUnavailable
from tests.unit.resources.server.fake_cloud import lost, refusal
from tests.unit.resources.server.stage import IDENTITY, KEY, SETTLE, SPEC, UID, Stage, pause_of


def refused(meaning: Meaning, code: str, message: str, *, status: int = 400) -> CloudError:
    return refusal("createServers", meaning=meaning, status=status, code=code, message=message)


async def test_s0_the_finalizer_comes_before_everything() -> None:
    stage = Stage()
    await stage.until_ready()
    log = stage.effects.log
    assert log.index("kube.add_finalizer") < log.index("kube.status") < log.index("cloud.create")


async def test_s0_the_finalizer_is_checked_again_before_the_post() -> None:
    """``kubectl replace`` dropped it between the read and the write of the intent: the write fails, and nothing is sent."""
    stage = Stage()
    stage.put(finalizers=(FINALIZER,))

    def replaced() -> None:
        stage.store.edit(KEY, finalizers=())

    stage.effects.hooks["kube.status"] = replaced
    await stage.once()
    assert stage.effects.count("cloud.create") == 0
    await stage.until_ready()
    stage.exactly_one()


async def test_s0_no_post_when_the_write_returns_an_object_without_finalizer() -> None:
    stage = Stage()
    apply = stage.store.apply_status

    async def without(obj: KubeObject, status: Mapping[str, Any]) -> KubeObject:
        return replace(await apply(obj, status), finalizers=())

    stage.store.apply_status = without  # type: ignore[method-assign]
    await stage.once()
    assert stage.effects.count("cloud.create") == 0
    assert stage.create["outcome"] == "Refused", "nothing was sent, and the record says so"


async def test_s0_an_object_being_deleted_is_not_created() -> None:
    stage = Stage()
    stage.put(finalizers=(FINALIZER,))
    stage.delete()
    assert isinstance(await stage.once(), Done)
    assert KEY not in stage.store.objects
    assert stage.tenants.asked == 0
    assert [each for each in stage.effects.log if each.startswith("cloud.")] == []


async def test_s1_the_intent_is_durable_before_the_post() -> None:
    stage = Stage()
    seen = []
    stage.effects.hooks["cloud.create"] = lambda: seen.append(dict(stage.create))
    await stage.once()
    (intent,) = seen
    assert intent["incarnation"] == 1
    assert intent["attempts"] == 1
    assert intent["outcome"] == "Unknown"
    assert intent["token"] == stage.cloud.tokens_sent[0]
    assert stage.status["project"] == "lab"
    assert MARKER_KEY not in intent["request"]
    assert stage.cloud.bodies[0]["metadata"][MARKER_KEY] == IDENTITY.marker(Owner(UID, 1))


async def test_s1_no_secret_is_in_the_record() -> None:
    spec = {**SPEC, "adminPasswordSecretRef": {"name": "web", "key": "pw"}, "userDataRef": {"secret": {"name": "web", "key": "ud"}}}
    stage = Stage(spec=spec)
    stage.store.secrets["shop/web"] = SecretData("7", {"pw": b"Canary-Passw0rd!", "ud": b"#!/bin/sh canary"})
    await stage.once()
    text = json.dumps(stage.status)
    assert "anary" not in text
    assert "Y2FuYXJ5" not in text
    assert stage.create["secretVersions"] == {"adminPasswordSecretRef": "7", "userDataRef": "7"}
    assert stage.cloud.bodies[0]["adminPass"] == "Canary-Passw0rd!"


async def test_s1_everything_that_is_missing_is_named_at_once() -> None:
    spec = {
        **SPEC,
        "image": {"name": "No such image"},
        "serverGroupRef": {"name": "web"},
        "adminPasswordSecretRef": {"name": "pw", "key": "k"},
        "userDataRef": {"configMap": {"name": "ud", "key": "k"}},
    }
    stage = Stage(spec=spec)
    outcome = await stage.once()
    assert stage.reason == Reason.WAITING_FOR_DEPENDENCY
    for name in ("Secret pw", "ConfigMap ud", "EcsServerGroup web", "image 'No such image'"):
        assert name in stage.message
    assert isinstance(outcome, Blocked)
    assert outcome.waits_for == (ObjectKey("ecsservergroups", "shop", "web"),)
    assert stage.create == {}


async def test_s2_a_list_is_looked_at_before_every_later_attempt() -> None:
    stage = Stage()
    stage.effects.plan("cloud.create", "before", refused(Meaning.QUOTA, "Ecs.0001", "quota"))
    await stage.once()
    before = len(stage.effects.log)
    stage.clock.advance(30)
    await stage.once()
    log = stage.effects.log[before:]
    assert log.index("cloud.sweep") < log.index("cloud.create")


async def test_s2_an_incomplete_list_is_no_evidence() -> None:
    stage = Stage()
    stage.effects.plan("cloud.create", "before", lost())
    await stage.once()
    stage.cloud.list_is_complete = False
    for _ in range(60):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.clock.monotonic() > SETTLE
    assert stage.effects.count("cloud.create") == 1
    assert stage.reason == Reason.OUTCOME_UNKNOWN
    stage.cloud.list_is_complete = True
    await stage.until_ready()
    stage.exactly_one()


async def test_s3_every_attempt_is_counted_before_it_is_sent() -> None:
    stage = Stage()
    stage.effects.plan("cloud.create", "before", lost())
    await stage.once()
    seen = []
    stage.effects.hooks["cloud.create"] = lambda: seen.append(stage.create["attempts"])
    await stage.until_ready()
    assert seen == [2]
    assert stage.cloud.tokens_sent[0] == stage.cloud.tokens_sent[1]


@pytest.mark.parametrize(("left", "sent"), [(9.9, 0), (10.0, 1), (25.0, 1)])
async def test_s4_no_post_when_less_than_ten_seconds_of_the_lease_are_left(left: float, sent: int) -> None:
    stage = Stage()
    stage.lease.left = left
    await stage.once()
    assert stage.effects.count("cloud.create") == sent


@pytest.mark.parametrize(("left", "deadline"), [(25.0, 25.0), (500.0, 60.0)])
async def test_s4_the_deadline_is_the_policys_or_the_rest_of_the_lease(left: float, deadline: float) -> None:
    stage = Stage()
    stage.lease.left = left
    await stage.once()
    assert stage.cloud.deadlines == [deadline]


@pytest.mark.parametrize(
    ("error", "outcome", "reason", "stalled"),
    [
        (refused(Meaning.QUOTA, "Ecs.0001", "quota of instances"), "Refused", "QuotaExceeded", False),
        (refused(Meaning.CAPACITY, "Ecs.0319", "sold out"), "Refused", "CapacityExhausted", False),
        (refused(Meaning.THROTTLED, "Common.0024", "slow down", status=202), "Refused", "Throttled", False),
        (refused(Meaning.AUTH, "Common.0013", "token", status=401), "Refused", "Unauthorized", False),
        (refused(Meaning.INVALID, "Ecs.0029", "no such flavor"), "Refused", "Rejected", True),
        (refusal("createServers", meaning=Meaning.UNREACHABLE, outcome=Outcome.NOT_SENT), "Refused", "CloudUnreachable", False),
        (lost(), "Unknown", "OutcomeUnknown", False),
        (refusal("createServers", meaning=Meaning.INTERNAL, outcome=Outcome.UNKNOWN, code="Ecs.0002"), "Unknown", "OutcomeUnknown", False),
    ],
    ids=["quota", "capacity", "flow control", "auth", "flavor", "not sent", "no answer", "Ecs.0002"],
)
async def test_s5_answers_are_classified(error: CloudError, outcome: str, reason: str, stalled: bool) -> None:  # noqa: FBT001
    stage = Stage()
    stage.effects.plan("cloud.create", "before", error)
    await stage.once()
    assert stage.create["outcome"] == outcome
    assert stage.reason == reason
    assert stage.types() == {"Ready", "Stalled" if stalled else "Reconciling"}
    assert stage.events.recorded[-1][:2] == ("Warning", reason)
    assert error.message in stage.create["lastError"]
    assert "req-1" in stage.message


async def test_s5_a_refusal_is_retried_slowly_and_mends_itself() -> None:
    stage = Stage()
    for nth in (1, 2, 3):
        stage.effects.plan("cloud.create", "before", refused(Meaning.QUOTA, "Ecs.0001", "quota"), nth=nth)
    await stage.once()
    await stage.once()
    assert stage.effects.count("cloud.create") == 1, "an event must not make it try at once"
    stage.restart()
    await stage.once()
    assert stage.effects.count("cloud.create") == 1, "nor a restart"
    await stage.until_ready()
    stage.exactly_one()
    assert stage.create["attempts"] == 4
    assert stage.clock.monotonic() > 30


async def test_s5_after_a_refusal_another_body_travels_under_another_token() -> None:
    stage = Stage()
    stage.effects.plan("cloud.create", "before", refused(Meaning.INVALID, "Ecs.0029", "no such flavor"))
    await stage.once()
    stage.store.edit(KEY, spec={**SPEC, "flavor": "s3.large.2"})
    await stage.until_ready()
    stage.exactly_one()
    first, second = stage.cloud.tokens_sent
    assert first != second
    assert [body["flavorRef"] for body in stage.cloud.bodies] == ["s3.large.2"]
    assert stage.create["incarnation"] == 1


async def test_s5_an_invalid_request_is_not_repeated_until_the_spec_changes() -> None:
    stage = Stage()
    stage.effects.plan("cloud.create", "before", refused(Meaning.INVALID, "Ecs.0029", "no such flavor"))
    await stage.once()
    for _ in range(5):
        stage.clock.advance(400)
        assert isinstance(await stage.once(), Done)
    assert stage.effects.count("cloud.create") == 1


async def test_s5_a_requested_reconcile_sends_it_again() -> None:
    stage = Stage()
    stage.effects.plan("cloud.create", "before", refused(Meaning.INVALID, "Ecs.0029", "no such flavor"))
    await stage.once()
    stage.annotate(**{"reconcile-requested-at": "now"})
    await stage.until_ready()
    assert stage.status["lastHandledReconcileAt"] == "now"
    stage.exactly_one()


async def test_s5_a_refusal_does_not_settle_an_earlier_request_that_is_still_open() -> None:
    """Tokens are honoured, so it is repeated at once; the repetition is refused, and then the first request arrives after all."""
    stage = Stage(idempotency="Token")
    stage.cloud.honours_tokens = False
    requests: list[CreateServers] = []
    original = stage.cloud.create

    async def create(request: CreateServers, *, client_token: str | None, deadline: float | None = None) -> JobAccepted:
        requests.append(request)
        if len(requests) == 1:
            stage.cloud.late.append((stage.clock.now().replace(minute=1), lambda: stage.cloud.make(request)))
            raise lost()
        if len(requests) == 2:
            raise refused(Meaning.QUOTA, "Ecs.0001", "quota")
        return await original(request, client_token=client_token, deadline=deadline)

    stage.cloud.create = create  # type: ignore[method-assign]
    await stage.once()
    stage.clock.advance(1)
    await stage.once()
    assert len(requests) == 2
    assert stage.create["outcome"] == "Unknown"
    stage.clock.advance(60)
    await stage.until_ready()
    assert len(stage.cloud.created()) == 1


async def test_s6_ids_are_written_at_once() -> None:
    stage = Stage()
    await stage.once()
    assert stage.create["outcome"] == "Accepted"
    assert stage.create["jobId"] == "job-1"
    assert stage.status["id"] == "server-1"


async def test_s7_the_id_comes_from_the_sub_jobs_where_the_answer_has_none() -> None:
    stage = Stage()
    stage.cloud.tells_ids = False
    await stage.once()
    assert "id" not in stage.status
    stage.clock.advance(1)
    await stage.once()
    assert stage.status["id"] == "server-1"
    assert stage.status["serverStatus"] == "BUILD"
    assert stage.status["job"]["progress"] == "0/1"
    assert "job job-1 is RUNNING" in stage.message
    await stage.until_ready()
    stage.exactly_one()


async def test_s7_polling_slows_down_from_one_second_to_ten() -> None:
    stage = Stage()
    stage.cloud.build_seconds = 120.0
    await stage.once()
    pauses = []
    for _ in range(14):
        outcome = await stage.once()
        assert isinstance(outcome, Again)
        pauses.append(outcome.after)
        stage.clock.advance(outcome.after)
    assert pauses[0] == 1.0
    assert pauses == sorted(pauses)
    assert pauses[-1] == 10.0


async def test_s7_unchanged_progress_is_not_written() -> None:
    stage = Stage()
    stage.cloud.build_seconds = 120.0
    await stage.once()
    await stage.once()
    writes = stage.store.status_writes
    for _ in range(10):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.store.status_writes == writes


async def test_s7_a_create_costs_few_writes() -> None:
    stage = Stage()
    await stage.until_ready()
    assert stage.store.status_writes <= 4, "intent, ids, progress, Ready"


async def test_s7_not_found_before_the_job_ends_means_still_building() -> None:
    stage = Stage()
    stage.cloud.list_lag = 60.0
    await stage.until_ready()
    stage.exactly_one()


async def test_s8_the_condition_tells_the_clouds_code_and_text_meanwhile() -> None:
    stage = Stage()
    stage.cloud.next_failure = ("Ecs.0219", "creating the server failed", True)
    said = []

    def done() -> bool:
        said.append((stage.reason, stage.message, frozenset(stage.types())))
        return bool(stage.ready.get("status") == "True")

    await stage.until(done)
    failed = [each for each in said if each[0] == Reason.OPERATION_FAILED]
    assert failed
    assert all("Ecs.0219" in message and "creating the server failed" in message for _, message, _ in failed)
    assert all("Stalled" not in types for _, _, types in failed)
    again = [message for reason, message, _ in said if reason == Reason.CREATING and "try 2" in message]
    assert again
    assert "Ecs.0219" in again[0]
    assert stage.status["create"]["failures"] == 0
    assert [each["ids"] for each in stage.cloud.deletions] == [("server-1",)]
    assert IDENTITY.marker(Owner(UID, 2)) == stage.cloud.alive()[0].metadata[MARKER_KEY]


async def test_s8_after_five_failures_it_stalls_until_it_is_asked_again() -> None:
    stage = Stage()

    stage.cloud.next_failure = ("Ecs.0219", "no luck", True)

    def fail_the_next() -> bool:
        if stage.cloud.next_failure is None:
            stage.cloud.next_failure = ("Ecs.0219", "no luck", True)
        return "Stalled" in stage.types()

    await stage.until(fail_the_next, passes=400)
    assert stage.reason == Reason.OPERATION_FAILED
    assert stage.create["failures"] == 5
    assert len(stage.cloud.created()) == 5
    assert stage.cloud.alive() == []
    for _ in range(3):
        stage.clock.advance(1000)
        assert isinstance(await stage.once(), Done)
    assert len(stage.cloud.created()) == 5
    stage.cloud.next_failure = None
    stage.annotate(**{"reconcile-requested-at": "again"})
    await stage.until_ready()
    assert stage.cloud.most_alive == 1


async def test_s8_incarnations_are_spaced() -> None:
    stage = Stage()
    stage.cloud.build_seconds = 1.0
    stage.cloud.delete_seconds = 1.0
    for _ in range(3):
        stage.cloud.next_failure = ("Ecs.0219", "no luck", True)
        known = len(stage.cloud.created())
        await stage.until(lambda known=known: len(stage.cloud.created()) > known)
    times = [entry.time for entry in stage.cloud.created()]
    assert (times[1] - times[0]).total_seconds() >= 10
    assert (times[2] - times[1]).total_seconds() >= 20


def planted(stage: Stage, server_id: str, *, incarnation: int = 1, created: str = "2026-03-01T11:00:00+00:00", uid: str = UID) -> None:
    marker = IDENTITY.marker(Owner(uid, incarnation))
    stage.cloud.plant(
        Server(id=server_id, name="web-0", status="ACTIVE", vm_state="active", metadata={MARKER_KEY: marker}, created=created)
    )


async def test_s9_several_with_our_marker_the_oldest_is_kept_and_none_deleted() -> None:
    stage = Stage()
    stage.effects.plan("cloud.create", "before", lost())
    await stage.once()
    planted(stage, "server-young", created="2026-03-01T12:00:30+00:00")
    planted(stage, "server-old", created="2026-03-01T12:00:10+00:00")
    stage.clock.advance(10)
    await stage.once()
    assert stage.status["id"] == "server-old"
    assert stage.reason == Reason.OWNERSHIP_CONFLICT
    assert "server-young" in stage.message
    for _ in range(6):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.status["id"] == "server-old"
    assert {server.id for server in stage.cloud.alive()} == {"server-old", "server-young"}
    assert stage.cloud.deletions == []


async def test_s9_the_recorded_one_is_kept_and_another_reported() -> None:
    stage = Stage()
    await stage.until_ready()
    planted(stage, "server-0", created="2026-01-01T00:00:00+00:00")
    stage.clock.advance(300)
    await stage.once()
    assert stage.status["id"] == "server-1"
    assert stage.reason == Reason.OWNERSHIP_CONFLICT
    assert "server-0" in stage.message
    assert stage.cloud.deletions == []


async def test_s9_a_foreign_server_of_the_same_name_is_nothing_to_us() -> None:
    stage = Stage()
    stage.cloud.plant(Server(id="foreign", name="web-0", status="ACTIVE", vm_state="active"))
    forged = {MARKER_KEY: f"lab/{UID}/1/{'0' * 32}"}
    stage.cloud.plant(Server(id="forged", name="web-0", status="ACTIVE", vm_state="active", metadata=forged))
    stage.effects.plan("cloud.create", "before", lost())
    await stage.until_ready()
    assert len(stage.cloud.created()) == 1
    stage.delete()
    await stage.until_gone()
    assert {server.id for server in stage.cloud.alive()} == {"foreign", "forged"}


async def test_unknown_the_secret_changed_so_the_outcome_is_settled_by_lists_first() -> None:
    spec = {**SPEC, "adminPasswordSecretRef": {"name": "web", "key": "pw"}}
    stage = Stage(spec=spec, idempotency="Token")
    stage.store.secrets["shop/web"] = SecretData("7", {"pw": b"First-Passw0rd!"})
    stage.effects.plan("cloud.create", "before", lost())
    await stage.once()
    stage.store.secrets["shop/web"] = SecretData("8", {"pw": b"Other-Passw0rd!"})
    stage.clock.advance(2)
    await stage.once()
    assert stage.effects.count("cloud.create") == 1, "tokens are honoured, but this is another body"
    await stage.until_ready()
    stage.exactly_one()
    assert stage.clock.monotonic() >= SETTLE
    assert stage.cloud.tokens_sent[0] != stage.cloud.tokens_sent[1]


async def test_unknown_where_tokens_are_honoured_the_same_body_goes_again_at_once() -> None:
    stage = Stage(idempotency="Token")
    stage.effects.plan("cloud.create", "after", lost())
    await stage.once()
    stage.cloud.list_lag = 1000.0
    for row in stage.cloud.servers_by_id.values():
        row.visible_at = row.visible_at.replace(hour=13)
    stage.clock.advance(1)
    await stage.once()
    assert stage.create["jobId"] == "job-1"
    assert stage.cloud.tokens_sent[0] == stage.cloud.tokens_sent[1]
    assert len(stage.cloud.created()) == 1


async def test_unknown_and_older_than_seven_hours_is_only_looked_for() -> None:
    stage = Stage()
    stage.effects.plan("cloud.create", "before", lost())
    await stage.once()
    stage.clock.advance(7 * 3600 + 1)
    for _ in range(4):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.effects.count("cloud.create") == 1
    assert stage.reason == Reason.OUTCOME_UNKNOWN
    stage.annotate(**{"reconcile-requested-at": "a person decides"})
    await stage.until_ready()
    stage.exactly_one()
    assert stage.cloud.tokens_sent[0] != stage.cloud.tokens_sent[1]


async def test_a_server_in_error_without_a_job_is_removed_soon_after_the_request() -> None:
    stage = Stage()
    stage.effects.plan("cloud.create", "after", lost())
    stage.cloud.next_failure = ("Ecs.0219", "no luck", True)
    await stage.until_ready()
    assert len(stage.cloud.created()) == 2
    assert stage.cloud.most_alive == 1


async def test_a_server_in_error_without_a_job_found_hours_later_is_left_to_a_person() -> None:
    stage = Stage()
    stage.effects.plan("cloud.create", "after", lost())
    stage.cloud.next_failure = ("Ecs.0219", "no luck", True)
    await stage.once()
    stage.clock.advance(2 * 3600)
    for _ in range(3):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.reason == Reason.SERVER_ERROR
    assert "No valid host" in stage.message
    assert stage.status["fault"] == {"code": 500, "message": "No valid host"}
    assert stage.cloud.deletions == []


async def test_no_tenant_is_said_and_waited_for() -> None:
    stage = Stage()
    project = ObjectKey("ecsprojects", "", "lab")
    tenant = stage.tenants.tenant
    stage.tenants.tenant = TenantUnavailable(Reason.CREDENTIALS_MISSING, "Secret lab-user is missing", (project,))
    outcome = await stage.once()
    assert outcome == Blocked((project,), at_most=30.0)
    assert (stage.reason, stage.message) == (Reason.CREDENTIALS_MISSING, "Secret lab-user is missing")
    stage.tenants.tenant = tenant
    await stage.until_ready()


async def test_trouble_while_looking_is_said_once_and_retried_with_backoff() -> None:
    stage = Stage()
    await stage.once()
    for nth in range(1, 6):
        stage.effects.plan(
            "cloud.job", "before", refusal("showJob", meaning=Meaning.UNREACHABLE, outcome=Outcome.UNKNOWN, status=502), nth=nth
        )
    outcomes = [await stage.once() for _ in range(5)]
    assert all(isinstance(outcome, Retry) for outcome in outcomes)
    assert stage.reason == Reason.CLOUD_UNREACHABLE
    assert stage.store.status_writes == 3, "intent, ids, and the trouble once"
    stage.clock.advance(1)
    await stage.once()
    assert stage.reason == Reason.CREATING, "when it is over the condition says what goes on"
    await stage.until_ready()
    stage.exactly_one()


async def test_an_unusable_password_is_said_without_it() -> None:
    stage = Stage(spec={**SPEC, "adminPasswordSecretRef": {"name": "web", "key": "pw"}})
    stage.store.secrets["shop/web"] = SecretData("7", {"pw": b"canary"})
    await stage.once()
    assert stage.reason == Reason.INVALID_CONFIGURATION
    assert "6 characters" in stage.message
    assert "canary" not in json.dumps(stage.status)
    stage.store.secrets["shop/web"] = SecretData("8", {"pw": b"Good-Passw0rd!"})
    await stage.until_ready()


async def test_a_limit_of_the_reference_is_said_with_its_place() -> None:
    stage = Stage(spec={**SPEC, "vpcId": "not-a-uuid"})
    await stage.once()
    assert stage.reason == Reason.INVALID_CONFIGURATION
    assert "server.vpcid" in stage.message
    assert stage.create == {}


async def test_paused_means_no_cloud_call() -> None:
    stage = Stage()
    stage.annotate(paused="true")
    assert isinstance(await stage.once(), Done)
    assert stage.reason == Reason.PAUSED
    assert stage.obj.finalizers == ()
    assert stage.tenants.asked == 0
    stage.annotate(paused="false")
    await stage.until_ready()
    stage.exactly_one()
