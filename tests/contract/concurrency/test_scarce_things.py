"""Two hundred callers at once want what is not there for all of them: exactly as many get it as there is, and the books are right."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import pytest_asyncio

from ecs_simulator.world import Project
from tests.contract.invariants import assert_consistent, within_quota
from tests.contract.stage import IMAGE, PROJECT, SUBNET, VOLUME, VPC, Lab

CALLERS = 200
EIP = "a2b4c6d8-1111-4222-8333-944455566677"
PORT = "d5a3f1c7-2b64-4e0e-8f31-7c9a5e8b1d20"
CREATE = f"/v1/{PROJECT}/cloudservers"
NATIVE = f"/v2.1/{PROJECT}"
NEW_EIP = {"eip": {"iptype": "5_bgp", "bandwidth": {"size": 5, "sharetype": "PER"}}}


def server(number: int, **changes: Any) -> dict[str, Any]:
    """A body of 5.1.1."""
    body = {
        "name": f"one-{number}",
        "flavorRef": "s3.large.2",
        "imageRef": IMAGE,
        "vpcid": VPC,
        "availability_zone": "eu-west-0a",
        "nics": [{"subnet_id": SUBNET}],
        "root_volume": {"volumetype": "SSD", "size": 40},
        "key_name": "ops",
    }
    return {"server": body | changes}


class Crowd:
    """A lab and many connections to it, all logged in."""

    def __init__(self, lab: Lab, api: httpx.AsyncClient) -> None:
        self.lab, self.api = lab, api

    @property
    def project(self) -> Project:
        """The project they all work in."""
        return self.lab.cloud.world.projects[PROJECT]

    async def many(self, count: int = CALLERS) -> list[str]:
        """Servers that run, made by one call; their ids."""
        answer = await self.api.post(CREATE, json=server(0, count=count))
        assert answer.status_code == 200, answer.text
        await self.lab.advance(60)
        return [str(each) for each in answer.json()["serverIds"]]

    async def group(self) -> str:
        """An empty server group."""
        answer = await self.api.post(f"{CREATE}/os-server-groups", json={"server_group": {"name": "g", "policies": ["anti-affinity"]}})
        return str(answer.json()["server_group"]["id"])


@pytest_asyncio.fixture
async def crowd(lab: Lab) -> AsyncIterator[Crowd]:
    limits = httpx.Limits(max_connections=CALLERS, max_keepalive_connections=CALLERS)
    async with httpx.AsyncClient(base_url=lab.cloud.url, trust_env=False, limits=limits, timeout=60) as api:
        user = {"name": "lab-user", "password": "Lab-Passw0rd!", "domain": {"name": "lab"}}
        auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": {"project": {"id": PROJECT}}}
        answer = await api.post("/v3/auth/tokens", json={"auth": auth})
        api.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        yield Crowd(lab, api)


@dataclass(frozen=True)
class Scarce:
    """Something wanted by all: how it is asked for, how often there is it, and what those are told who come too late."""

    ask: Callable[[Crowd], Awaitable[list[tuple[str, str, Mapping[str, Any] | None]]]]
    there: int
    code: str
    quota: Mapping[str, int] = field(default_factory=dict)


async def _servers(_: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    return [("POST", CREATE, server(number)) for number in range(CALLERS)]


async def _one_address(_: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    nics = [{"subnet_id": SUBNET, "ip_address": "192.168.3.3"}]
    return [("POST", CREATE, server(number, nics=nics)) for number in range(CALLERS)]


async def _a_small_network(crowd: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    """All but 13 of its addresses are taken already."""
    network = next(each for each in crowd.project.networks.values() if each.id != SUBNET)
    await crowd.many(1)
    answer = await crowd.api.post(CREATE, json=server(0, nics=[{"subnet_id": network.id}], count=network.free - 13))
    assert answer.status_code == 200, answer.text
    return [("POST", CREATE, server(number, nics=[{"subnet_id": network.id}])) for number in range(CALLERS)]


async def _one_public_address(_: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    return [("POST", CREATE, server(number, publicip={"id": EIP})) for number in range(CALLERS)]


async def _new_public_addresses(_: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    return [("POST", CREATE, server(number, publicip=NEW_EIP)) for number in range(CALLERS)]


async def _places_in_a_group(crowd: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    hints = {"group": await crowd.group()}
    return [("POST", CREATE, server(number) | {"os:scheduler_hints": hints}) for number in range(CALLERS)]


async def _places_for_stopped_servers(crowd: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    group, servers = await crowd.group(), await crowd.many()
    answer = await crowd.api.post(f"{CREATE}/action", json={"os-stop": {"servers": [{"id": each} for each in servers]}})
    assert answer.status_code == 200, answer.text
    await crowd.lab.advance(60)
    target = f"{CREATE}/os-server-groups/{group}/action"
    return [("POST", target, {"add_member": {"instance_uuid": each}}) for each in servers]


async def _one_volume(crowd: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    wanted = {"volumeAttachment": {"volumeId": VOLUME}}
    return [("POST", f"{CREATE}/{each}/attachvolume", wanted) for each in await crowd.many()]


async def _one_port(crowd: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    wanted = {"interfaceAttachment": {"port_id": PORT}}
    return [("POST", f"{NATIVE}/servers/{each}/os-interface", wanted) for each in await crowd.many()]


async def _one_address_to_bind(crowd: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    wanted = {"addFloatingIp": {"address": "80.158.1.2"}}
    return [("POST", f"{NATIVE}/servers/{each}/action", wanted) for each in await crowd.many()]


async def _volumes(_: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    return [("POST", f"{NATIVE}/os-volumes", {"volume": {"size": 1, "display_name": f"v-{number}"}}) for number in range(CALLERS)]


async def _one_name(_: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    return [("POST", f"{NATIVE}/os-keypairs", {"keypair": {"name": "mine"}}) for _ in range(CALLERS)]


async def _one_command(crowd: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    (only,) = await crowd.many(1)
    return [("POST", f"{CREATE}/action", {"reboot": {"type": "HARD", "servers": [{"id": only}]}}) for _ in range(CALLERS)]


async def _one_death(crowd: Crowd) -> list[tuple[str, str, Mapping[str, Any] | None]]:
    (only,) = await crowd.many(1)
    return [("POST", f"{CREATE}/delete", {"servers": [{"id": only}]}) for _ in range(CALLERS)]


CASES: dict[str, Scarce] = {
    "instances": Scarce(_servers, 37, "Ecs.0001", {"instances": 37}),
    "cores": Scarce(_servers, 25, "Ecs.0001", {"cores": 51}),
    "memory": Scarce(_servers, 3, "Ecs.0001", {"ram": 4096 * 3}),
    "disks for servers": Scarce(_servers, 19, "Ecs.0021", {"volumes": 20}),
    "gigabytes for servers": Scarce(_servers, 11, "Ecs.0021", {"gigabytes": 40 * 11 + 10}),
    "one address": Scarce(_one_address, 1, "Ecs.0010"),
    "a small network": Scarce(_a_small_network, 13, "Ecs.0012"),
    "one public address": Scarce(_one_public_address, 1, "Ecs.0005"),
    "new public addresses": Scarce(_new_public_addresses, 24, "Ecs.0013", {"floatingIps": 25}),
    "places in a group": Scarce(_places_in_a_group, 16, "Ecs.0022"),
    "places for stopped servers": Scarce(_places_for_stopped_servers, 16, "Ecs.0022"),
    "one volume": Scarce(_one_volume, 1, "Ecs.0103"),
    "one port": Scarce(_one_port, 1, "conflictingRequest"),
    "one address to bind": Scarce(_one_address_to_bind, 1, "badRequest"),
    "volumes": Scarce(_volumes, 9, "forbidden", {"volumes": 10}),
    "one name": Scarce(_one_name, 1, "conflictingRequest"),
    "one command": Scarce(_one_command, 1, "Ecs.0603"),
    "one death": Scarce(_one_death, 1, "Ecs.0603"),
}


@pytest.mark.parametrize("case", CASES)
async def test_as_many_get_it_as_there_is(crowd: Crowd, case: str) -> None:
    scarce = CASES[case]
    crowd.project.quota.change(scarce.quota)
    wanted = await scarce.ask(crowd)
    assert len(wanted) == CALLERS
    answers = await asyncio.gather(*(crowd.api.request(method, target, json=body) for method, target, body in wanted))
    assert_consistent(crowd.lab.cloud.world)
    told = Counter("accepted" if answer.status_code < 300 else _reason(answer) for answer in answers)
    assert told == {"accepted": scarce.there, scarce.code: CALLERS - scarce.there}
    await crowd.lab.advance(3600)
    await crowd.api.get(f"{CREATE}/limits")
    assert_consistent(crowd.lab.cloud.world)
    assert within_quota(crowd.lab.cloud.world) == []


def _reason(answer: httpx.Response) -> str:
    """Return the most specific code of a refusal, or the name of a native fault."""
    (name, inner), *_ = answer.json().items()
    return str(inner.get("details", [{}])[0].get("code", inner["code"])) if name == "error" else str(name)


async def test_one_client_token_makes_one_server(crowd: Crowd) -> None:
    headers = {"X-Client-Token": "7b0e6c1e-3c86-5c0e-9d5e-5c1d3d0a7a11"}
    answers = await asyncio.gather(*(crowd.api.post(CREATE, json=server(0), headers=headers) for _ in range(CALLERS)))
    assert len({answer.text for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert await crowd.lab.created() == len(crowd.project.servers) == 1
    assert_consistent(crowd.lab.cloud.world)
