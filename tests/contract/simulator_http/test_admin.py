"""The admin API: what it steers, and what it says to wrong calls."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from ecs_simulator.admin.events import PORTION
from ecs_simulator.seed import default_seed
from tests.contract.simulator_http.stage import CREATE, LIMITS, LIST, PROJECT, SERVER, Lab, running, signed


async def test_health_and_state(user: Lab) -> None:
    assert (await user.admin.get("/_sim/health")).json()["status"] == "ok"
    await user.api.post(CREATE, json=SERVER)
    assert PROJECT in json.dumps((await user.admin.get("/_sim/state")).json())
    # The admin API is not on the API's port, and the other way round.
    assert (await user.api.get("/_sim/health")).status_code == 404
    assert (await user.admin.get(LIMITS)).status_code == 404


async def test_time_is_steered(user: Lab) -> None:
    frozen = (await user.admin.post("/_sim/clock", json={"mode": "frozen"})).json()
    job = (await user.api.post(CREATE, json=SERVER)).json()["job_id"]
    target = f"/v1/{PROJECT}/jobs/{job}"
    assert (await user.api.get(target)).json()["status"] in {"INIT", "RUNNING"}
    later = (await user.admin.post("/_sim/clock", json={"advance": 3600})).json()
    assert later["now"] - frozen["now"] == pytest.approx(3600)
    assert (await user.api.get(target)).json()["status"] == "SUCCESS"
    scaled = (await user.admin.post("/_sim/clock", json={"mode": "scaled", "scale": 1000})).json()
    assert (scaled["mode"], scaled["scale"]) == ("scaled", 1000)
    assert scaled["now"] >= later["now"]


async def test_jobs_and_servers_are_steered(user: Lab) -> None:
    await user.admin.post("/_sim/clock", json={"mode": "frozen"})
    first, second = [(await user.api.post(CREATE, json=SERVER)).json()["job_id"] for _ in range(2)]
    assert (await user.admin.post(f"/_sim/jobs/{first}", json={"do": "finish"})).status_code == 200
    assert (await user.admin.post(f"/_sim/jobs/{second}", json={"do": "fail", "code": "Ecs.0219", "reason": "no host"})).status_code == 200
    done, failed = [(await user.api.get(f"/v1/{PROJECT}/jobs/{job}")).json() for job in (first, second)]
    assert done["status"] == "SUCCESS"
    assert (failed["status"], failed["error_code"]) == ("FAIL", "Ecs.0219")
    assert "no host" in json.dumps(failed)
    server = done["entities"]["sub_jobs"][0]["entities"]["server_id"]
    for action, status in (("stop", "SHUTOFF"), ("start", "ACTIVE"), ("error", "ERROR")):
        assert (await user.admin.post(f"/_sim/servers/{server}", json={"do": action})).status_code == 200
        assert (await user.api.get(f"/v2.1/{PROJECT}/servers/{server}")).json()["server"]["status"] == status
    assert (await user.admin.post(f"/_sim/servers/{server}", json={"do": "delete"})).status_code == 200
    assert (await user.api.get(f"/v2.1/{PROJECT}/servers/{server}")).status_code == 404
    planted = await user.admin.post("/_sim/servers", json={"project": PROJECT, "name": "web-1", "metadata": {"k": "v"}})
    seen = (await user.api.get(f"/v2.1/{PROJECT}/servers/{planted.json()['id']}")).json()["server"]
    assert (seen["name"], seen["metadata"].get("k")) == ("web-1", "v")


async def test_the_next_job_fails(user: Lab) -> None:
    wanted = {"project": PROJECT, "type": "createServer", "do": "fail", "code": "Ecs.0219", "reason": "no host", "leave": "nothing"}
    assert (await user.admin.post("/_sim/next-job", json=wanted)).status_code == 200
    job, fine = [(await user.api.post(CREATE, json=SERVER)).json()["job_id"] for _ in range(2)]
    await user.admin.post("/_sim/clock", json={"advance": 3600})
    assert (await user.api.get(f"/v1/{PROJECT}/jobs/{job}")).json()["error_code"] == "Ecs.0219"
    assert (await user.api.get(f"/v1/{PROJECT}/jobs/{fine}")).json()["status"] == "SUCCESS"


async def test_quota_frozen_and_sold_out(user: Lab) -> None:
    await user.admin.post(f"/_sim/projects/{PROJECT}", json={"quota": {"instances": 0}})
    answer = await user.api.post(CREATE, json=SERVER)
    assert answer.status_code >= 400
    await user.admin.post(f"/_sim/projects/{PROJECT}", json={"quota": {"instances": 10}, "frozen": True})
    answer = await user.api.post(CREATE, json=SERVER)
    assert answer.status_code == 403
    await user.admin.post(f"/_sim/projects/{PROJECT}", json={"frozen": False})
    await user.admin.post("/_sim/flavors/s3.large.2", json={"soldOut": ["eu-west-0a"]})
    answer = await user.api.post(CREATE, json=SERVER)
    sold_out = answer.status_code >= 400
    if not sold_out:
        # The shortage may also show in the job.
        await user.admin.post("/_sim/clock", json={"advance": 3600})
        sold_out = (await user.api.get(f"/v1/{PROJECT}/jobs/{answer.json()['job_id']}")).json()["status"] == "FAIL"
    assert sold_out
    await user.admin.post("/_sim/flavors/s3.large.2", json={"soldOut": []})
    assert (await user.api.post(CREATE, json=SERVER)).status_code == 200


async def test_snapshot_restore_and_reset(user: Lab) -> None:
    await user.api.post(CREATE, json=SERVER)
    kept = (await user.admin.post("/_sim/snapshot")).json()["id"]
    await user.api.post(CREATE, json=SERVER)
    assert await user.created() == 2
    assert (await user.admin.post("/_sim/restore", json={"id": kept})).status_code == 200
    assert await user.created() == 1
    assert (await user.api.get(LIMITS)).status_code == 200
    assert (await user.admin.post("/_sim/restore", json={"id": "snapshot-99"})).status_code == 404
    await user.fault(do={"status": 503})
    assert (await user.admin.post("/_sim/reset")).status_code == 200
    assert await user.created() == 0
    assert (await user.api.get(LIMITS)).status_code == 401
    await user.log_in()
    assert (await user.api.get(LIMITS)).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"zones": []},
        {"zones": "eu-west-0a"},
        {"zoens": ["eu-west-0a"]},
        {"seed": "one"},
        {"projects": [{}]},
        {"projects": [1]},
        {"flavors": [{"id": "x", "vcpus": "many", "ram": 1}]},
        {"behaviour": {"clientToken": "maybe"}},
        {"durations": {"create_server": -1}},
    ],
)
async def test_a_bad_seed_changes_nothing(user: Lab, change: dict[str, object]) -> None:
    await user.api.post(CREATE, json=SERVER)
    answer = await user.admin.post("/_sim/seed", json=default_seed() | change)
    assert answer.status_code == 400, answer.text
    assert await user.created() == 1
    # And what it is reset to is the seed it had.
    assert (await user.admin.post("/_sim/reset")).status_code == 200
    assert await user.created() == 0
    await user.log_in()


async def test_a_reset_unlocks_access_keys(lab: Lab) -> None:
    await lab.admin.post("/_sim/behaviour", json={"accessKeyLock": True})
    for _ in range(6):
        await lab.api.get(LIMITS, headers=signed(lab, "GET", LIMITS, secret="forged"))
    assert (await lab.api.get(LIMITS, headers=signed(lab, "GET", LIMITS))).status_code == 401
    await lab.admin.post("/_sim/reset")
    assert (await lab.api.get(LIMITS, headers=signed(lab, "GET", LIMITS))).status_code == 200


async def test_a_state_file_is_only_due_for_what_changes(user: Lab) -> None:
    """A client that only reads costs no disk."""
    simulator = user.cloud.simulator
    job = (await user.api.post(CREATE, json=SERVER)).json()["job_id"]
    kept = simulator.changes
    for target in (LIMITS, LIST, f"/v1/{PROJECT}/jobs/{job}", "/v3/projects", "/nowhere"):
        await user.api.get(target)
    for target in ("state", "ledger", "requests", "faults", "clock", "durations", "behaviour", "snapshots"):
        assert (await user.admin.get(f"/_sim/{target}")).status_code == 200
    assert simulator.changes == kept
    for changing in (
        user.api.post(CREATE, json=SERVER),
        user.token(),
        user.admin.post("/_sim/clock", json={"advance": 1}),
        user.admin.delete("/_sim/tokens"),
        user.admin.post("/_sim/reset"),
    ):
        await changing
        assert simulator.changes > kept
        kept = simulator.changes


async def test_logs_are_asked_from_a_number_on(user: Lab) -> None:
    for _ in range(3):
        await user.api.post(CREATE, json=SERVER)
    requests = (await user.admin.get("/_sim/requests")).json()["requests"]
    numbers = [entry["seq"] for entry in requests]
    assert numbers == list(range(1, len(numbers) + 1))
    for since, limit, expected in (
        (0, 2, numbers[-2:]),
        (2, None, numbers[2:]),
        (2, 1, numbers[-1:]),
        (len(numbers), None, []),
        (999, 5, []),
    ):
        params = {"since": since} | ({} if limit is None else {"limit": limit})
        found = (await user.admin.get("/_sim/requests", params=params)).json()["requests"]
        assert [entry["seq"] for entry in found] == expected
    entries = (await user.admin.get("/_sim/ledger")).json()["entries"]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert (await user.admin.get("/_sim/ledger", params={"since": 4})).json()["entries"] == entries[4:]
    assert (await user.admin.get("/_sim/ledger", params={"since": len(entries)})).json()["entries"] == []
    assert (await user.admin.get("/_sim/ledger", params={"project": "none"})).json()["entries"] == []


@pytest.mark.parametrize(
    ("call", "body", "status", "named"),
    [
        ("POST /_sim/faults", {"do": {}}, 400, "do"),
        ("POST /_sim/faults", {"do": {"drop": True}, "tmies": 1}, 400, "tmies"),
        ("POST /_sim/clock", {"mode": "fast"}, 400, "mode"),
        ("POST /_sim/clock", {"scale": -1}, 400, "scale"),
        ("POST /_sim/clock", {"advance": -1}, 400, "advance"),
        ("POST /_sim/clock", {"forward": 1}, 400, "forward"),
        ("POST /_sim/durations", {"create_server": "long"}, 400, "create_server"),
        ("POST /_sim/durations", {"create_sevrer": 1}, 400, "create_sevrer"),
        ("POST /_sim/behaviour", {"clientToken": "maybe"}, 400, "clientToken"),
        ("POST /_sim/behaviour", {"clientTokens": "honour"}, 400, "clientTokens"),
        ("POST /_sim/jobs/none", {"do": "finish"}, 404, "none"),
        ("POST /_sim/jobs/none", {"do": "explode"}, 400, "do"),
        ("POST /_sim/servers/none", {"do": "stop"}, 404, "none"),
        ("POST /_sim/servers", {"project": "none", "name": "x"}, 404, "none"),
        ("POST /_sim/flavors/none", {"soldOut": []}, 404, "none"),
        ("POST /_sim/flavors/s3.large.2", {"soldOut": "eu-west-0a"}, 400, "soldOut"),
        ("POST /_sim/projects", {}, 400, "name"),
        ("POST /_sim/projects", {"name": "t", "quota": {"instances": "many"}}, 400, "quota"),
        ("POST /_sim/projects/none", {"frozen": True}, 404, "none"),
        ("POST /_sim/next-job", {"project": "none", "type": "createServer"}, 404, "none"),
        ("POST /_sim/reset", [1], 400, "object"),
        ("GET /_sim/requests?limit=x", None, 400, "limit"),
        ("GET /_sim/nonsense", None, 404, "nonsense"),
        ("DELETE /_sim/clock", None, 405, "DELETE"),
    ],
)
async def test_wrong_admin_calls_are_told_what_is_wrong(lab: Lab, call: str, body: object, status: int, named: str) -> None:
    method, path = call.split(" ")
    answer = await lab.admin.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert named in answer.json()["error"]


async def test_events_are_streamed(user: Lab) -> None:
    async with user.admin.stream("GET", "/_sim/events") as stream:
        events = stream.aiter_lines()
        assert await anext(events) == ": listening"
        await user.api.post(CREATE, json=SERVER)
        assert await seen(events, {"request", "ledger"}) == {"request", "ledger"}


async def test_events_go_on_in_another_world(user: Lab) -> None:
    """After a reset the ledger begins anew, after a restore it goes on where the snapshot ended; nothing is told twice or left out."""
    await user.api.post(CREATE, json=SERVER)
    kept = user.cloud.world.ledger.last_seq
    snapshot = (await user.admin.post("/_sim/snapshot")).json()["id"]
    await user.api.post(CREATE, json=SERVER)
    async with user.admin.stream("GET", "/_sim/events") as stream:
        events = stream.aiter_lines()
        await user.admin.post("/_sim/restore", json={"id": snapshot})
        await user.api.post(CREATE, json=SERVER)
        assert await numbers(events) == (kept, kept + 1)
        await user.admin.post("/_sim/reset")
        await user.log_in()
        await user.api.post(CREATE, json=SERVER)
        assert await numbers(events) == (0, 1)


async def test_who_falls_behind_catches_up_in_portions(user: Lab) -> None:
    """More than a portion at once: every entry comes, in order."""
    async with user.admin.stream("GET", "/_sim/events") as stream:
        events = stream.aiter_lines()
        many = {"server": SERVER["server"] | {"name": "many", "count": 400}}
        await user.api.post(CREATE, json=many)
        last = user.cloud.world.ledger.last_seq
        assert last > 2 * PORTION
        found: list[int] = []
        async with asyncio.timeout(20):
            async for line in events:
                if line.startswith("data: ") and "marker" in (entry := json.loads(line.removeprefix("data: "))):
                    found.append(entry["seq"])
                    if entry["seq"] == last:
                        break
        assert found == list(range(1, last + 1))


async def test_streams_end_with_the_simulator() -> None:
    async with running() as lab, lab.admin.stream("GET", "/_sim/events") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == ": listening"
        lab.cloud.simulator.close()
        async with asyncio.timeout(10):
            assert [line async for line in lines if line.startswith("event")] == []


async def seen(lines: AsyncIterator[str], wanted: set[str]) -> set[str]:
    """The kinds of events that come, until all the wanted ones did."""
    kinds: set[str] = set()
    async with asyncio.timeout(10):
        while not wanted <= kinds:
            line = await anext(lines)
            if line.startswith("event: "):
                kinds.add(line.removeprefix("event: "))
    return kinds


async def numbers(lines: AsyncIterator[str]) -> tuple[int, int]:
    """The ledger's number at which the next world begins, and the number of the first entry after that."""
    begun = None
    kind = ""
    async with asyncio.timeout(10):
        while True:
            line = await anext(lines)
            if line.startswith("event: "):
                kind = line.removeprefix("event: ")
            elif line.startswith("data: ") and kind == "world":
                begun = int(json.loads(line.removeprefix("data: "))["ledger"])
            elif line.startswith("data: ") and kind == "ledger" and begun is not None:
                return begun, int(json.loads(line.removeprefix("data: "))["seq"])


async def test_the_admin_port_is_bound_to_loopback(lab: Lab) -> None:
    assert urlsplit(lab.cloud.admin_url).hostname == "127.0.0.1"
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {"127.0.0.1"}
    for address in others:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((str(address), urlsplit(lab.cloud.admin_url).port or 0), timeout=2).close()
