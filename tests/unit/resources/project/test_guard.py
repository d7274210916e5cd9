"""The Secret of an EcsProject is kept while it is needed: the finalizer goes on before the first use, and off last."""

from __future__ import annotations

import pytest

from ecs_operator.api.group import CREDENTIALS_FINALIZER, FINALIZER, PROJECT
from ecs_operator.cloud import Meaning
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.engine.outcome import Blocked, Done, Gone
from ecs_operator.engine.ports import ConflictError, RefusedError, UnavailableError
from ecs_operator.resources.project.credentials import GOOD_FOR
from ecs_operator.resources.project.guard import HOLD_TRIES
from tests.fakes.cloud import cloud_error
from tests.fakes.effects import When
from tests.unit.resources.project.opening import NAMESPACE, PASSWORD, spec
from tests.unit.resources.project.stage import LAB, WEB_0, Stage

OTHER = ObjectKey(PROJECT.plural, "", "other")


@pytest.fixture
def stage() -> Stage:
    stage = Stage()
    stage.add()
    return stage


def finalizers(stage: Stage, name: str = "lab") -> tuple[str, ...] | None:
    """Those of a Secret, None when it does not exist."""
    found = stage.store.secret_of(NAMESPACE, name)
    return None if found is None else found.finalizers


def credentials(name: str) -> dict[str, object]:
    return {"password": {"secretRef": {"name": name}}}


# --- on, before the first use ---


async def test_the_finalizer_is_on_before_the_values_are_used(stage: Stage) -> None:
    stage.store.fail("hold", UnavailableError("503"))
    with pytest.raises(UnavailableError):
        await stage.reconciler.reconcile(LAB)
    assert stage.opener.calls == 0
    await stage.reconciler.reconcile(LAB)
    assert finalizers(stage) == (CREDENTIALS_FINALIZER,)
    assert stage.effects.log.index("hold") < stage.effects.log.index("apply_status")
    assert stage.condition() == ("True", "Available")


async def test_an_object_that_comes_before_its_project_keeps_the_secret_too(stage: Stage) -> None:
    await stage.registry.find(namespace="shop", project_ref="lab", pinned=None)
    assert finalizers(stage) == (CREDENTIALS_FINALIZER,)


async def test_to_put_it_on_is_no_news_of_the_secret(stage: Stage) -> None:
    """It changes the resourceVersion, but the values are the same: the cloud is not asked once more."""
    await stage.work(seconds=4 * GOOD_FOR)
    assert stage.effects.log == ["add_finalizer", "hold", "apply_status"]
    assert stage.cloud.calls.count("showLimits") == 1
    assert stage.store.reads.count("held") == 1


