"""The images: built by the Dockerfile and started, where a builder is at hand."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from ecs_lab.control_plane import ControlPlane
from ecs_lab.installation import operator_kubeconfig
from ecs_lab.ports import free_ports
from ecs_lab.process import Process
from ecs_lab.progress import OnProgress
from ecs_lab.waiting import until
from tests.chart.images import Builder, why_not

_REASON = why_not()
pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.skipif(_REASON is not None, reason=f"the images are not built here: {_REASON}"),
]

_OPERATOR, _SIMULATOR = "localhost/ecs-operator:test", "localhost/ecs-simulator:test"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def images(tmp_path_factory: pytest.TempPathFactory, on_progress: OnProgress) -> AsyncIterator[Builder]:
    """Both images, in a store of their own that is removed afterwards: it takes more than a gigabyte."""
    folder = tmp_path_factory.mktemp("images")
    builder = Builder(folder=folder)
    try:
        on_progress("making the base image (a minute or two, once)")
        base = await builder.base()
        for target, tag in (("operator", _OPERATOR), ("simulator", _SIMULATOR)):
            on_progress(f"building the image of the {target} (about a minute)")
            await builder.build(base=base, target=target, tag=tag)
        yield builder
    finally:
        await builder("rm", "--all")
        shutil.rmtree(folder)


@asynccontextmanager
async def _started(builder: Builder, image: str, *arguments: str, log: Path, volumes: tuple[str, ...] = ()) -> AsyncIterator[Process]:
    """The image's own entrypoint as a process; its leaf gets the signals, because buildah would kill it."""
    container = await builder("from", image)
    config = json.loads(await builder("inspect", "--type", "image", image))["OCIv1"]["config"]
    mounts = [part for volume in volumes for part in ("--volume", volume)]
    command = builder.command("run", "--isolation", "chroot", *mounts, container, "--", *config["Entrypoint"], *arguments)
    process = Process(image, command, log_path=log)
    process.start()
    try:
        yield process
    finally:
        await process.stop(grace_seconds=5)
        await builder("rm", container)


def _leaf(pid: int) -> int:
    """The last process of a chain. A child is listed with the thread that made it, and buildah has many threads."""
    found = [child for thread in Path(f"/proc/{pid}/task").iterdir() for child in (thread / "children").read_text().split()]
    return _leaf(int(found[0])) if found else pid


async def _answers(url: str, *, process: Process) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:

        async def ready() -> bool:
            try:
                return (await client.get(url)).status_code == 200
            except httpx.TransportError:
                return False

        await until(
            ready, seconds=60, every=0.2, check=process.check_alive, what=lambda: f"{url} does not answer 200:\n{process.log_tail()}"
        )


@pytest.mark.parametrize(("image", "title"), [(_OPERATOR, "ecs-operator"), (_SIMULATOR, "ecs-simulator")], ids=["operator", "simulator"])
async def test_labels_and_user(images: Builder, image: str, title: str) -> None:
    config = json.loads(await images("inspect", "--type", "image", image))["OCIv1"]["config"]
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == [f"/opt/{title}/bin/{title}"]
    labels = {name.rsplit(".", 1)[1]: value for name, value in config["Labels"].items() if name.startswith("org.opencontainers.image.")}
    assert labels.pop("description")
    assert labels == {"title": title, "licenses": "Apache-2.0", "version": "0.1.0", "revision": "0123abc"}


async def test_the_operator_image_holds_only_the_operator(images: Builder) -> None:
    """No installer, no tools of development, no simulator, nothing the user could write."""
    container = await images("from", _OPERATOR)
    program = (
        "import importlib.util, json, os, sysconfig\n"
        "names = ('ecs_operator', 'ecs_simulator', 'ecs_lab', 'pip', 'pytest', 'hatchling')\n"
        "print(json.dumps({'found': [n for n in names if importlib.util.find_spec(n)], 'uid': os.getuid(),\n"
        "                  'writable': os.access(sysconfig.get_path('purelib'), os.W_OK)}))"
    )
    found = await images("run", "--isolation", "chroot", container, "--", "/opt/ecs-operator/bin/python", "-c", program)
    await images("rm", container)
    assert json.loads(found) == {"found": ["ecs_operator"], "uid": 65532, "writable": False}


@pytest.fixture
def readable() -> Iterator[Path]:
    """A folder the image's user can read; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory(prefix="ecs-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


async def test_the_operator_starts_and_ends_cleanly(images: Builder, installed: ControlPlane, readable: Path, tmp_path: Path) -> None:
    kubeconfig = await operator_kubeconfig(installed, readable / "kubeconfig")
    kubeconfig.chmod(0o644)
    (port,) = free_ports(1)
    arguments = ("run", "--kubeconfig", "/etc/ecs/kubeconfig", "--identity", "image", "--probe-port", str(port))
    volumes = (f"{readable}:/etc/ecs:ro",)
    log = tmp_path / "operator.log"
    async with _started(images, _OPERATOR, *arguments, log=log, volumes=volumes) as process:
        await _answers(f"http://127.0.0.1:{port}/readyz", process=process)
        await _answers(f"http://127.0.0.1:{port}/livez", process=process)
        assert "the informer ended" not in log.read_text(), "something the image lacks keeps the watches from working"
        os.kill(_leaf(process.pid), signal.SIGTERM)
        assert await process.wait(seconds=30) == 0, process.log_tail()


async def test_the_simulator_starts(images: Builder, tmp_path: Path) -> None:
    api, admin = free_ports(2)
    arguments = ("serve", "--port", str(api), "--admin-port", str(admin))
    async with _started(images, _SIMULATOR, *arguments, log=tmp_path / "simulator.log") as process:
        await _answers(f"http://127.0.0.1:{admin}/_sim/health", process=process)
        os.kill(_leaf(process.pid), signal.SIGTERM)
        await process.wait(seconds=30)
        assert not process.alive
