"""Operations that share a path and differ by a value in the body (5.9), and tags in URLs (6.15)."""

from __future__ import annotations

import pytest

from tests.contract.simulator_http.stage import CREATE, PROJECT, SERVER, Lab

QUERY = f"/v1/{PROJECT}/servers/resource_instances/action"
NATIVE = {"X-OpenStack-Nova-API-Version": "2.26"}


@pytest.mark.parametrize("action", ["FILTER", "create", "", None, ["count"], {"count": 1}, 1])
async def test_other_actions(user: Lab, action: object) -> None:
    for target in (QUERY, f"/v1/{PROJECT}/servers/x/tags/action"):
        answer = await user.api.post(target, json={"action": action, "count": {}, "create": {}})
        if (action, target) == ("create", f"/v1/{PROJECT}/servers/x/tags/action"):
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "Ecs.0114")
        else:
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, "Ecs.0005")


async def test_a_key_of_that_name_is_no_action(user: Lab) -> None:
    answer = await user.api.post(f"/v2.1/{PROJECT}/servers/x/action", json={"action": "os-start"})
    assert (answer.status_code, answer.json()["badRequest"]["message"]) == (400, "There is no such action: action")


async def test_the_examples_of_the_reference(user: Lab) -> None:
    answer = await user.api.post(QUERY, json={"offset": "100", "limit": "100", "action": "filter"})
    assert (answer.status_code, answer.json()) == (200, {"resources": [], "total_count": 0})
    assert (await user.api.post(QUERY, json={"action": "count"})).json() == {"total_count": 0}


async def test_tags_in_urls(user: Lab) -> None:
    server_id = (await user.api.post(CREATE, json=SERVER)).json()["serverIds"][0]
    await user.admin.post("/_sim/clock", json={"mode": "frozen", "advance": 60})
    tags = f"/v2.1/{PROJECT}/servers/{server_id}/tags"
    answer = await user.api.put(f"{tags}/a%20%C3%BC", headers=NATIVE)
    assert (answer.status_code, answer.json()["title"]) == (201, "Created")
    assert answer.headers["Location"].endswith(f"/servers/{server_id}/tags/a%20%C3%BC")
    assert (await user.api.get(f"{tags}/", headers=NATIVE)).json() == {"tags": ["a \u00fc"]}
    assert (await user.api.put(f"{tags}/a%2Fb", headers=NATIVE)).status_code == 400
    assert (await user.api.get(tags)).status_code == 404, "there are none in 2.1"
    assert (await user.api.delete(f"{tags}/", headers=NATIVE)).status_code == 204
    assert (await user.api.get(tags, headers=NATIVE)).json() == {"tags": []}
