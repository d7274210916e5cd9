"""The laboratory: the operator in it has its own rights only, can be killed and started, and the command works like the library."""

import asyncio
import sysconfig
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio

from ecs_lab.installation import operator_kubeconfig
from ecs_lab.kubectl import Kubectl
from ecs_lab.laboratory import CloudProject, Laboratory
from ecs_lab.process import Process, child_environment
from ecs_lab.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def as_operator(laboratory: Laboratory, tmp_path: Path) -> Kubectl:
    kubeconfig = await operator_kubeconfig(laboratory.cp, tmp_path / "operator.kubeconfig")
    return Kubectl(program=laboratory.cp.binaries.kubectl, kubeconfig=kubeconfig, cache=tmp_path / "cache")


async def test_the_operator_is_its_service_account(as_operator: Kubectl) -> None:
    who = await as_operator("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}")

    assert who == "system:serviceaccount:ecs-operator-system:ecs-operator"


@pytest.mark.parametrize(
    ("verb", "resource", "allowed"),
    [
        ("patch", "ecsservers.ecs.huaweicloud.com", "yes"),
        ("list", "ecsprojects.ecs.huaweicloud.com", "yes"),
        ("create", "ecsservers.ecs.huaweicloud.com", "no"),
        ("delete", "ecsservers.ecs.huaweicloud.com", "no"),
        ("get", "secrets", "yes"),
        ("list", "secrets", "no"),
        ("create", "deployments.apps", "no"),
    ],
)
async def test_what_it_may_do_in_a_namespace(as_operator: Kubectl, namespace: str, verb: str, resource: str, allowed: str) -> None:
    answer = await as_operator("auth", "can-i", verb, resource, namespace=namespace, accept=(0, 1))

    assert answer.split()[0] == allowed


async def test_a_killed_operator_comes_back(laboratory: Laboratory) -> None:
    before = laboratory.op.pid

    await laboratory.op.kill()
    assert laboratory.op.returncode == -9
    await laboratory.op.start()

    assert laboratory.op.pid != before
    assert 10 < laboratory.op.memory_mib() < 500


async def test_the_project_of_a_test_becomes_ready(laboratory: Laboratory, cloud_project: CloudProject) -> None:
    await laboratory.cp.kubectl("wait", "--for=condition=Ready", f"ecsproject/{cloud_project.name}", "--timeout=30s")

    found = await laboratory.cp.kubectl("get", "ecsproject", cloud_project.name, "-o", "jsonpath={.status.projectId}")
    assert found == cloud_project.account.project_id


def _stat(pid: str) -> tuple[str, str, int]:
    """Name, state and parent of a process."""
    name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
    state, parent = rest.split()[:2]
    return name, state, int(parent)


def _children(parent: int) -> dict[int, str]:
    """Names of the processes this one has started, by id."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            name, _, its_parent = _stat(entry.name)
            if its_parent == parent:
                found[int(entry.name)] = name
    return found


def _running() -> set[int]:
    """Ids of all processes that have not ended."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if _stat(entry.name)[1] != "Z":
                found.add(int(entry.name))
    return found


class Command:
    """`ecs-lab` in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    async def __call__(self, *arguments: str, then: str = "") -> tuple[int | None, str]:
        """Exit code and output; `then` is a shell command to run after it."""
        program = Path(sysconfig.get_path("scripts")) / "ecs-lab"
        line = f'"{program}" --dir "{self.directory}" {" ".join(arguments)}'
        process = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", then.replace("ECS_LAB", line) if then else line),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=child_environment(),
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode()


@pytest_asyncio.fixture(loop_scope="session")
async def ecs_lab(tmp_path: Path) -> AsyncIterator[Command]:
    command = Command(tmp_path / "lab")
    yield command
    await command("down")


async def test_the_command_beside_another_laboratory(laboratory: Laboratory, ecs_lab: Command) -> None:
    code, output = await ecs_lab("up", "--detach", "--no-operator")
    assert code == 0, output

    code, output = await ecs_lab("up", "--no-operator")
    assert (code, "already" in output) == (1, True), output
    code, output = await ecs_lab(
        "env", then='eval "$(ECS_LAB)" && kubectl config view --minify -o "jsonpath={.clusters[0].cluster.server}"'
    )
    assert code == 0, output
    assert output.startswith("https://127.0.0.1:")
    assert output != laboratory.cp.server
    code, output = await ecs_lab("status")
    assert (code, "stopped" in output) == (1, True), output

    code, output = await ecs_lab("operator", "start")
    assert code == 0, output
    code, output = await ecs_lab("status")
    assert (code, "stopped" in output) == (0, False), output
    code, output = await ecs_lab("operator", "kill")
    assert code == 0, output
    code, output = await ecs_lab("operator", "kill", then="ECS_LAB && ECS_LAB && exit 3")
    assert code == 3, output

    code, output = await ecs_lab("down")
    assert code == 0, output
    code, output = await ecs_lab("status")
    assert (code, "no laboratory runs" in output) == (1, True), output


async def test_a_laboratory_goes_on_where_it_was(ecs_lab: Command) -> None:
    with_kubectl = 'eval "$(ECS_LAB)" && '
    assert (await ecs_lab("up", "--detach", "--no-operator"))[0] == 0
    code, output = await ecs_lab("env", then=with_kubectl + "kubectl create configmap kept --from-literal=a=b")
    assert code == 0, output
    assert (await ecs_lab("down"))[0] == 0

    code, output = await ecs_lab("up", "--detach", "--no-operator")
    assert code == 0, output

    code, output = await ecs_lab("env", then=with_kubectl + "kubectl get configmap kept -o 'jsonpath={.data.a}'")
    assert (code, output) == (0, "b")


async def test_its_processes_end_when_it_is_killed(tmp_path: Path) -> None:
    directory = tmp_path / "lab"
    program = Path(sysconfig.get_path("scripts")) / "ecs-lab"
    process = Process("ecs-lab", [program, "up", "--no-operator", "--dir", directory], log_path=tmp_path / "log")
    process.start()
    try:

        async def up() -> bool:
            return (directory / "lab.json").exists()

        await until(up, seconds=60, check=process.check_alive, what="the laboratory does not start")
        children = _children(process.pid)
        assert sorted(children.values()) == ["ecs-simulator", "etcd", "kube-apiserver", "kube-controller"]
    finally:
        await process.kill()

    async def gone() -> bool:
        return not children.keys() & _running()

    await until(gone, seconds=20, what=f"some of {children} outlive the laboratory")
