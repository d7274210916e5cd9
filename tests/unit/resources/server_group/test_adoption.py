"""Groups that were there already: taken over by id, by one object only, or only shown."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_operator.api.group import SERVER_GROUP
from ecs_operator.engine.objects import ObjectKey
from ecs_operator.resources.server_group.reconciler import ServerGroupReconciler
from tests.fakes.effects import When
from tests.fakes.stage import Stage

KEY = ObjectKey(SERVER_GROUP.plural, "shop", "web")
OTHER = ObjectKey(SERVER_GROUP.plural, "other", "web")
GROUP = "group-1"


def importing(**spec: Any) -> Stage:
    stage = Stage(lambda stage: ServerGroupReconciler(stage.desk))
    there = stage.cloud.add_group("theirs", "server-1")
    assert there.id == GROUP
    stage.cloud.add_server("server-1")
    stage.store.create(KEY.resource, KEY.name, {"import": {"id": GROUP}, **spec}, namespace=KEY.namespace)
    return stage


def second(stage: Stage) -> None:
    stage.clock.advance(60)
    stage.store.create(OTHER.resource, OTHER.name, {"import": {"id": GROUP}}, namespace=OTHER.namespace)


def untouched(stage: Stage) -> bool:
    return not {"createServerGroup", "deleteServerGroup"} & set(stage.cloud.calls) and GROUP in stage.cloud.group_rows


async def test_a_group_is_adopted_by_its_id() -> None:
    stage = importing()
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available")
    status = stage.status(KEY)
    assert (status["id"], status["project"], status["adoption"]) == (GROUP, "lab", {"id": GROUP, "state": "Adopted"})
    assert [each["serverId"] for each in status["members"]] == ["server-1"]
    assert "intent" not in status
    assert untouched(stage)
    writes = stage.effects.log.count("apply_status")
    await stage.once(KEY)
    assert stage.effects.log.count("apply_status") == writes


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"import": {"id": "group-9"}}, "there is no server group group-9 in EcsProject lab"),
        ({"name": "web"}, "spec.name is web, the group is named theirs"),
    ],
)
async def test_what_does_not_fit_is_said(spec: dict[str, Any], says: str) -> None:
    stage = importing(**spec)
    await stage.once(KEY)
    assert stage.condition(KEY) == ("False", "InvalidConfiguration")
    assert says in stage.message(KEY)
    assert "id" not in stage.status(KEY)
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert untouched(stage)


async def test_a_policy_that_differs() -> None:
    stage = importing()
    stage.cloud.group_rows[GROUP] = stage.cloud.group_rows[GROUP].model_copy(update={"policies": ("affinity",)})
    await stage.once(KEY)
    assert "spec.policy is anti-affinity, the group has affinity" in stage.message(KEY)


async def test_its_whole_name_may_be_given() -> None:
    stage = importing(name="theirs")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available")


@pytest.mark.parametrize("order", [(KEY, OTHER), (OTHER, KEY)])
async def test_of_two_objects_one_gets_it_and_the_other_names_it(order: tuple[ObjectKey, ObjectKey]) -> None:
    stage = importing()
    second(stage)
    for _ in range(6):
        for key in order:
            await stage.once(key)
        stage.clock.advance(5)
    holders = [key for key in order if stage.status(key).get("id") == GROUP]
    assert len(holders) == 1
    [holder] = holders
    [loser] = {KEY, OTHER} - {holder}
    assert stage.condition(loser) == ("False", "OwnershipConflict")
    assert f"EcsServerGroup {holder.namespace}/web" in stage.message(loser)
    stage.reconciler = stage.build(stage)
    await stage.once(loser)
    assert stage.condition(loser) == ("False", "OwnershipConflict")
    stage.store.delete(loser)
    await stage.settle(loser)
    assert loser not in stage.store
    assert untouched(stage)


@pytest.mark.parametrize("state", ["known", "asked for"])
async def test_a_group_that_another_object_made_is_refused(state: str) -> None:
    stage = Stage(lambda stage: ServerGroupReconciler(stage.desk))
    stage.store.create(OTHER.resource, OTHER.name, {}, namespace=OTHER.namespace)
    await stage.settle(OTHER)
    made = stage.status(OTHER)["id"]
    if state == "asked for":
        stage.store.set_status(OTHER, {key: value for key, value in stage.status(OTHER).items() if key != "id"})
    stage.store.create(KEY.resource, KEY.name, {"import": {"id": made}}, namespace=KEY.namespace)
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("False", "OwnershipConflict")
    assert "EcsServerGroup other/web" in stage.message(KEY)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("effect", range(4))
async def test_killed_around_any_effect(effect: int, when: When) -> None:
    stage = importing()
    stage.effects.kill(effect, when)
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available")
    assert stage.deaths == 1
    assert untouched(stage)


async def test_an_adopted_group_goes_with_its_object() -> None:
    stage = importing()
    await stage.settle(KEY)
    stage.cloud.set_members(GROUP)
    namesake = stage.cloud.add_group("theirs")
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert set(stage.cloud.group_rows) == {namesake.id}, "only the one that was adopted"


async def test_retained_and_adopted_again() -> None:
    stage = Stage(lambda stage: ServerGroupReconciler(stage.desk))
    stage.store.create(KEY.resource, KEY.name, {"deletionPolicy": "Retain"}, namespace=KEY.namespace)
    await stage.settle(KEY)
    group_id = stage.status(KEY)["id"]
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert any(f"the group {group_id} stays" in str(each) for each in stage.events.recorded)
    stage.store.create(KEY.resource, KEY.name, {"import": {"id": group_id}}, namespace=KEY.namespace)
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available")
    assert stage.cloud.calls.count("createServerGroup") == 1


async def test_observed_it_is_shown_and_left() -> None:
    stage = importing(managementPolicy="Observe", name="whatever")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Observed")
    assert [each["serverId"] for each in stage.status(KEY)["members"]] == ["server-1"]
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert untouched(stage)


async def test_observed_then_managed_it_is_adopted_unless_somebody_was_faster() -> None:
    stage = importing(managementPolicy="Observe")
    await stage.settle(KEY)
    second(stage)
    await stage.settle(OTHER)
    assert stage.condition(OTHER) == ("True", "Available"), "what is only observed is nobody's"
    stage.store.edit(KEY, managementPolicy="Managed")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("False", "OwnershipConflict")
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert KEY not in stage.store
    assert untouched(stage)


async def test_a_group_made_here_is_left_while_it_is_only_observed() -> None:
    stage = Stage(lambda stage: ServerGroupReconciler(stage.desk))
    stage.store.create(KEY.resource, KEY.name, {}, namespace=KEY.namespace)
    await stage.settle(KEY)
    stage.store.edit(KEY, managementPolicy="Observe")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Observed")
    stage.store.edit(KEY, managementPolicy="Managed")
    await stage.settle(KEY)
    assert stage.condition(KEY) == ("True", "Available")
    stage.store.delete(KEY)
    await stage.settle(KEY)
    assert stage.cloud.group_rows == {}
