"""Every shape of error that the reference documents can be had, each from a request that deserves it: body, status and code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from ecs_simulator.call import Operation
from ecs_simulator.routes import OPERATIONS
from tests.contract.examples.scene import NETWORK, PROJECT, VPC, Scene
from tests.contract.fuzz.verdict import problems, shape_of
from tests.contract.in_process import Answer

V1, V2, NATIVE = f"/v1/{PROJECT}", f"/v2/{PROJECT}", f"/v2.1/{PROJECT}"
NOWHERE = "00000000-0000-4000-8000-000000000000"
TEXT = object()
"""Any text that is not empty."""


@dataclass(frozen=True)
class Refusal:
    """A request, and the whole body of its refusal. ``{server}`` in the target is a server that runs."""

    call: str
    status: int
    body: Mapping[str, Any]
    shape: str
    sends: Any = None
    raw: bytes | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    before: Callable[[Scene, str], object] | None = None


def _error(code: str, *details: Mapping[str, object]) -> dict[str, Any]:
    return {"error": {"code": code, "message": TEXT, **({"details": list(details)} if details else {})}}


def _gateway(code: str) -> dict[str, Any]:
    return {"error_code": code, "error_msg": TEXT, "request_id": TEXT}


def _fault(name: str, status: int) -> dict[str, Any]:
    return {name: {"code": status, "message": TEXT}}


def _identity(status: int, title: str) -> dict[str, Any]:
    return {"error": {"code": status, "message": TEXT, "title": title}}


def _create(**changes: Any) -> dict[str, Any]:
    server: dict[str, Any] = {"name": "x", "flavorRef": "s3.xlarge.2", "imageRef": "imageid_123", "vpcid": VPC}
    server |= {"nics": [{"subnet_id": NETWORK}], "root_volume": {"volumetype": "SSD"}, "availability_zone": "az1-dc1"}
    return {"server": server | changes}


def _lock(scene: Scene, server_id: str) -> None:
    scene.project.servers[server_id].locked = True


def _freeze(scene: Scene, _: str) -> None:
    scene.project.frozen = True


def _spend(scene: Scene, _: str) -> None:
    scene.project.quota.change({"serverGroups": 0})


def _reboot(scene: Scene, server_id: str) -> None:
    scene.send(_operation("rebootServer"), {"reboot": {"type": "HARD"}}, {"server_id": server_id})


def _batch_of_a_minute(scene: Scene, _: str) -> None:
    """A thousand others were stopped within the minute."""
    scene.project.recent["stop"] = [[scene.world.now(), 1000.0]]


def _planted(status: int, code: str | None = None) -> Callable[[Scene, str], object]:
    """Return what plants a fault: what a cloud answers that is out of order itself."""
    do = {"status": status, "code": code, "message": "It is out of order."}

    def plant(scene: Scene, _: str) -> None:
        scene.api.simulator.faults.add({"do": {key: value for key, value in do.items() if value is not None}})

    return plant


def _operation(name: str) -> Operation:
    return next(each for each in OPERATIONS if each.name == name)


CASES: dict[str, Refusal] = {
    # 4.3: the gateway
    "4.3 nobody calls": Refusal(f"GET {V1}/cloudservers/limits", 401, _gateway("APIGW.0301"), "gateway", headers={"x-auth-token": None}),
    "4.3 natively too": Refusal(f"GET {NATIVE}/servers", 401, _gateway("APIGW.0301"), "gateway", headers={"x-auth-token": None}),
    "4.3 a forged signature": Refusal(
        f"GET {V1}/cloudservers/limits", 401, _gateway("APIGW.0301"), "gateway", headers={"x-auth-token": None, "authorization": "x"}
    ),
    "4.3 no such path": Refusal(f"GET {V1}/nonsense", 404, _gateway("APIGW.0101"), "gateway"),
    "4.3 no such method": Refusal(f"PATCH {V1}/cloudservers", 405, _gateway("APIGW.0101"), "gateway"),
    # 10.3.1: tasks
    "10.3.1 no JSON": Refusal(f"POST {V1}/cloudservers", 400, _error("Ecs.0005"), "error", raw=b"{"),
    "10.3.1 no body": Refusal(f"POST {V1}/cloudservers", 400, _error("Common.0002"), "error", raw=b""),
    "10.3.1 with a code as detail": Refusal(
        f"POST {V1}/cloudservers", 400, _error("Ecs.0005", {"code": "Ecs.0029"}), "error", sends=_create(flavorRef="none")
    ),
    "10.3.1 where A.2 has no code of its own": Refusal(
        f"POST {V1}/cloudservers", 400, _error("Ecs.0005"), "error", sends=_create(availability_zone="none")
    ),
    "10.3.1 an invalid token": Refusal(
        f"GET {V1}/cloudservers/limits", 401, _error("Common.0013"), "error", headers={"x-auth-token": "none"}
    ),
    "10.3.1 another project": Refusal(f"GET /v1/{NOWHERE}/cloudservers/limits", 400, _error("Ecs.0023"), "error"),
    "10.3.1 a frozen account": Refusal(f"POST {V1}/cloudservers", 403, _error("Ecs.0071"), "error", sends=_create(), before=_freeze),
    "10.3.1 nothing there": Refusal(f"POST {V1}/cloudservers/{NOWHERE}/migrate", 404, _error("Ecs.0114"), "error", sends={"migrate": None}),
    "10.3.1 a wrong state": Refusal(
        f"POST {V1}/cloudservers/{{server}}/migrate", 400, _error("Ecs.0100"), "error", sends={"migrate": None}
    ),
    "10.3.1 locked": Refusal(
        f"POST {V1}/cloudservers/{{server}}/migrate", 400, _error("Ecs.0605"), "error", sends={"migrate": None}, before=_lock
    ),
    "10.3.1 busy": Refusal(
        f"POST {V1}/cloudservers/{{server}}/migrate", 501, _error("Ecs.0603"), "error", sends={"migrate": None}, before=_reboot
    ),
    "10.3.1 too many in a minute": Refusal(
        f"POST {V1}/cloudservers/action",
        429,
        _error("Common.1503"),
        "error",
        sends={"os-stop": {"servers": [{"id": "{server}"}]}},
        before=_batch_of_a_minute,
    ),
    "10.3.1 flow control": Refusal(f"POST {V1}/cloudservers", 202, _error("Common.0024"), "error", before=_planted(202, "Common.0024")),
    "10.3.1 a group that is not there": Refusal(
        f"GET {V1}/cloudservers/os-server-groups/{NOWHERE}", 404, _fault("itemNotFound", 404), "native"
    ),
    # 5.8.1: queries of jobs are flat
    "5.8.1 no such job": Refusal(f"GET {V1}/jobs/none", 400, {"code": "Common.0011", "message": TEXT}, "flat"),
    "5.8.1 another project": Refusal(f"GET /v1/{NOWHERE}/jobs/none", 400, {"code": "Common.0018", "message": TEXT}, "flat"),
    "5.8.1 a passing trouble": Refusal(
        f"GET {V1}/jobs/none", 400, {"code": "Common.0025", "message": TEXT}, "flat", before=_planted(400, "Common.0025")
    ),
    # Chapters 6 and 11: a fault for every status
    "6 no object": Refusal(f"POST {NATIVE}/servers/{{server}}/action", 400, _fault("badRequest", 400), "native", sends={"none": {}}),
    "6 under /v2 too": Refusal(f"POST {V2}/servers/{{server}}/action", 400, _fault("badRequest", 400), "native", sends={"none": {}}),
    "6 an invalid token": Refusal(f"GET {NATIVE}/servers", 401, _fault("unauthorized", 401), "native", headers={"x-auth-token": "none"}),
    "6 a spent quota": Refusal(
        f"POST {NATIVE}/os-server-groups",
        403,
        _fault("forbidden", 403),
        "native",
        sends={"server_group": {"name": "g", "policies": ["anti-affinity"]}},
        before=_spend,
    ),
    "6 nothing there": Refusal(f"GET {NATIVE}/servers/{NOWHERE}", 404, _fault("itemNotFound", 404), "native"),
    "6 no such path": Refusal(f"GET {NATIVE}/nonsense", 404, _fault("itemNotFound", 404), "native"),
    "6 no such method": Refusal(f"PATCH {NATIVE}/servers", 405, _fault("badMethod", 405), "native"),
    "6 no such microversion": Refusal(
        f"GET {NATIVE}/servers", 406, _fault("computeFault", 406), "native", headers={"x-openstack-nova-api-version": "2.99"}
    ),
    "6 a wrong state": Refusal(
        f"POST {NATIVE}/servers/{{server}}/action", 409, _fault("conflictingRequest", 409), "native", sends={"confirmResize": None}
    ),
    "6 busy": Refusal(
        f"POST {NATIVE}/servers/{{server}}/action",
        409,
        _fault("conflictingRequest", 409),
        "native",
        sends={"os-stop": {}},
        before=_reboot,
    ),
    "6 too large": Refusal(f"POST {NATIVE}/servers", 413, _fault("overLimit", 413), "native", raw=b" " * (33 * 1024 * 1024)),
    "6 another type": Refusal(
        f"POST {NATIVE}/servers", 415, _fault("badMediaType", 415), "native", raw=b"<a/>", headers={"content-type": "text/xml"}
    ),
    "6 too many requests": Refusal(f"GET {NATIVE}/servers", 429, _fault("overLimit", 429), "native", before=_planted(429)),
    "6 out of order": Refusal(f"GET {NATIVE}/servers", 500, _fault("computeFault", 500), "native", before=_planted(500)),
    "6 not there yet": Refusal(f"GET {NATIVE}/servers", 501, _fault("notImplemented", 501), "native", before=_planted(501)),
    "6 overloaded": Refusal(f"GET {NATIVE}/servers", 503, _fault("serviceUnavailable", 503), "native", before=_planted(503)),
    # Identity
    "IAM no object": Refusal("POST /v3/auth/tokens", 400, _identity(400, "Bad Request"), "identity", sends={"auth": []}),
    "IAM a wrong password": Refusal(
        "POST /v3/auth/tokens",
        401,
        _identity(401, "Unauthorized"),
        "identity",
        sends={
            "auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "x", "password": "x", "domain": {"name": "x"}}}}}
        },
    ),
    "IAM an invalid token": Refusal("GET /v3/projects", 401, _identity(401, "Unauthorized"), "identity", headers={"x-auth-token": "none"}),
    "IAM nothing there": Refusal("GET /v3/projects/none", 404, _identity(404, "Not Found"), "identity"),
    "IAM no such method": Refusal("PUT /v3/projects", 405, _identity(405, "Method Not Allowed"), "identity"),
    "IAM nobody calls": Refusal("GET /v3/projects", 401, _gateway("APIGW.0301"), "gateway", headers={"x-auth-token": None}),
}
_BY_FAULT = frozenset({202, 500, 501, 503})


@pytest.mark.parametrize("case", CASES)
def test_the_shape_of(case: str) -> None:
    refusal = CASES[case]
    scene = Scene()
    server_id = scene.running()
    if refusal.before is not None:
        refusal.before(scene, server_id)
    method, target = refusal.call.replace("{server}", server_id).split(" ")
    body = json.dumps(refusal.sends).replace("{server}", server_id).encode() if refusal.raw is None else refusal.raw
    headers = {"x-auth-token": scene.token, "content-type": "application/json", **refusal.headers}
    answer = scene.api.send(method, target, body, [(name, value) for name, value in headers.items() if value is not None])
    assert answer.status == refusal.status, answer
    assert _like(answer.body, refusal.body), answer.body
    assert shape_of(answer.status, answer.body) == refusal.shape or refusal.status in _BY_FAULT
    assert list(problems(target, answer)) == [] or refusal.status in _BY_FAULT
    assert _allow(answer) is (answer.status == 405)


def _like(found: Any, wanted: Any) -> bool:
    if wanted is TEXT:
        return isinstance(found, str) and found != ""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and found.keys() == wanted.keys() and all(_like(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_like, found, wanted))
    return bool(found == wanted)


def _allow(answer: Answer) -> bool:
    return bool(answer.headers.get("allow"))


def test_a_proxy_that_knows_no_json() -> None:
    """The one answer that is none of these: what stands in front of everything."""
    scene = Scene()
    scene.api.simulator.faults.add({"do": {"status": 502}})
    answer = scene.api.send("GET", f"{NATIVE}/servers", b"", [("x-auth-token", scene.token)])
    assert (answer.status, answer.headers["content-type"]) == (502, "text/html")
    assert answer.content.startswith(b"<html>")
