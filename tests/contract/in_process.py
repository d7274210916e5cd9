"""The simulator's API port without a port: its ASGI application, called as the server would call it.

Nothing in it waits as long as no fault is planted, so a request is carried out at once and no event loop is needed.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, NamedTuple

from ecs_simulator.call import Operation
from ecs_simulator.routes import OPERATIONS, beyond
from ecs_simulator.server import ApiServer
from ecs_simulator.simulator import Simulator

USER, PASSWORD, DOMAIN = "lab-user", "Lab-Passw0rd!", "lab"
HOST = "cloud.test"
Message = MutableMapping[str, Any]
Application = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


class Answer(NamedTuple):
    """What came back. Names of headers are lower-case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        """The body as JSON, None if it is empty."""
        return json.loads(self.content) if self.content else None


class Api:
    """A simulator whose time stands still, and the application in front of it."""

    def __init__(self, simulator: Simulator, *, more: Iterable[Operation] = (), application: Application | None = None) -> None:
        self.simulator = simulator
        self.simulator.world.clock.set_mode("frozen")
        self.application: Application = application or ApiServer(simulator, (*OPERATIONS, *beyond.OPERATIONS, *more))

    def send(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Iterable[tuple[str, str]] = (),
        *,
        raw: Iterable[tuple[bytes, bytes]] = (),
    ) -> Answer:
        """Send one request as it is: ``target`` is path and query, percent-encoded already."""
        path, _, query = target.partition("?")
        pairs = [(name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in (("host", HOST), *headers)]
        scope: Message = {
            "type": "http",
            "method": method,
            "raw_path": path.encode("ascii"),
            "query_string": query.encode("ascii"),
            "headers": [*pairs, *raw],
        }
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        _run(self.application(scope, receive, send))
        start, *parts = messages
        found = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        return Answer(start["status"], found, b"".join(part.get("body", b"") for part in parts))

    def ask(self, method: str, target: str, body: object = None, **headers: str) -> Answer:
        """Send a JSON body, or none; underscores in names of headers stand for hyphens."""
        content = b"" if body is None else json.dumps(body).encode()
        pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
        return self.send(method, target, content, [*pairs, ("content-type", "application/json")])

    def token(self, *, name: str = USER, password: str = PASSWORD, domain: str = DOMAIN, scope: object = None) -> str:
        """Return a token, by default of the first project's user."""
        project = next(iter(self.simulator.world.projects.values()))
        user = {"name": name, "password": password, "domain": {"name": domain}}
        wanted = {"project": {"id": project.id}} if scope is None else scope
        auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": wanted}
        answer = self.ask("POST", "/v3/auth/tokens", {"auth": auth})
        assert answer.status == 201, answer
        return answer.headers["x-subject-token"]

    def pass_time(self, seconds: float) -> None:
        """Let time pass and everything happen that is due by then."""
        self.simulator.world.clock.advance(seconds)
        self.simulator.world.settle()


def _run(awaitable: Awaitable[None]) -> None:
    """Carry a coroutine out that waits for nothing."""
    steps = awaitable.__await__()
    try:
        next(iter(steps))
    except StopIteration:
        return
    raise AssertionError("the application waits for something")
