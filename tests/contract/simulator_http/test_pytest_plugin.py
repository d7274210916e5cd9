"""The fixtures for other projects' tests: they work in sync and async tests, are fresh each time, and cost nothing when unused."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from ecs_lab.repository import repository_root

USED = '''
import asyncio, json, urllib.request

import pytest

def ask(cloud, path, body=None, token=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} | ({} if token is None else {"X-Auth-Token": token})
    with urllib.request.urlopen(urllib.request.Request(cloud.url + path, data=data, headers=headers)) as answer:
        return answer.headers, json.load(answer)

def create(cloud):
    """Log in, make a server, and return what asks for its job."""
    account = cloud.account()
    user = {"name": account["username"], "password": account["password"], "domain": {"name": account["domainName"]}}
    identity = {"methods": ["password"], "password": {"user": user}}
    auth = {"identity": identity, "scope": {"project": {"id": account["projectId"]}}}
    token = ask(cloud, "/v3/auth/tokens", {"auth": auth})[0]["X-Subject-Token"]
    server = {
        "name": "web-1", "flavorRef": account["flavorId"], "imageRef": account["imageId"], "vpcid": account["vpcId"],
        "nics": [{"subnet_id": account["subnetId"]}], "root_volume": {"volumetype": "SSD", "size": 40}, "key_name": account["keyPairName"],
    }
    job = ask(cloud, f"/v1/{account['projectId']}/cloudservers", {"server": server}, token)[1]["job_id"]
    return lambda: ask(cloud, f"/v1/{account['projectId']}/jobs/{job}", token=token)[1]["status"]

def count(world):
    return sum(len(project.servers) for project in world.projects.values())

def test_sync(ecs_cloud):
    ecs_cloud.freeze()
    status = create(ecs_cloud)
    assert status() == "INIT"
    ecs_cloud.advance(60)
    assert status() == "SUCCESS"
    assert ecs_cloud.run(count) == 1
    assert ecs_cloud.environment()["OS_AUTH_URL"] == f"{ecs_cloud.url}/v3"

def test_async(ecs_cloud):
    async def within():
        ecs_cloud.freeze()
        status = await asyncio.to_thread(create, ecs_cloud)
        ecs_cloud.advance(60)
        return await asyncio.to_thread(status)

    assert asyncio.run(within()) == "SUCCESS"

def test_fresh(ecs_cloud):
    assert ecs_cloud.run(count) == 0

@pytest.mark.parametrize("name", ["t-1", "t-2"])
def test_shared(ecs_shared_cloud, name):
    made = ecs_shared_cloud.run(lambda world: world.add_project(name))
    assert ecs_shared_cloud.account(name)["projectId"] == made["projectId"]
    assert ecs_shared_cloud.run(lambda world: len(world.projects)) == int(name[-1]) + 1

class TestAnotherSeed:
    @pytest.fixture
    def ecs_seed(self):
        from ecs_simulator.seed import default_seed

        return default_seed() | {"region": "elsewhere"}

    def test_region(self, ecs_cloud):
        assert ecs_cloud.account()["region"] == "elsewhere"
'''
UNUSED = """
import sys

def test_nothing():
    assert not {"ecs_simulator.testing", "ecs_simulator.world", "uvicorn", "starlette", "yaml"} & set(sys.modules)
"""


@pytest.mark.parametrize(("content", "passed"), [(USED, 6), (UNUSED, 1)], ids=["used", "unused"])
def test_in_somebody_elses_tests(tmp_path: Path, content: str, passed: int) -> None:
    (tmp_path / "test_mine.py").write_text(content)
    # By its name, as if it had been found: here it may not be installed yet, and other plugins would import what they like.
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "-W", "error", "-p", "ecs_simulator.pytest_plugin", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{passed} passed" in done.stdout
    assert "warning" not in done.stdout


def test_the_distribution_offers_it() -> None:
    project = tomllib.loads((repository_root() / "simulator" / "pyproject.toml").read_text())["project"]
    (module,) = project["entry-points"]["pytest11"].values()
    plugin = import_module(module)
    assert {"ecs_cloud", "ecs_shared_cloud", "ecs_seed"} <= set(vars(plugin))
