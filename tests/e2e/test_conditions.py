"""What stands in the way shows as the right condition, which names what to do, and goes away by itself once that is done.

All cases run at once, because most of their time is the operator's pauses; each test waits for its own.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio
import yaml

from ecs_lab.laboratory import CloudProject, Laboratory
from ecs_lab.operator import NAMESPACE
from ecs_lab.ports import free_ports
from ecs_lab.pytest_plugin import unique_name
from ecs_lab.tenancy import SEED_ACCOUNT, Account, as_yaml, project, secret
from tests.scenes import Object, Scene, condition, says, scene_of, server_manifest

pytestmark = pytest.mark.asyncio(loop_scope="session")

MISSING_ID = "5f0f3d6a-0000-4000-8000-000000000000"
RARE_FLAVOR = "s3.2xlarge.2"  # no other test uses it: what is sold out is so for everybody
LONGEST_SECONDS = 150.0

Deed = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """``spec`` is the server's, ``project`` the EcsProject's: what is otherwise in them."""

    reason: str
    message: str
    """A regular expression that the message of the server's Ready condition fits."""
    mend: Deed
    spec: Mapping[str, Any] = field(default_factory=dict)
    project: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, str | None] = field(default_factory=dict)
    """What is otherwise in the EcsProject's Secret; None: missing. With nothing left there is no Secret."""
    spoil: Deed | None = None
    """What is done before the server is applied."""
    instead: str = ""
    """The object that shows it, where it is not the server, as ``kind/name``."""
    project_too: bool = False
    """The EcsProject gives the same reason."""
    progress: str = "Reconciling"
    """The condition that is True meanwhile: Reconciling, Stalled, or neither."""
    seconds: float = 60.0
    """How long it may take after the mending. The spec promises a minute for Secrets; a cloud that refuses is asked less and less."""


def admin(path: str, body: Mapping[str, Any]) -> Deed:
    """A call of the simulator's admin API; PROJECT in the path is the case's."""

    async def deed(scene: Scene) -> None:
        await scene.lab.sim.admin("POST", path.replace("PROJECT", scene.project.account.project_id), dict(body))

    return deed


def patched(**spec: Any) -> Deed:
    """The server's spec is changed."""

    async def deed(scene: Scene) -> None:
        await scene.patch("ecsvm/web-0", {key: _own(value, scene) for key, value in spec.items()})

    return deed


def _own(value: Any, scene: Scene) -> Any:
    account = scene.project.account
    names = {"PROJECT": scene.project.name, "FLAVOR": account.flavor_id, "IMAGE": account.image_id, "VPC": account.vpc_id}
    if isinstance(value, Mapping):
        return {key: _own(each, scene) for key, each in value.items()}
    return names.get(value, value) if isinstance(value, str) else value


def project_patched(**spec: Any) -> Deed:
    """The EcsProject's spec is changed. ENDPOINT is the simulator's address, NAMESPACE the case's."""

    async def deed(scene: Scene) -> None:
        text = yaml.safe_dump({"spec": spec}).replace("ENDPOINT", scene.lab.sim.url).replace("NAMESPACE", scene.namespace)
        await scene.lab.cp.kubectl("patch", "ecsproject", scene.project.name, "--type=merge", "-p", text)

    return deed


async def right_secret(scene: Scene) -> None:
    """The EcsProject's Secret is as it should be."""
    text = as_yaml(secret(scene.project.name, scene.project.account))
    await scene.lab.cp.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)


def applied(make: Callable[[Scene], Object]) -> Deed:
    """An object is applied."""

    async def deed(scene: Scene) -> None:
        await scene.apply(make(scene))

    return deed


async def volume_elsewhere(scene: Scene) -> None:
    """Somebody has the project's volume; an attachment for web-0 wants it."""
    body = {"project": scene.project.account.project_id, "name": "other", "metadata": {}}
    other = (await scene.lab.sim.admin("POST", "/_sim/servers", body))["id"]
    await scene.cloud.attach(other, scene.project.account.volume_id)
    await scene.apply(scene.attachment("data", serverRef={"name": "web-0"}))


async def volume_free(scene: Scene) -> None:
    """Whoever has the volume lets go of it."""
    row = await scene.cloud.volume(scene.project.account.volume_id)
    assert row is not None
    await scene.cloud.detach(row["attachments"][0]["serverId"], row["id"])


