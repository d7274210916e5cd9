"""What existing programs put on the wire, recorded from the real ones: the vendor's SDK, openstacksdk and novaclient (simulator/examples).

The signatures are the vendor SDK's own. The gateway's clock is put back to when they were made.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.contract.stage import PROJECT, Lab

RECORDED = Path(__file__).parent / "recorded"
SIGNED: list[dict[str, Any]] = json.loads((RECORDED / "huaweicloud_sdk.json").read_text())
UNSIGNED: list[dict[str, Any]] = json.loads((RECORDED / "openstack.json").read_text())
LOGINS = [row for row in UNSIGNED if row["target"] == "/v3/auth/tokens"]


@pytest_asyncio.fixture
async def wire(lab: Lab) -> AsyncIterator[httpx.AsyncClient]:
    """A connection to a simulated cloud whose gateway lives when the signatures were made."""
    made = datetime.strptime(SIGNED[0]["headers"]["X-Sdk-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    await lab.tell("clock", {"gatewaySkew": made.timestamp() - time.time()})
    async with httpx.AsyncClient(base_url=lab.cloud.url, trust_env=False) as client:
        yield client


async def send(wire: httpx.AsyncClient, row: Mapping[str, Any], **headers: str) -> httpx.Response:
    """Send a request as it was recorded, byte for byte."""
    content = (row["body"] or "").encode()
    request = wire.build_request(row["method"], "/", headers={**row["headers"], **headers}, content=content)
    request.url = request.url.copy_with(raw_path=row["target"].encode("ascii"))
    return await wire.send(request)


@pytest.mark.parametrize("row", SIGNED, ids=lambda row: row["name"])
async def test_the_vendors_signatures_hold(wire: httpx.AsyncClient, row: dict[str, Any]) -> None:
    answer = await send(wire, row)
    assert answer.status_code == row["status"], answer.text


@pytest.mark.parametrize("row", SIGNED, ids=lambda row: row["name"])
async def test_and_hold_for_nothing_else(wire: httpx.AsyncClient, row: dict[str, Any]) -> None:
    other_body = {**row, "body": row["body"].replace('"', '" ', 1) if row["body"] else "{}"}
    other_target = {**row, "target": row["target"] + ("&a=b" if "?" in row["target"] else "?a=b")}
    for changed in (other_body, other_target):
        assert (await send(wire, changed)).status_code == 401
    assert (await send(wire, row, **{"User-Agent": "other"})).status_code == 401, "it is signed, too"


async def test_the_vendors_sdk_finds_its_project_and_its_errors(wire: httpx.AsyncClient) -> None:
    by_name = {row["name"]: row for row in SIGNED}
    projects = (await send(wire, by_name["asks for the project of the region"])).json()["projects"]
    assert [project["id"] for project in projects] == [PROJECT], "it gives up unless there is exactly one"
    refused = (await send(wire, by_name["deletes an odd key"])).json()
    assert refused["error"]["code"] == "Ecs.0114", "the shape of chapter 5, though the reference has this under /v2.1 only"
    native = (await send(wire, by_name["asks for a microversion"])).json()
    assert native["itemNotFound"]["code"] == 404


async def test_the_vendors_sdk_sees_what_it_made(lab: Lab, wire: httpx.AsyncClient) -> None:
    by_name = {row["name"]: row for row in SIGNED}
    for name in ("creates a server", "creates a server by the newer path"):
        assert (await send(wire, by_name[name])).json()["job_id"]
    await lab.advance(10)
    token = (await send(wire, LOGINS[0])).headers["x-subject-token"]
    listed = (await wire.get(f"/v1/{PROJECT}/cloudservers/detail?limit=1&offset=2", headers={"X-Auth-Token": token})).json()
    assert (listed["count"], [server["name"] for server in listed["servers"]]) == (2, ["云-1"])
    assert listed["servers"][0]["description"] == "Größe ~ 1"


@pytest.mark.parametrize("row", UNSIGNED, ids=lambda row: row["name"])
async def test_what_openstack_programs_send(lab: Lab, row: dict[str, Any]) -> None:
    async with httpx.AsyncClient(base_url=lab.cloud.url, trust_env=False) as wire:
        token = (await send(wire, LOGINS[0])).headers["x-subject-token"]
        answer = await send(wire, row, **{"X-Auth-Token": token})
    assert answer.status_code == row["status"], answer.text


@pytest.mark.parametrize("login", LOGINS, ids=lambda row: row["name"])
async def test_the_catalogue_leads_to_every_service(lab: Lab, login: dict[str, Any]) -> None:
    async with httpx.AsyncClient(base_url=lab.cloud.url, trust_env=False) as wire:
        answer = await send(wire, login)
        token, catalog = answer.headers["x-subject-token"], answer.json()["token"]["catalog"]
        urls = {service["type"]: service["endpoints"][0]["url"] for service in catalog}
        assert set(urls) == {"identity", "compute", "compute_legacy", "ecs", "image", "block-storage"}
        assert {endpoint["interface"] for service in catalog for endpoint in service["endpoints"]} == {"public"}
        found = {
            "identity": (await wire.get(urls["identity"])).json()["version"]["id"],
            "compute": (await wire.get(urls["compute"].removesuffix(f"/{PROJECT}"))).json()["version"]["version"],
            "image": (await wire.get(urls["image"])).json()["versions"][0]["id"],
            "block-storage": (await wire.get(urls["block-storage"].removesuffix(f"/v3/{PROJECT}"))).json()["versions"][0]["id"],
        }
        assert found == {"identity": "v3.6", "compute": "2.60", "image": "v2.9", "block-storage": "v3.0"}
        headers = {"X-Auth-Token": token}
        for kind, path in (("compute", "servers"), ("compute_legacy", "servers"), ("ecs", "cloudservers/limits")):
            assert (await wire.get(f"{urls[kind]}/{path}", headers=headers)).status_code == 200
