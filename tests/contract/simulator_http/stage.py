"""A simulator in the running loop and clients for both its ports."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from ecs_simulator.testing import SimulatedCloud, simulated_cloud

PASSWORD = "Lab-Passw0rd!"
PROJECT = "9a56640e5503b8dc39231cdb52a0f3e2"
ACCESS_KEY, SECRET_KEY = "LABACCESSKEY00000001", "lab-secret-key-0000000000000000000000001"
CREATE = f"/v1/{PROJECT}/cloudservers"
ACTION = f"{CREATE}/action"
LIST = f"/v2.1/{PROJECT}/servers/detail"
LIMITS = f"{CREATE}/limits"
SERVER = {
    "server": {
        "name": "web-1",
        "availability_zone": "eu-west-0a",
        "flavorRef": "s3.large.2",
        "imageRef": "67f433d8-ed0e-4321-a8a2-a71838539e09",
        "vpcid": "0dae26c9-9a70-4392-93f3-87d53115d171",
        "nics": [{"subnet_id": "157ee789-03ea-45b1-a698-76c92660dd83"}],
        "root_volume": {"volumetype": "SSD", "size": 40},
        "key_name": "ops",
        "count": 1,
    }
}


class Lab:
    """A simulator and two clients: one for its API, one for its admin API."""

    def __init__(self, cloud: SimulatedCloud, api: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
        self.cloud, self.api, self.admin = cloud, api, admin

    async def token(self, *, name: str = "lab-user", password: str = PASSWORD, domain: str = "lab", scope: Any = None) -> httpx.Response:
        user = {"name": name, "password": password, "domain": {"name": domain}}
        auth = {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"id": PROJECT}} if scope is None else scope,
        }
        return await self.api.post("/v3/auth/tokens", json={"auth": auth})

    async def log_in(self) -> str:
        answer = await self.token()
        assert answer.status_code == 201, answer.text
        token = answer.headers["X-Subject-Token"]
        self.api.headers["X-Auth-Token"] = token
        return token

    async def fault(self, **rule: Any) -> str:
        answer = await self.admin.post("/_sim/faults", json=rule)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def created(self) -> int:
        entries = (await self.admin.get("/_sim/ledger", params={"project": PROJECT})).json()["entries"]
        return sum(entry["action"] == "create" and entry["resource"] == "server" for entry in entries)

    async def last_requests(self, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.admin.get("/_sim/requests", params={"limit": count})).json()["requests"]
        return found


@asynccontextmanager
async def running() -> AsyncGenerator[Lab, None]:
    async with (
        simulated_cloud() as cloud,
        httpx.AsyncClient(base_url=cloud.url, trust_env=False) as api,
        httpx.AsyncClient(base_url=cloud.admin_url, trust_env=False) as admin,
    ):
        yield Lab(cloud, api, admin)


async def raw(lab: Lab, method: str, target: str, headers: list[tuple[str, str]]) -> tuple[int, bytes]:
    """Send a request with exactly these headers, which no client library would send, and return status and body."""
    parts = urlsplit(lab.cloud.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "connection: close", "", ""]
    writer.write("\r\n".join(lines).encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body


def signed(
    lab: Lab,
    method: str,
    target: str,
    *,
    body: bytes = b"",
    skew: float = 0.0,
    key: str = ACCESS_KEY,
    secret: str = SECRET_KEY,
    more: dict[str, str] | None = None,
) -> dict[str, str]:
    """Headers of a signed request, written down here once more from the signing guide."""
    parts = urlsplit(lab.cloud.url + target)
    stamp = datetime.fromtimestamp(time.time() + skew, tz=UTC).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": parts.netloc, "x-sdk-date": stamp, **(more or {})}
    names = sorted(headers)
    query = "&".join(sorted(parts.query.split("&")))
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    request = f"{method}\n{parts.path}/\n{query}\n{lines}\n{';'.join(names)}\n{hashlib.sha256(body).hexdigest()}"
    text = f"SDK-HMAC-SHA256\n{stamp}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    return headers | {"Authorization": f"SDK-HMAC-SHA256 Access={key}, SignedHeaders={';'.join(names)}, Signature={signature}"}
