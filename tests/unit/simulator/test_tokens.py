"""X-Client-Token: 8 hours, Ecs.0122, Ecs.0123, Ecs.0124, and endpoints that do not know it."""

from __future__ import annotations

import pytest

from tests.unit.simulator.stage import TOKEN, Stage, request


def created(stage: Stage) -> int:
    return len(stage.entries("create", "server"))


def test_the_same_again_is_answered_as_the_first_time(stage: Stage) -> None:
    first = stage.call("createServers", request(), token=TOKEN)
    for wait in (0, 5, 8 * 3600 - 5):
        stage.pass_time(wait)
        assert stage.call("createServers", request(), token=TOKEN.upper()).body == first.body
    assert created(stage) == 1
    assert stage.entries("create", "server")[0]["token"] == TOKEN


def test_the_order_of_fields_does_not_matter(stage: Stage) -> None:
    body = request()
    stage.call("createServers", body, token=TOKEN)
    stage.call("createServers", {"server": dict(reversed(body["server"].items()))}, token=TOKEN)
    assert created(stage) == 1


def test_it_holds_whatever_happened_meanwhile(stage: Stage) -> None:
    first = stage.call("createServers", request(), token=TOKEN)
    stage.world.fail_job(first.body["job_id"], code="Ecs.0219", reason="")
    stage.world.set_project(stage.project.id, quota={"instances": 0})
    stage.world.set_behaviour({"jobRetention": 0})
    assert stage.call("createServers", request(), token=TOKEN).body == first.body


def test_refusals(stage: Stage) -> None:
    assert stage.code("createServers", request(), token="not-a-uuid") == (400, "Ecs.0123")
    stage.call("createServers", request(), token=TOKEN)
    assert stage.code("createServers", request(name="other"), token=TOKEN) == (400, "Ecs.0122")
    stage.pass_time(8 * 3600 + 1)
    assert stage.code("createServers", request(), token=TOKEN) == (400, "Ecs.0124")
    assert created(stage) == 1


def test_a_refused_request_uses_no_token_up(stage: Stage) -> None:
    stage.world.set_project(stage.project.id, quota={"instances": 0})
    assert stage.code("createServers", request(), token=TOKEN) == (400, "Ecs.0001")
    stage.world.set_project(stage.project.id, quota={"instances": 1})
    stage.call("createServers", request(name="other"), token=TOKEN)
    assert created(stage) == 1


@pytest.mark.parametrize(("switch", "wait"), [({"clientToken": "ignore"}, 0), ({"clientTokenExpiry": "forget"}, 8 * 3600 + 1)])
def test_where_it_means_nothing(stage: Stage, switch: dict[str, str], wait: float) -> None:
    stage.world.set_behaviour(switch)
    first = stage.call("createServers", request(), token=TOKEN)
    stage.pass_time(wait)
    assert stage.call("createServers", request(), token=TOKEN).body != first.body
    assert created(stage) == 2


def test_ignored_tokens_are_not_even_looked_at(stage: Stage) -> None:
    stage.world.set_behaviour({"clientToken": "ignore"})
    assert stage.call("createServers", request(), token="not-a-uuid").status == 200


def test_projects_do_not_share_tokens(stage: Stage) -> None:
    account = stage.world.add_project("t-1")
    other = stage.world.projects[account["projectId"]]
    stage.call("createServers", request(), token=TOKEN)
    body = request(vpcid=account["vpcId"], nics=[{"subnet_id": account["subnetId"]}], key_name=account["keyPairName"])
    assert stage.call("createServers", body, token=TOKEN, project=other).status == 200
