"""An API server in memory: answers prepared by the test over real HTTP on the loopback interface."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from ecs_operator.kube.connection import Connection
from ecs_operator.kube.credentials import Credentials, KubeconfigFile

Answering = Callable[[web.Request, Any], Awaitable[web.StreamResponse]]


def kubeconfig(path: Path, *, server: str, **user: Any) -> Path:
    """A kubeconfig with one context."""
    document = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": user}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class FakeApi:
    """Answers one request after the other from ``answers``; the last one again and again."""

    answers: list[Any] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)
    url: str = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = json.loads(raw) if raw else None
        self.seen.append(Request(request.method, request.path, dict(request.query), dict(request.headers), body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            return await answer(request, body)  # type: ignore[no-any-return]
        if isinstance(answer, bytes):
            return web.Response(body=answer)
        status, content = answer
        return web.json_response(content, status=status)


@asynccontextmanager
async def fake_api(*answers: Any) -> AsyncIterator[FakeApi]:
    """A running one."""
    api = FakeApi(list(answers))
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", api.serve)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield api
    finally:
        await runner.cleanup()


@asynccontextmanager
async def connected(api: FakeApi, directory: Path, **user: Any) -> AsyncIterator[Connection]:
    """A connection to it."""
    opened = Connection(Credentials(KubeconfigFile(kubeconfig(directory / "kubeconfig", server=api.url, **(user or {"token": "t-0"})))))
    try:
        yield opened
    finally:
        await opened.close()


def status(code: int, reason: str, **details: Any) -> tuple[int, dict[str, Any]]:
    """What the API server answers when it refuses."""
    return code, {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": "hunter2", "details": details}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def never(request: web.Request, body: Any) -> web.StreamResponse:
    """No answer until the client gives up."""
    del request, body
    await asyncio.Event().wait()
    raise AssertionError
