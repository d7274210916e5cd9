"""The API port: one ASGI application that parses, authenticates, routes, spoils and logs every request."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass
from typing import cast

from ecs_simulator import microversion, wire
from ecs_simulator.auth.gate import Identity, SignedRequest, claimed_project, identify, require_project
from ecs_simulator.auth.identity import PUBLIC, PUBLIC_SECTIONS, identity_operations
from ecs_simulator.call import ApiError, Call, Operation, Reply
from ecs_simulator.faults import Hit
from ecs_simulator.httpdate import HttpDate
from ecs_simulator.intake import GoneError, Request, headers_of, no_action, not_found, query_of, read_body, repeated_of, resolve, too_large
from ecs_simulator.requestlog import Entry
from ecs_simulator.routing import Router
from ecs_simulator.shapes import Family, GatewayError, encode, error_body, gateway_body, gateway_page
from ecs_simulator.simulator import Simulator
from ecs_simulator.wire import Receive, Scope, Send
from ecs_simulator.world import Project

logger = logging.getLogger(__name__)

# They change nothing that a state file would have to keep.
_READS = frozenset({"GET", "HEAD"})
# The statuses that may not carry a body.
_BODILESS = frozenset({204, 304})
# What a request that was not carried out would have been answered, as far as the client sees of it.
_PRETENDED = b'{"job_id":"ff80808288d41e1b018990260955686a"}'
_NOT_JSON = b'\x1f\x8b{"job_id": \xff\xfe'


@dataclass(slots=True)
class _Answer:
    status: int
    body: bytes
    headers: dict[str, str]
    code: str | None = None


class ApiServer:
    """The application of the API port. Requests are carried out one after another: handlers are synchronous, only delays wait."""

    def __init__(self, simulator: Simulator, operations: tuple[Operation, ...]) -> None:
        self._simulator = simulator
        self._router = Router((*identity_operations(simulator), *operations))
        self._date = HttpDate()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(
            method=scope["method"],
            raw_path=scope["raw_path"].decode("ascii"),
            raw_query=scope["query_string"].decode("latin-1"),
            headers=headers_of(scope["headers"]),
            request_id=f"req-{uuid.uuid4()}",
            started=time.perf_counter(),
            repeated=repeated_of(scope["headers"]),
        )
        try:
            request.body = await read_body(receive)
            resolve(request, self._router)
        except GoneError:
            return
        except OverflowError:
            resolve(request, self._router)
            request.complaint = too_large(request)
        await self._respond(request, scope, receive, send)

    async def _respond(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        hit = self._strike(request)
        if hit is None:
            answer = self._carry_out(request)
            self._log(request, status=answer.status, handled=answer.status, code=answer.code)
            await self._send(request, answer, send)
            return
        handled: int | None = None
        answer = _Answer(200, _PRETENDED, {"Content-Type": "application/json"})
        if hit.when == "before" and hit.effect.delay:
            # The client may be gone when the time is up; the request arrives all the same.
            await asyncio.sleep(hit.effect.delay)
        if hit.when == "after" or not hit.effect.spoils:
            answer = self._carry_out(request)
            handled = answer.status
        if hit.when == "after" and hit.effect.delay:
            await asyncio.sleep(hit.effect.delay)
        effect = hit.effect
        if effect.status is not None:
            answer = self._faked(request, hit)
        elif effect.garbage:
            answer = _Answer(answer.status, _NOT_JSON, {"Content-Type": "application/json"})
        silent = effect.drop or effect.reset
        self._log(request, status=None if silent else answer.status, handled=handled, code=answer.code, fault=hit.rule_id)
        # Nothing can be cut off an answer without a body.
        if effect.drop or (effect.truncate is not None and not answer.body):
            await wire.drop(scope, receive)
        elif effect.reset:
            await wire.reset(scope, receive)
        elif effect.truncate is not None:
            headers = self._head(request, answer)
            await wire.truncate(
                scope, receive, status=answer.status, headers=headers, body=answer.body, length=min(effect.truncate, len(answer.body) - 1)
            )
        else:
            await self._send(request, answer, send)

    def _strike(self, request: Request) -> Hit | None:
        simulator = self._simulator
        if not simulator.faults:
            return None
        project = claimed_project(
            request.path.get("project_id"),
            request.headers,
            body=request.parsed,
            directory=simulator.directory,
            tokens=simulator.tokens,
            now=simulator.world.clock.now(),
        )
        request.project = project
        operation = request.operation
        return simulator.faults.strike(
            name=operation.name if operation is not None else None,
            section=operation.section if operation is not None else None,
            method=request.method,
            target=request.target,
            project=project,
        )

    def _carry_out(self, request: Request) -> _Answer:
        """Do what is asked, and turn every way of failing into the documented answer."""
        if request.method not in _READS:
            self._simulator.touched()
        try:
            version, reply = self._dispatch(request)
        except ApiError as error:
            return self._refusal(request, error)
        except GatewayError as error:
            body = gateway_body(error.code, error.message, request.request_id)
            return _Answer(error.status, encode(body), {"Content-Type": "application/json", **_allow(request, error.status)}, error.code)
        except Exception:
            # A mistake of the simulator; the client still gets what a real cloud says then.
            logger.exception("%s %s failed", request.method, request.raw_path)
            return self._refusal(
                request, ApiError(500, "Common.0001", "A system exception occurred. Try again later or contact customer service.")
            )
        headers = dict(reply.headers)
        if version is not None:
            headers.update(microversion.answer_headers(version))
        if reply.body is None or reply.status in _BODILESS:
            return _Answer(reply.status, b"", headers)
        headers.setdefault("Content-Type", "application/json")
        return _Answer(reply.status, encode(reply.body), headers)

    def _dispatch(self, request: Request) -> tuple[microversion.Version | None, Reply]:
        simulator = self._simulator
        operation = request.operation
        if request.match is None or request.method not in request.match.methods:
            # Nothing is published here; the gateway says so to anybody.
            raise request.complaint or not_found(request)
        if request.complaint is not None and request.complaint.status == 413:
            # Nobody is asked who he is about a body that was not read.
            raise request.complaint
        world = simulator.world
        world.settle()
        identity = self._identify(request, operation)
        if request.complaint is not None:
            raise request.complaint
        if operation is None:
            raise no_action(request)
        project = self._project(request, identity, operation)
        version = None
        if request.raw_path.startswith("/v2.1/"):
            version = microversion.requested(request.headers, maximum=simulator.maximum_microversion())
        call = Call(
            world=world,
            # The few operations open to everybody have no project, and none of them asks for it.
            project=cast("Project", project),
            user_id=identity.user.id if identity is not None else "",
            path=request.path,
            query=query_of(request),
            headers=request.headers,
            body=request.parsed,
            microversion=version,
            request_id=request.request_id,
        )
        return version, operation.handler(call)

    def _identify(self, request: Request, operation: Operation | None) -> Identity | None:
        if operation is not None and (operation.name in PUBLIC or operation.section in PUBLIC_SECTIONS):
            return None
        simulator = self._simulator
        identity = identify(
            SignedRequest(request.method, request.raw_path, request.raw_query, request.headers, request.body, request.repeated),
            family=request.family,
            directory=simulator.directory,
            tokens=simulator.tokens,
            guard=simulator.guard if simulator.world.behaviour.access_key_lock else None,
            world_now=simulator.world.clock.now(),
            gateway_now=simulator.gateway_now(),
        )
        request.credential = identity.kind
        if identity.project is not None:
            request.project = identity.project.id
        return identity

    def _project(self, request: Request, identity: Identity | None, operation: Operation) -> Project | None:
        if identity is None:
            return None
        if request.family is Family.IAM:
            return identity.project
        return require_project(identity, wanted=request.path.get("project_id"), family=request.family, section=operation.section)

    def _refusal(self, request: Request, error: ApiError) -> _Answer:
        operation = request.operation
        body = error_body(error, family=request.family, section=operation.section if operation is not None else None)
        return _Answer(error.status, encode(body), {"Content-Type": "application/json", **_allow(request, error.status)}, error.code)

    def _faked(self, request: Request, hit: Hit) -> _Answer:
        effect = hit.effect
        status = effect.status or 500
        if effect.body is not None:
            text = isinstance(effect.body, str)
            body = effect.body.encode() if text else encode(effect.body)
            answer = _Answer(status, body, {"Content-Type": "text/plain" if text else "application/json"})
        elif effect.code is not None or effect.message is not None:
            answer = self._refusal(
                request, ApiError(status, effect.code or "Common.0001", effect.message or "A system exception occurred.")
            )
        else:
            answer = _Answer(status, gateway_page(status), {"Content-Type": "text/html"})
        answer.headers.update(effect.headers)
        if status in _BODILESS:
            answer.body = b""
        return answer

    def _head(self, request: Request, answer: _Answer) -> list[tuple[bytes, bytes]]:
        pairs = [
            (b"date", self._date.at(self._simulator.gateway_now())),
            (b"x-request-id", request.request_id.encode("ascii")),
            (b"x-openstack-request-id", request.request_id.encode("ascii")),
        ]
        pairs.extend((name.lower().encode("ascii"), value.encode("latin-1")) for name, value in answer.headers.items())
        if answer.status not in _BODILESS:
            pairs.append((b"content-length", str(len(answer.body)).encode("ascii")))
        return pairs

    async def _send(self, request: Request, answer: _Answer, send: Send) -> None:
        headers = self._head(request, answer)
        if answer.status == 413:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    def _log(self, request: Request, *, status: int | None, handled: int | None, code: str | None, fault: str | None = None) -> None:
        operation = request.operation
        headers = request.headers
        self._simulator.log.add(
            Entry(
                time=self._simulator.world.clock.now(),
                method=request.method,
                path=request.target,
                operation=operation.name if operation is not None else None,
                section=operation.section if operation is not None else None,
                project=request.project or request.path.get("project_id"),
                request_id=request.request_id,
                client_request_id=headers.get("x-request-id") or headers.get("x-openstack-request-id"),
                credential=request.credential,
                status=status,
                handled=handled,
                code=code,
                fault=fault,
                duration=time.perf_counter() - request.started,
            )
        )


def _allow(request: Request, status: int) -> dict[str, str]:
    if status == 405 and request.match is not None:
        return {"Allow": ", ".join(sorted(request.match.methods))}
    return {}
