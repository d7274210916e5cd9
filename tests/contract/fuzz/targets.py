"""What is fuzzed: every operation of the simulator, each in a world where its example would be accepted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from urllib.parse import quote

from ecs_simulator.auth.identity import PUBLIC_SECTIONS
from ecs_simulator.call import Operation
from ecs_simulator.routes import OPERATIONS, beyond
from ecs_simulator.world import World
from tests.contract.examples import ecs_cases, history_cases, nova_cases
from tests.contract.examples.cases import OK, SERVER, Case
from tests.contract.examples.scene import NETWORK, PROJECT, Scene
from tests.contract.in_process import DOMAIN, PASSWORD, USER, Answer
from tests.contract.invariants import violations

NOWHERE = "00000000-0000-4000-8000-000000000000"
IDENTITY = (
    ("POST", "/v3/auth/tokens"),
    ("GET", "/v3/auth/tokens"),
    ("DELETE", "/v3/auth/tokens"),
    ("GET", "/v3/projects"),
    ("GET", "/v3/auth/projects"),
    ("GET", "/v3/projects/{id}"),
    ("GET", "/v3"),
)
LOGIN = {
    "auth": {
        "identity": {"methods": ["password"], "password": {"user": {"name": USER, "password": PASSWORD, "domain": {"name": DOMAIN}}}},
        "scope": {"project": {"id": PROJECT}},
    }
}
_CASES = (*ecs_cases.CASES, *nova_cases.CASES, *history_cases.CASES)


@dataclass
class Target:
    """One operation under one of its paths, and the world its example supposes. ``body`` is what would be accepted there."""

    name: str
    method: str
    template: str
    scene: Scene
    body: Any = None
    path: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None
    section: str = ""

    def __post_init__(self) -> None:
        self.start = self.scene.api.simulator.snapshot()
        self.before = state(self.world)

    def __str__(self) -> str:
        return f"{self.method} {self.template} {self.name}"

    @property
    def world(self) -> World:
        """The present world; it is another one after every ``reset``."""
        return self.scene.world

    @property
    def is_public(self) -> bool:
        """Nobody is asked who he is."""
        return self.template in {"/v3", "/"} or (self.method, self.template) == IDENTITY[0] or self.section in PUBLIC_SECTIONS

    @property
    def is_mirrored(self) -> bool:
        """It is an operation of /v2.1 under /v2."""
        return self.template.startswith("/v2/") and "/cloudservers" not in self.template

    @property
    def variables(self) -> list[str]:
        """The names of what varies in the path, without the project."""
        return [part[1:-1] for part in self.template.split("/") if part.startswith("{") and part != "{project_id}"]

    def url(self, *, project: str = PROJECT, **raw: str) -> str:
        """Return the path; values given here are put in as they are, without encoding."""
        parts = []
        seen = False
        for part in self.template.split("/"):
            name = part[1:-1] if part.startswith("{") else None
            if name is None:
                parts.append(part)
            elif name in raw:
                parts.append(raw[name])
            elif name == "project_id":
                # The second one, of a quota set, is what is asked about.
                parts.append(PROJECT if seen else project)
                seen = True
            else:
                value = self.path.get(name, NOWHERE)
                parts.append(quote(self.scene.stands_for.get(value, value), safe=""))
        return "/".join(parts)

    def headers(self, **changes: str | None) -> list[tuple[str, str]]:
        """Return the headers that would be accepted, with changes; None leaves one out."""
        found: dict[str, str | None] = {"x-auth-token": self.scene.token, "content-type": "application/json"}
        if self.version is not None:
            found["x-openstack-nova-api-version"] = self.version
        found |= {name.replace("_", "-"): value for name, value in changes.items()}
        return [(name, value) for name, value in found.items() if value is not None]

    def content(self) -> bytes:
        """Return the body that would be accepted, encoded."""
        return b"" if self.body is None else json.dumps(self.body).encode()

    def send(
        self,
        target: str | None = None,
        body: bytes | None = None,
        headers: list[tuple[str, str]] | None = None,
        *,
        method: str | None = None,
    ) -> Answer:
        """Send a request like the one that would be accepted, but for what is given here."""
        return self.scene.api.send(
            self.method if method is None else method,
            self.url() if target is None else target,
            self.content() if body is None else body,
            self.headers() if headers is None else headers,
        )

    def reset(self) -> None:
        """Go back to the world as it was."""
        self.scene.api.simulator.restore(self.start)
        self.before = state(self.world)

    def consequences(self, answer: Answer) -> list[str]:
        """Return what a request must not have done to the world, and put the world right: a refusal changes nothing at all."""
        after = state(self.world)
        if after == self.before:
            return []
        found = []
        if answer.status >= 400 or self.method in {"GET", "HEAD"}:
            changed = sorted(key for key in after if after[key] != self.before[key])
            found.append(f"{self.method} with {answer.status} changed the world: {changed}")
        found.extend(violations(self.world))
        self.reset()
        return found


def state(world: World) -> dict[str, Any]:
    """Return all there is, the ledger too. How many ids were drawn is left out: a refused request may have thrown one away."""
    found = world.to_json()
    del found["ids"], found["clock"]
    return found


@cache
def all_targets() -> tuple[Target, ...]:
    """Return a target for every operation under every path that it has. They are made once: what changes a world puts it back."""
    found = []
    for operation in (*OPERATIONS, *beyond.OPERATIONS):
        case = _case_of(operation)
        for template in (operation.path, *operation.also):
            found.append(_target(operation, template, case))
            if template.startswith("/v2.1/"):
                found.append(_target(operation, "/v2/" + template.removeprefix("/v2.1/"), case))
    for method, template in IDENTITY:
        scene = Scene()
        scene.running(SERVER)
        found.append(Target("identity", method, template, scene, body=LOGIN if method == "POST" else None, path={"id": PROJECT}))
    return tuple(found)


def _case_of(operation: Operation) -> Case | None:
    """Return the case whose request is like the example: the first that is accepted."""
    fitting = [
        case
        for case in _CASES
        if case.section == operation.section and case.statuses == OK and case.action in {None, operation.action} and case.sends is None
    ]
    return fitting[0] if fitting else None


def _target(operation: Operation, template: str, case: Case | None) -> Target:
    scene = Scene()
    if case is not None and operation.section == "5.9.2":
        # Its example skips a hundred servers, each of which would be looked at after every request.
        case = replace(case, before=ecs_cases.two_tagged)
    if case is None:
        scene.running(SERVER)
        return Target(
            operation.name, operation.method, template, scene, path={"server_id": SERVER, "network_id": NETWORK}, section=operation.section
        )
    case.before(scene)
    version = case.version if template.startswith("/v2.1/") else None
    return Target(operation.name, operation.method, template, scene, scene.here(case.body), case.path, version, operation.section)
