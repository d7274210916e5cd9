"""No secret value anywhere but in its Secret: canaries go through creation, failures and deletion, then everything is searched for them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest

from ecs_lab.laboratory import CloudProject, Laboratory
from ecs_lab.operator import NAMESPACE
from ecs_lab.tenancy import as_yaml
from tests.scenes import Object, Scene, is_ready, says, scene_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

WINDOWS = "1189efbf-d48b-46ad-a823-94b942e2a000"
# Of simulated servers; each can be found in one place only: its Secret.
PASSWORD, SECOND_PASSWORD, WINDOWS_PASSWORD = "Canary-Linux-7531", "Canary-Again-7532", "Canary-Windows-9642"
WEAK, REFUSED = "cnry-7q", "Canary-refused-1111"
SCRIPT = "#cloud-config\nwrite_files: [{path: /etc/canary, content: canary-user-data-8520}]\n"
WRONG_CLOUD_PASSWORD, WRONG_SECRET_KEY = "Canary-wrong-cloud-password-1", "canary-wrong-secret-key-00000000000000000"


@dataclass(slots=True)
class Canaries:
    """Values nobody may find, by what they are, each also as it looks after base64, JSON or URL encoding."""

    values: dict[str, str]
    forms: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.values.items():
            # base64 of a text within a longer one: the middle is the same at one of three offsets.
            shifted = (base64.b64encode(b"\0" * shift + value.encode()).decode()[4:-4] for shift in range(3))
            encoded = (base64.b64encode(value.encode()).decode(), json.dumps(value)[1:-1], quote(value, safe=""))
            self.forms.update(dict.fromkeys((value, *encoded, *(each for each in shifted if len(each) > 8)), name))

    def found_in(self, text: str) -> set[str]:
        """Names of the values that stand in a text."""
        return {name for form, name in self.forms.items() if form in text}


async def test_the_search_finds_what_is_there() -> None:
    """Else the other tests prove nothing."""
    canaries = Canaries({"script": SCRIPT, "password": PASSWORD})
    wrapped = base64.b64encode(b"x" + SCRIPT.encode() + b"yz").decode()
    for text, found in (
        (f"adminPass={PASSWORD}!", {"password"}),
        (base64.b64encode(PASSWORD.encode()).decode(), {"password"}),
        (json.dumps({"user_data": wrapped}), {"script"}),
        (json.dumps({"text": SCRIPT}), {"script"}),
        ("nothing", set()),
    ):
        assert canaries.found_in(text) == found, text


async def test_no_secret_is_found_anywhere(laboratory: Laboratory, scene: Scene) -> None:
    account = scene.project.account
    canaries = Canaries(
        {
            "password": PASSWORD,
            "changed password": SECOND_PASSWORD,
            "Windows password": WINDOWS_PASSWORD,
            "password that is too weak": WEAK,
            "password of a refused request": REFUSED,
            "user data": SCRIPT,
            "cloud password": account.password,
            "cloud secret key": account.secret_key,
            "wrong cloud password": WRONG_CLOUD_PASSWORD,
            "wrong secret key": WRONG_SECRET_KEY,
        }
    )
    await _servers(scene)
    await _failures(scene)
    await _wrong_accounts(laboratory, scene)
    while_there = await _everything(laboratory, scene)
    await scene.delete("ecsvm", "--all")
    for name in ("linux", "windows", "weak", "refused", "lost"):
        await scene.until_gone(f"ecsvm/{name}")
    afterwards = await _everything(laboratory, scene)

    for moment, places in (("while the servers are there", while_there), ("after their deletion", afterwards)):
        found = {place: canaries.found_in(text) for place, text in places.items()}
        assert {place: names for place, names in found.items() if names} == {}, moment
        assert all(places.values()), "a place was empty: nothing was searched there"
    assert canaries.found_in(await scene.kubectl("get", "secrets", "-o", "json")), "the canaries are not where they should be"


async def _servers(scene: Scene) -> None:
    """A server with password and user data, one with a Windows password. The password is changed afterwards."""
    await scene.apply(scene.secret("login", linux=PASSWORD, windows=WINDOWS_PASSWORD, script=SCRIPT, weak=WEAK, refused=REFUSED))
    user_data = {"userDataRef": {"secret": {"name": "login", "key": "script"}}}
    await scene.apply(
        scene.server("linux", adminPasswordSecretRef=_key("linux"), **user_data),
        scene.server("windows", image={"id": WINDOWS}, adminPasswordSecretRef=_key("windows"), **user_data),
    )
    await scene.until_all_ready()
    await scene.apply(scene.secret("login", linux=SECOND_PASSWORD, windows=WINDOWS_PASSWORD, script=SCRIPT, weak=WEAK, refused=REFUSED))
    await scene.annotate("ecsvm/linux", "reconcile-requested-at=now")
    await scene.until("ecsvm/linux", lambda obj: obj["status"].get("lastHandledReconcileAt") == "now" and is_ready(obj))


async def _failures(scene: Scene) -> None:
    """A password that is too weak, requests that the cloud refuses with the values in its answer, and one whose answer is lost."""
    project = scene.project.account.project_id
    await scene.apply(scene.server("weak", adminPasswordSecretRef=_key("weak")))
    await scene.until_says("ecsvm/weak", "InvalidConfiguration")
    echo = f"adminPass {REFUSED} is refused, user_data {base64.b64encode(SCRIPT.encode()).decode()} too"
    fault = {"match": {"operation": "createServers", "project": project}, "when": "before", "times": 1}
    await scene.lab.sim.admin("POST", "/_sim/faults", {**fault, "do": {"status": 400, "code": "Ecs.0011", "message": echo}})
    user_data = {"userDataRef": {"secret": {"name": "login", "key": "script"}}}
    await scene.apply(scene.server("refused", adminPasswordSecretRef=_key("refused"), **user_data))
    await scene.until_says("ecsvm/refused", "Rejected")
    await scene.lab.sim.admin("POST", "/_sim/faults", {**fault, "when": "after", "do": {"garbage": True}})
    await scene.apply(scene.server("lost", adminPasswordSecretRef=_key("linux"), **user_data))
    await scene.until_ready("ecsvm/lost")


async def _wrong_accounts(laboratory: Laboratory, scene: Scene) -> None:
    """EcsProjects with a wrong password and a wrong secret key."""
    account = scene.project.account
    for name, values, kind in (
        ("password", {"username": account.username, "password": WRONG_CLOUD_PASSWORD, "domainName": account.domain_name}, "password"),
        ("key", {"accessKey": account.access_key, "secretKey": WRONG_SECRET_KEY}, "accessKey"),
        ("right-key", {"accessKey": account.access_key, "secretKey": account.secret_key}, "accessKey"),
    ):
        whole = f"{scene.namespace}-{name}"
        source: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": whole, "namespace": NAMESPACE}, "stringData": values}
        definition = json.loads(await laboratory.cp.kubectl("get", "ecsproject", scene.project.name, "-o", "json"))
        spec = {**definition["spec"], "credentials": {kind: {"secretRef": {"name": whole}}}}
        project = {"apiVersion": definition["apiVersion"], "kind": "EcsProject", "metadata": {"name": whole}, "spec": spec}
        await laboratory.cp.kubectl("apply", "-f", "-", stdin=as_yaml(source, project))
        reason = "Available" if name == "right-key" else "Unauthorized"
        await scene.until(f"ecsproject/{whole}", lambda obj, reason=reason: says(obj, reason))  # type: ignore[misc]
        await laboratory.cp.kubectl("delete", "ecsproject", whole, "--wait=false")


async def _everything(laboratory: Laboratory, scene: Scene) -> dict[str, str]:
    """All texts in which a secret could stand, by place."""
    admin = laboratory.sim.admin
    kinds = (await laboratory.cp.kubectl("api-resources", "--verbs=list", "-o", "name")).split()
    others = ",".join(kind for kind in kinds if kind != "secrets")
    return {
        "Kubernetes objects": await laboratory.cp.kubectl("get", others, "--all-namespaces", "-o", "yaml", "--show-managed-fields"),
        "kubectl describe": await scene.kubectl("describe", "ecs"),
        "events": await laboratory.cp.kubectl("get", "events.events.k8s.io", "--all-namespaces", "-o", "yaml"),
        "the operator's log": laboratory.op.log_path.read_text(),
        "the simulator's log": laboratory.sim.log_path.read_text(),
        "the simulator's request log": json.dumps(await admin("GET", "/_sim/requests")),
        "the ledger": json.dumps(await admin("GET", "/_sim/ledger")),
        "the state": json.dumps(await admin("GET", "/_sim/state")),
    }


def _key(key: str) -> dict[str, str]:
    return {"name": "login", "key": key}


async def test_debug_is_what_the_log_tells(laboratory: Laboratory) -> None:
    """The search above covers everything that the operator could have said."""
    levels = {json.loads(line)["level"] for line in laboratory.op.log_path.read_text().splitlines()}
    assert "DEBUG" in levels


async def test_user_data_and_passwords_do_not_reach_the_status(laboratory: Laboratory, namespace: str, cloud_project: CloudProject) -> None:
    """The intent that is written before the request has neither, nor the mark of ownership; it is there while the request is on its way."""
    del namespace
    async with scene_of(laboratory, cloud_project) as scene:
        project = cloud_project.account.project_id
        fault = {"match": {"operation": "createServers", "project": project}, "when": "before", "times": 1, "do": {"delay": 2}}
        await laboratory.sim.admin("POST", "/_sim/faults", fault)
        await scene.apply(scene.secret("login", linux=PASSWORD, script=SCRIPT))
        await scene.apply(
            scene.server(
                "web-0",
                adminPasswordSecretRef=_key("linux"),
                userDataRef={"secret": {"name": "login", "key": "script"}},
            )
        )
        obj = await scene.until("ecsvm/web-0", lambda obj: "request" in obj["status"].get("create", {}))
        request = json.loads(obj["status"]["create"]["request"])["server"]
        assert (request["adminPass"], request["user_data"], request["metadata"]) == (None, None, {})
        assert set(obj["status"]["create"]["secretVersions"]) == {"adminPasswordSecretRef", "userDataRef"}
        assert Canaries({"password": PASSWORD, "user data": SCRIPT}).found_in(json.dumps(obj)) == set()
        await scene.until_ready("ecsvm/web-0")