async def second_default(scene: Scene) -> None:
    """The case's project becomes a second default for its namespace, beside `lab`."""
    await project_patched(default=True)(scene)
    await scene.lab.cp.kubectl("wait", "--for=jsonpath={.spec.default}=true", "ecsproject", scene.project.name, "--timeout=10s")


async def wrong_access_key(scene: Scene) -> None:
    """The EcsProject uses an access key, whose secret key is wrong."""
    await _write_access_key(scene, secret_key="w" * 40)
    credentials = {"password": None, "accessKey": {"secretRef": {"name": f"{scene.project.name}-ak"}}}
    await project_patched(credentials=credentials)(scene)


async def right_access_key(scene: Scene) -> None:
    """It is right."""
    await _write_access_key(scene, secret_key=scene.project.account.secret_key)


async def _write_access_key(scene: Scene, *, secret_key: str) -> None:
    values = {"accessKey": scene.project.account.access_key, "secretKey": secret_key}
    metadata = {"name": f"{scene.project.name}-ak", "namespace": NAMESPACE}
    text = as_yaml({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": values})
    await scene.lab.cp.kubectl("apply", "--server-side", "-f", "-", stdin=text)


LOGIN = {"name": "login", "key": "password"}

CASES: dict[str, Case] = {
    # --- the EcsProject ---
    "wrong-password": Case(
        values={"password": "Wr0ng-password"},
        reason="Unauthorized", message=r"createToken.*\(HTTP 401.*what to do: check the credentials", project_too=True, mend=right_secret,
    ),
    "wrong-access-key": Case(
        spoil=wrong_access_key,
        reason="Unauthorized", message=r"\(HTTP 401.*what to do: check the credentials", project_too=True, mend=right_access_key,
    ),
    "no-secret": Case(
        values={"username": None, "password": None, "domainName": None},
        reason="CredentialsMissing", message="the Secret .*/NAME does not exist: create it with the keys username, password, domainName",
        project_too=True, mend=right_secret,
    ),
    "incomplete-secret": Case(
        values={"password": None, "domainName": None},
        reason="CredentialsMissing", message="the Secret ecs-operator-system/NAME lacks the keys password, domainName: add what is missing",
        project_too=True, mend=right_secret,
    ),
    "suspended-credentials": Case(
        spoil=admin("/_sim/projects/PROJECT", {"suspendedCredentials": True}),
        reason="Unauthorized", message=r"\(HTTP 401.*what to do: check the credentials", project_too=True,
        mend=admin("/_sim/projects/PROJECT", {"suspendedCredentials": False}),
    ),
    "unreachable-endpoint": Case(
        project={"endpoints": {"ecs": "http://127.0.0.1:CLOSED", "iam": "http://127.0.0.1:CLOSED"}},
        reason="CloudUnreachable", project_too=True,
        message="the connection to http://127.0.0.1:CLOSED failed.*what to do: check the endpoint",
        mend=project_patched(endpoints={"ecs": "ENDPOINT", "iam": "ENDPOINT"}),
    ),
    "namespace-not-admitted": Case(
        project={"allowedNamespaces": {"from": "Names", "names": ["elsewhere"]}},
        reason="WaitingForDependency", progress="",
        message="EcsProject NAME does not admit the namespace NAME: allow it in its spec.allowedNamespaces",
        mend=project_patched(allowedNamespaces={"names": ["NAMESPACE"]}),
    ),
    "label-missing": Case(
        project={"allowedNamespaces": {"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "elsewhere"}}}},
        reason="WaitingForDependency", progress="", message="does not admit the namespace",
        mend=project_patched(allowedNamespaces={"selector": {"matchLabels": {"kubernetes.io/metadata.name": "NAMESPACE"}}}),
    ),
    "no-project": Case(
        spec={"projectRef": {"name": "nowhere"}},
        reason="WaitingForDependency", progress="", message="EcsProject nowhere does not exist: create it",
        mend=patched(projectRef={"name": "PROJECT"}),
    ),
    "several-defaults": Case(
        spoil=second_default, spec={"projectRef": None},
        reason="InvalidConfiguration", progress="Stalled",
        message=r"several default EcsProjects admit the namespace NAME \((lab, NAME|NAME, lab)\): set spec.projectRef, or leave one",
        mend=project_patched(default=False),
    ),
    # --- the account ---
    "frozen-account": Case(
        spoil=admin("/_sim/projects/PROJECT", {"frozen": True}),
        reason="Frozen", progress="Stalled", message="Ecs.0071.*account has been suspended",
        mend=admin("/_sim/projects/PROJECT", {"frozen": False}), seconds=120,
    ),
    "quota": Case(
        spoil=admin("/_sim/projects/PROJECT", {"quota": {"instances": 0}}),
        reason="QuotaExceeded", message="quota of 0 servers does not suffice",
        mend=admin("/_sim/projects/PROJECT", {"quota": {"instances": 5}}),
    ),
    "sold-out": Case(
        spoil=admin(f"/_sim/flavors/{RARE_FLAVOR}", {"soldOut": ["eu-west-0a", "eu-west-0b"]}), spec={"flavor": RARE_FLAVOR},
        reason="CapacityExhausted", message=f"Ecs.0319.*{RARE_FLAVOR}",
        mend=admin(f"/_sim/flavors/{RARE_FLAVOR}", {"soldOut": []}), seconds=90,
    ),
    # --- what the spec names ---
    "unknown-flavor": Case(
        spec={"flavor": "s9.huge.8"}, reason="InvalidConfiguration", progress="Stalled", message=r"there is no flavor s9\.huge\.8",
        mend=patched(flavor="FLAVOR"),
    ),
    "unknown-image": Case(
        spec={"image": {"id": MISSING_ID}}, reason="InvalidConfiguration", progress="Stalled", message=f"there is no image {MISSING_ID}",
        mend=patched(image={"id": "IMAGE"}),
    ),
    "unknown-image-name": Case(
        spec={"image": {"name": "Debian 1"}}, reason="WaitingForDependency", progress="", message=r"image 'Debian 1' \(spec.image.name\)",
        mend=patched(image={"name": None, "id": "IMAGE"}),
    ),
    "unknown-vpc": Case(
        spec={"vpcId": MISSING_ID}, reason="Rejected", progress="Stalled", message=f"Ecs.*{MISSING_ID}", mend=patched(vpcId="VPC"),
    ),
    "missing-group": Case(
        spec={"serverGroupRef": {"name": "web"}}, reason="WaitingForDependency", progress="",
        message=r"EcsServerGroup web \(spec.serverGroupRef\)", mend=applied(lambda scene: scene.group("web")),
    ),
    "missing-user-data": Case(
        spec={"userDataRef": {"secret": {"name": "boot", "key": "script"}}}, reason="WaitingForDependency", progress="",
        message=r"Secret boot \(spec.userDataRef\)", mend=applied(lambda scene: scene.secret("boot", script="#!/bin/sh")),
    ),
    "missing-key": Case(
        spec={"adminPasswordSecretRef": LOGIN}, spoil=applied(lambda scene: scene.secret("login", other="x")),
        reason="WaitingForDependency", progress="", message=r"key password in Secret login \(spec.adminPasswordSecretRef\)",
        mend=applied(lambda scene: scene.secret("login", password="G00d-password")),
    ),
    "several-missing": Case(
        spec={"adminPasswordSecretRef": LOGIN, "serverGroupRef": {"name": "web"}, "image": {"name": "Debian 1"}},
        reason="WaitingForDependency", progress="", message="Secret login .*EcsServerGroup web .*image 'Debian 1'",
        mend=patched(adminPasswordSecretRef=None, serverGroupRef=None, image={"name": None, "id": "IMAGE"}),
    ),
    "weak-password": Case(
        spec={"adminPasswordSecretRef": LOGIN}, spoil=applied(lambda scene: scene.secret("login", password="short")),
        reason="InvalidConfiguration", progress="Stalled", message=r"spec.adminPasswordSecretRef \(Secret login, key password\): ",
        mend=applied(lambda scene: scene.secret("login", password="G00d-password")), seconds=90,
    ),
    "large-user-data": Case(
        spec={"userDataRef": {"secret": {"name": "boot", "key": "script"}}},
        spoil=applied(lambda scene: scene.secret("boot", script="x" * 32769)),
        reason="InvalidConfiguration", progress="Stalled", message="spec.userDataRef: the user data have 32769 bytes, at most 32768",
        mend=applied(lambda scene: scene.secret("boot", script="x" * 32768)), seconds=90,
    ),
    "volume-elsewhere": Case(
        spoil=volume_elsewhere, reason="WaitingForDependency", progress="", message="is attached to server", instead="ecsva/data",
        mend=volume_free,
    ),
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(laboratory: Laboratory, request: pytest.FixtureRequest) -> AsyncIterator[dict[str, asyncio.Task[None]]]:
    """Those cases at once that are to be tested."""
    chosen = (item.callspec.params for item in request.session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec"))
    wanted = [str(each["name"]) for each in chosen if each.get("name") in CASES]
    tasks = {name: asyncio.create_task(_run(laboratory, name, CASES[name]), name=name) for name in wanted}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


@pytest.mark.parametrize("name", CASES)
async def test_it_shows_and_recovers(running: dict[str, asyncio.Task[None]], name: str) -> None:
    async with asyncio.timeout(LONGEST_SECONDS):
        await running[name]


async def _run(lab: Laboratory, name: str, case: Case) -> None:
    """A namespace and a project for the case: spoil, apply, read the condition, mend, see it Ready."""
    namespace = unique_name(name)
    (closed,) = free_ports(1)
    await lab.cp.kubectl("create", "namespace", namespace)
    added = await _project(lab, namespace, case, closed=closed)
    async with scene_of(lab, added) as scene:
        if case.spoil is not None:
            await case.spoil(scene)
        await scene.apply(_server(scene, case))
        shown = case.instead or "ecsvm/web-0"
        pattern = re.compile(case.message.replace("NAME", re.escape(namespace)).replace("CLOSED", str(closed)))
        obj = await scene.until(shown, lambda obj: _shows(obj, case.reason, pattern), why=f"does not say {case.reason}, {pattern.pattern}")
        _check(obj, case)
        if case.project_too:
            await scene.until_says(f"ecsproject/{namespace}", case.reason)
        await case.mend(scene)
        await scene.until_ready(shown, seconds=case.seconds)
        assert sum(1 for each in await scene.ledger(resource="server") if each["action"] == "create" and each["marker"]) <= 1
        await lab.cp.kubectl("delete", "namespace", namespace, "--wait=false")
        await lab.remove_project(added)


async def _project(lab: Laboratory, namespace: str, case: Case, *, closed: int) -> CloudProject:
    """The case's EcsProject with its Secret, both as they are from the start."""
    account = Account.of(await lab.sim.admin("POST", "/_sim/projects", {"name": namespace}))
    credentials = secret(namespace, account)
    values = {key: value for key, value in {**credentials["stringData"], **case.values}.items() if value is not None}
    spec = {"resyncPeriodSeconds": 30, **yaml.safe_load(yaml.safe_dump(dict(case.project)).replace("CLOSED", str(closed)))}
    definition = project(namespace, account, secret_name=namespace, endpoint=lab.sim.url, namespaces=[namespace], spec=spec)
    objects = [{**credentials, "stringData": values}] if values else []
    await lab.cp.kubectl("apply", "--server-side", "-f", "-", stdin=as_yaml(*objects, definition))
    return CloudProject(name=namespace, namespace=namespace, account=account)


def _server(scene: Scene, case: Case) -> Object:
    """The case's server. One without projectRef ends up in the default project, whose things it must name."""
    if case.spec.get("projectRef", "own") is None:
        seed = CloudProject(name="lab", namespace=scene.namespace, account=SEED_ACCOUNT)
        return server_manifest(seed, "web-0", **case.spec)
    return scene.server("web-0", **case.spec)


def _shows(obj: Object, reason: str, message: re.Pattern[str]) -> bool:
    return says(obj, reason) and message.search(condition(obj, "Ready")["message"]) is not None


def _check(obj: Object, case: Case) -> None:
    assert condition(obj, "Ready")["status"] == "False"
    shown = {kind for kind in ("Reconciling", "Stalled") if condition(obj, kind).get("status") == "True"}
    assert shown == ({case.progress} if case.progress else set())
