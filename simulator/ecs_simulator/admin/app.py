"""The admin application: one small function a call, every answer JSON, every refusal ``{"error": text}``."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ecs_simulator import __version__
from ecs_simulator.admin import body as fields
from ecs_simulator.admin.accounts import accounts
from ecs_simulator.admin.body import AdminError, known
from ecs_simulator.admin.clock import change_clock, show_clock
from ecs_simulator.admin.events import events
from ecs_simulator.faults import FaultError
from ecs_simulator.simulator import Simulator

logger = logging.getLogger(__name__)

Body = Mapping[str, Any]
Answer = Mapping[str, Any]
Call = Callable[[Request, Body], Answer]

MAX_BODY = 8 * 1024 * 1024


def admin_application(simulator: Simulator, *, api_url: str) -> Starlette:
    """Return the admin application of a simulator; ``api_url`` is where its API listens."""
    calls = _Calls(simulator, api_url)
    table: list[tuple[str, str, Call]] = [
        ("GET", "/_sim/health", calls.health),
        ("GET", "/_sim/state", calls.state),
        ("POST", "/_sim/reset", calls.reset),
        ("POST", "/_sim/seed", calls.seed),
        ("GET", "/_sim/accounts", calls.accounts),
        ("POST", "/_sim/projects", calls.add_project),
        ("POST", "/_sim/projects/{id}", calls.set_project),
        ("DELETE", "/_sim/tokens", calls.revoke_tokens),
        ("GET", "/_sim/ledger", calls.ledger),
        ("GET", "/_sim/requests", calls.requests),
        ("GET", "/_sim/clock", calls.show_clock),
        ("POST", "/_sim/clock", calls.change_clock),
        ("GET", "/_sim/durations", calls.durations),
        ("POST", "/_sim/durations", calls.durations),
        ("GET", "/_sim/behaviour", calls.behaviour),
        ("POST", "/_sim/behaviour", calls.behaviour),
        ("GET", "/_sim/faults", calls.list_faults),
        ("POST", "/_sim/faults", calls.add_fault),
        ("DELETE", "/_sim/faults", calls.clear_faults),
        ("DELETE", "/_sim/faults/{id}", calls.remove_fault),
        ("POST", "/_sim/jobs/{id}", calls.job),
        ("POST", "/_sim/next-job", calls.next_job),
        ("POST", "/_sim/servers", calls.plant_server),
        ("POST", "/_sim/servers/{id}", calls.server),
        ("POST", "/_sim/flavors/{id}", calls.flavor),
        ("GET", "/_sim/snapshots", calls.list_snapshots),
        ("POST", "/_sim/snapshot", calls.snapshot),
        ("POST", "/_sim/restore", calls.restore),
    ]
    by_path: dict[str, dict[str, Call]] = {}
    for method, path, call in table:
        by_path.setdefault(path, {})[method] = call
    routes = [Route(path, _endpoint(simulator, methods), methods=list(methods)) for path, methods in by_path.items()]
    routes.append(Route("/_sim/events", events(simulator), methods=["GET"]))
    return Starlette(routes=routes, exception_handlers={HTTPException: _http_error})


class _Calls:
    """One method a call; a method returns what is answered as JSON."""

    def __init__(self, simulator: Simulator, api_url: str) -> None:
        self._sim = simulator
        self._api_url = api_url

    def health(self, _: Request, __: Body) -> Answer:
        return {"status": "ok", "version": __version__, "api": self._api_url}

    def state(self, _: Request, __: Body) -> Answer:
        return self._sim.world.summary()

    def reset(self, _: Request, body: Body) -> Answer:
        known(body)
        self._sim.reset()
        return {"status": "reset"}

    def seed(self, _: Request, body: Body) -> Answer:
        if not body:
            raise fields.bad("the seed is missing; `POST /_sim/reset` goes back to the last one")
        self._sim.reset(body)
        return {"status": "reset"}

    def accounts(self, request: Request, _: Body) -> Answer:
        return {"api": self._api_url, "accounts": accounts(self._sim.world, request.query_params.get("project"))}

    def add_project(self, _: Request, body: Body) -> Answer:
        known(body, "name", "quota")
        return self._sim.world.add_project(fields.text(body, "name"), quota=fields.whole_numbers(body, "quota"))

    def set_project(self, request: Request, body: Body) -> Answer:
        known(body, "quota", "frozen", "suspendedCredentials")
        project_id = request.path_params["id"]
        self._sim.world.set_project(
            project_id,
            quota=fields.whole_numbers(body, "quota"),
            frozen=fields.flag(body, "frozen"),
            suspended_credentials=fields.flag(body, "suspendedCredentials"),
        )
        return {"id": project_id}

    def revoke_tokens(self, request: Request, _: Body) -> Answer:
        project = request.query_params.get("project")
        return {"revoked": self._sim.tokens.revoke_where(lambda token: project in {None, token.project_id})}

    def ledger(self, request: Request, _: Body) -> Answer:
        since, limit = _since(request), _limit(request)
        entries = self._sim.world.ledger.to_json(project=request.query_params.get("project"), since=since)
        return {"entries": entries if limit is None else entries[-limit:] if limit else []}

    def requests(self, request: Request, _: Body) -> Answer:
        found = self._sim.log.select(project=request.query_params.get("project"), since=_since(request), limit=_limit(request))
        return {"requests": [entry.to_json() for entry in found], "total": self._sim.log.total}

    def show_clock(self, _: Request, __: Body) -> Answer:
        return show_clock(self._sim)

    def change_clock(self, _: Request, body: Body) -> Answer:
        return change_clock(self._sim, body)

    def durations(self, _: Request, body: Body) -> Answer:
        return self._sim.world.set_durations({name: fields.number(body, name) or 0.0 for name in body})

    def behaviour(self, _: Request, body: Body) -> Answer:
        return self._sim.world.set_behaviour(body)

    def list_faults(self, _: Request, __: Body) -> Answer:
        return {"faults": self._sim.faults.to_json()}

    def add_fault(self, _: Request, body: Body) -> Answer:
        try:
            return {"id": self._sim.faults.add(dict(body)).id}
        except FaultError as error:
            raise fields.bad(str(error)) from error

    def clear_faults(self, _: Request, __: Body) -> Answer:
        return {"removed": self._sim.faults.clear()}

    def remove_fault(self, request: Request, _: Body) -> Answer:
        if not self._sim.faults.remove(request.path_params["id"]):
            raise AdminError(404, f"there is no fault {request.path_params['id']}")
        return {"removed": 1}

    def job(self, request: Request, body: Body) -> Answer:
        known(body, "do", "code", "reason")
        job_id = request.path_params["id"]
        if fields.one_of(body, "do", ("fail", "finish")) == "finish":
            self._sim.world.finish_job(job_id)
        else:
            self._sim.world.fail_job(job_id, code=fields.text(body, "code", default="Ecs.0219"), reason=_reason(body))
        return {"id": job_id}

    def next_job(self, _: Request, body: Body) -> Answer:
        known(body, "project", "type", "do", "code", "reason", "leave")
        fields.one_of(body, "do", ("fail",), default="fail")
        self._sim.world.fail_next_job(
            fields.text(body, "project"),
            job_type=fields.text(body, "type"),
            code=fields.text(body, "code", default="Ecs.0219"),
            reason=_reason(body),
            leave=fields.one_of(body, "leave", ("server", "nothing"), default="nothing"),
        )
        return {"status": "armed"}

    def plant_server(self, _: Request, body: Body) -> Answer:
        known(body, "project", "name", "metadata")
        metadata = fields.text_pairs(body, "metadata")
        return {"id": self._sim.world.plant_server(fields.text(body, "project"), name=fields.text(body, "name"), metadata=metadata)}

    def server(self, request: Request, body: Body) -> Answer:
        known(body, "do", "beside")
        server_id = request.path_params["id"]
        deed = fields.one_of(body, "do", ("error", "stop", "start", "delete", "move"))
        if deed == "move":
            self._sim.world.put_beside(server_id, fields.text(body, "beside"))
        else:
            self._sim.world.set_server(server_id, deed)
        return {"id": server_id}

    def flavor(self, request: Request, body: Body) -> Answer:
        known(body, "soldOut")
        self._sim.world.sell_out(request.path_params["id"], tuple(fields.texts(body, "soldOut")))
        return {"id": request.path_params["id"]}

    def snapshot(self, _: Request, __: Body) -> Answer:
        return {"id": self._sim.snapshot()}

    def list_snapshots(self, _: Request, __: Body) -> Answer:
        return {"snapshots": self._sim.snapshot_ids()}

    def restore(self, _: Request, body: Body) -> Answer:
        known(body, "id")
        snapshot_id = fields.text(body, "id")
        try:
            self._sim.restore(snapshot_id)
        except KeyError as error:
            raise AdminError(404, f"there is no snapshot {snapshot_id}") from error
        return {"id": snapshot_id}


def _endpoint(simulator: Simulator, methods: Mapping[str, Call]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        call = methods[request.method if request.method != "HEAD" else "GET"]
        try:
            body = await _body(request)
            # The admin API sees the world as of now, and what it changes takes effect at once.
            simulator.world.settle()
            result = call(request, body)
            if request.method != "GET":
                simulator.touched()
                simulator.world.settle()
        except AdminError as error:
            return _refusal(error.status, error.message)
        except LookupError as error:
            return _refusal(404, str(error.args[0]) if error.args else "there is none")
        except ValueError as error:
            return _refusal(400, str(error))
        except Exception:
            logger.exception("%s %s failed", request.method, request.url.path)
            return _refusal(500, "the simulator made a mistake; its standard error has the details")
        return JSONResponse(result)

    return answer


async def _body(request: Request) -> Body:
    if request.method == "GET":
        return {}
    raw = await request.body()
    if len(raw) > MAX_BODY:
        raise AdminError(413, "the body is too large")
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise fields.bad("the body is no JSON") from error
    if not isinstance(body, dict):
        raise fields.bad("the body must be an object")
    return body


def _since(request: Request) -> int:
    return _whole(request, "since") or 0


def _limit(request: Request) -> int | None:
    return _whole(request, "limit")


def _whole(request: Request, name: str) -> int | None:
    value = request.query_params.get(name)
    if value is None:
        return None
    if not value.isdigit() or len(value) > 15:
        raise fields.bad(f"{name} must be a whole number")
    return int(value)


def _reason(body: Body) -> str:
    return fields.text(body, "reason", default="The job was made to fail.")


def _refusal(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status)


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    text = {404: f"there is no {request.url.path}", 405: f"{request.url.path} has no method {request.method}"}.get(
        status, "the call failed"
    )
    return _refusal(status, text)