async def test_one_that_somebody_took_off_comes_back_with_the_next_reading(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.store.set_secret_finalizers(NAMESPACE, "lab", "example.test/theirs")
    stage.clock.advance(GOOD_FOR)
    await stage.reconciler.reconcile(LAB)
    assert finalizers(stage) == ("example.test/theirs", CREDENTIALS_FINALIZER)


@pytest.mark.parametrize("error", [ConflictError("409: another uid"), RefusedError("422: in deletion")], ids=["made anew", "in deletion"])
async def test_a_secret_that_changes_while_it_is_taken_is_read_again(stage: Stage, error: Exception) -> None:
    stage.store.fail("hold", error)  # type: ignore[arg-type]
    await stage.reconciler.reconcile(LAB)
    assert finalizers(stage) == (CREDENTIALS_FINALIZER,)
    assert stage.store.reads.count(f"secret {NAMESPACE}/lab") == 2


async def test_without_the_right_to_keep_it_the_project_says_so(stage: Stage) -> None:
    stage.store.fail("hold", RefusedError("APPLY secrets/x/lab finalizer: 403 Forbidden"), times=HOLD_TRIES)
    await stage.reconciler.reconcile(LAB)
    assert stage.condition() == ("False", "CredentialsMissing")
    assert "may not read or keep the credentials: APPLY secrets/x/lab finalizer: 403 Forbidden" in stage.message()
    assert stage.opener.calls == 0


# --- while it is needed ---


async def test_a_secret_in_use_outlives_its_deletion_and_the_project_says_why(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.user()
    stage.store.delete_secret(NAMESPACE, "lab")
    assert isinstance(await stage.work(), Blocked)
    assert finalizers(stage) == (CREDENTIALS_FINALIZER,)
    assert stage.condition() == ("True", "Available"), "it still serves"
    assert stage.message() == (
        "signed in to project project-1 in region eu-west-0; the Secret ecs-operator-system/lab is being deleted and kept while it is "
        "needed by EcsServer shop/web-0: name another Secret in spec.credentials, or delete them"
    )
    writes = stage.writer.writes
    await stage.work(seconds=200)
    assert stage.writer.writes == writes, "it is said once"


async def test_with_the_last_object_it_goes(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.user()
    stage.store.delete_secret(NAMESPACE, "lab")
    await stage.work()
    stage.store.delete(WEB_0)
    await stage.work()
    assert finalizers(stage) is None
    assert stage.condition() == ("False", "CredentialsMissing")
    stage.store.set_secret(NAMESPACE, "lab", **PASSWORD)
    await stage.work()
    assert stage.condition() == ("True", "Available")
    assert finalizers(stage) == (CREDENTIALS_FINALIZER,)


async def test_an_object_that_begins_between_the_two_looks_keeps_it(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.store.delete_secret(NAMESPACE, "lab")
    stage.clock.advance(GOOD_FOR)
    outcome = await stage.reconciler.reconcile(LAB)
    assert isinstance(outcome, Blocked)
    assert "let go in a moment" in stage.message()
    stage.user()
    stage.clock.advance(outcome.at_most)
    await stage.reconciler.reconcile(LAB)
    assert "EcsServer shop/web-0" in stage.message()
    await stage.work()
    assert finalizers(stage) == (CREDENTIALS_FINALIZER,)


async def test_values_the_cloud_refuses_are_let_go_as_well(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.cloud.fail("showLimits", cloud_error("showLimits", meaning=Meaning.AUTH, status=401), times=20)
    stage.store.delete_secret(NAMESPACE, "lab")
    stage.clock.advance(GOOD_FOR)
    await stage.work()
    assert finalizers(stage) is None


async def test_of_two_projects_with_one_secret_the_other_may_need_it(stage: Stage) -> None:
    stage.add("other")
    for key in (LAB, OTHER):
        await stage.reconciler.reconcile(key)
    stage.user(project="other")
    stage.store.delete_secret(NAMESPACE, "lab")
    for key in (LAB, OTHER):
        await stage.work(key)
        assert "needed by EcsServer shop/web-0" in stage.message(key=key)
    stage.store.edit(OTHER, credentials=credentials("second"))
    stage.store.set_secret(NAMESPACE, "second", **PASSWORD)
    await stage.work(OTHER)
    await stage.work(LAB)
    assert (finalizers(stage), finalizers(stage, "second")) == (None, (CREDENTIALS_FINALIZER,))


# --- off, last ---


async def test_another_secret_lets_the_first_one_go(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.user()
    stage.store.delete_secret(NAMESPACE, "lab")
    stage.store.set_secret(NAMESPACE, "second", **PASSWORD)
    stage.store.edit(LAB, credentials=credentials("second"))
    await stage.reconciler.reconcile(LAB)
    assert (finalizers(stage), finalizers(stage, "second")) == (None, (CREDENTIALS_FINALIZER,))
    assert stage.condition() == ("True", "Available")
    assert "deleted" not in stage.message()


async def test_one_that_another_project_names_is_kept_though_that_one_cannot_be_read(stage: Stage) -> None:
    stage.store.create(PROJECT.plural, "other", {**spec(), "region": None})
    await stage.reconciler.reconcile(LAB)
    stage.store.set_secret(NAMESPACE, "second", **PASSWORD)
    stage.store.edit(LAB, credentials=credentials("second"))
    await stage.reconciler.reconcile(LAB)
    assert finalizers(stage) == (CREDENTIALS_FINALIZER,)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", range(6))
async def test_killed_around_any_effect_of_an_exchange(stage: Stage, effect: int, when: When) -> None:
    """add_finalizer, hold, apply_status; and hold, apply_status, release."""
    stage.effects.kill(effect, when)
    if effect < 3:
        await stage.work()
    else:
        await stage.reconciler.reconcile(LAB)
    stage.store.set_secret(NAMESPACE, "second", **PASSWORD)
    stage.store.edit(LAB, credentials=credentials("second"), resyncPeriodSeconds=200)
    stage.cloud.limits_now = stage.cloud.limits_now.model_copy(update={"total_instances_used": 13})
    await stage.work()
    assert stage.deaths == 1
    assert (finalizers(stage), finalizers(stage, "second")) == ((), (CREDENTIALS_FINALIZER,))
    assert stage.condition() == ("True", "Available")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", range(5))
async def test_killed_around_any_effect_of_the_projects_life(stage: Stage, effect: int, when: When) -> None:
    """add_finalizer, hold, apply_status, release, remove_finalizer: in that order, and nothing is left."""
    stage.effects.kill(effect, when)
    if effect < 3:
        await stage.work()
    else:
        await stage.reconciler.reconcile(LAB)
    stage.store.delete(LAB)
    assert isinstance(await stage.work(), Done | Gone)
    assert stage.deaths == 1
    assert LAB not in stage.store
    assert finalizers(stage) == ()
    order = [each for each in dict.fromkeys(stage.effects.log) if each in {"hold", "release", "remove_finalizer"}]
    assert order == ["hold", "release", "remove_finalizer"]


async def test_a_project_in_use_keeps_its_secret_though_both_are_deleted(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    stage.user()
    stage.store.delete_secret(NAMESPACE, "lab")
    stage.store.delete(LAB)
    await stage.work()
    assert finalizers(stage) == (CREDENTIALS_FINALIZER,)
    assert stage.condition() == ("False", "InUse")
    stage.store.delete(WEB_0)
    assert await stage.work() == Done()
    assert finalizers(stage) is None


async def test_a_project_that_goes_leaves_the_secret_of_another(stage: Stage) -> None:
    stage.add("other")
    for key in (LAB, OTHER):
        await stage.reconciler.reconcile(key)
    stage.store.delete(LAB)
    assert await stage.work() == Done()
    assert finalizers(stage) == (CREDENTIALS_FINALIZER,)


async def test_a_project_that_was_removed_by_force_keeps_nothing(stage: Stage) -> None:
    await stage.reconciler.reconcile(LAB)
    await stage.store.remove_finalizer(stage.store[LAB])
    stage.store.delete(LAB)
    assert await stage.reconciler.reconcile(LAB) == Gone()
    assert finalizers(stage) == ()


async def test_what_an_earlier_process_left_is_found_at_the_start(stage: Stage) -> None:
    """It removed a project by force while no operator ran."""
    stage.add("other", credentials=credentials("second"))
    stage.store.set_secret(NAMESPACE, "second", **PASSWORD)
    for key in (LAB, OTHER):
        await stage.reconciler.reconcile(key)
    await stage.store.remove_finalizer(stage.store[OTHER])
    stage.store.delete(OTHER)
    stage.start()
    await stage.reconciler.reconcile(LAB)
    assert (finalizers(stage), finalizers(stage, "second")) == ((CREDENTIALS_FINALIZER,), ())
    assert FINALIZER in stage.store[LAB].finalizers
