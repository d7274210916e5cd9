"""Who is calling, and may he call this: tokens and signatures are checked here, before any route sees the request."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast

from ecs_simulator.auth.directory import Directory, Owner
from ecs_simulator.auth.guard import KeyGuard
from ecs_simulator.auth.signature import Authorization, ForgedError, SignatureError, parse_authorization, verify
from ecs_simulator.auth.tokens import TokenStore
from ecs_simulator.call import ApiError
from ecs_simulator.shapes import Family, GatewayError
from ecs_simulator.world import Project
from ecs_simulator.world.accounts import User

# The code and the texts the vendor's gateway answers with in public documentation.
GATEWAY_CODE = "APIGW.0301"
_INCORRECT = "Incorrect IAM authentication information: "


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller. ``project`` is None only for a token that was issued without one."""

    user: User
    project: Project | None
    kind: str


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What a signature covers, as it came over the wire. ``repeated`` names the headers that came more than once."""

    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    repeated: Collection[str] = ()


def identify(
    request: SignedRequest,
    *,
    family: Family,
    directory: Directory,
    tokens: TokenStore,
    guard: KeyGuard | None,
    world_now: float,
    gateway_now: float,
) -> Identity:
    """Return the caller; ApiError or GatewayError 401 if the request does not prove who he is.

    Tokens live on the world's clock; signatures are as old as the gateway's clock says, which is real time unless skewed on purpose.
    A request with both a token and a signature must prove the same user twice. ``guard`` is None where access keys are not locked.
    """
    token = request.headers.get("x-auth-token")
    authorization = request.headers.get("authorization")
    if token is None and authorization is None:
        raise GatewayError(401, GATEWAY_CODE, _INCORRECT + "x-auth-token not found")
    signer = None
    if authorization is not None:
        signer = _by_signature(request, authorization, directory=directory, guard=guard, world_now=world_now, gateway_now=gateway_now)
    if token is None:
        return cast("Identity", signer)
    bearer = _by_token(token, family=family, directory=directory, tokens=tokens, now=world_now)
    if signer is not None and signer.user.id != bearer.user.id:
        raise GatewayError(401, GATEWAY_CODE, _INCORRECT + "the token and the signature are not of the same user")
    return bearer


def require_project(identity: Identity, *, wanted: str | None, family: Family, section: str) -> Project:
    """Return the project to work in; ApiError if the URL names another than the caller's (codes Ecs.0023 and Common.0018)."""
    project = identity.project
    if project is None:
        raise ApiError(403, "Ecs.0110", "The token is not scoped to a project. Contact the main account to obtain permission.")
    if wanted is None or wanted == project.id:
        return project
    if family is Family.NOVA:
        text = f"Malformed request URL: URL's project_id '{wanted}' doesn't match Context's project_id '{project.id}'"
        raise ApiError(400, "Ecs.0023", text, nova=True)
    if section == "5.8.1":
        raise ApiError(400, "Common.0018", "The project ID in the URL is different from that in the token.")
    raise ApiError(400, "Ecs.0023", "project_id in token mismatches with project_id in url.")


def claimed_project(
    path_project: str | None, headers: Mapping[str, str], *, body: object, directory: Directory, tokens: TokenStore, now: float
) -> str | None:
    """Return the project a request is about before anything was verified.

    It is the path's, else the one a token is asked for, else the one its credentials belong to.
    """
    if path_project is not None:
        return path_project
    scope = _scope(body)
    if scope is not None:
        return directory.project_id(scope)
    value = headers.get("x-auth-token")
    if value is not None:
        token = tokens.find(value, now=now)
        return token.project_id if token is not None else None
    if "x-project-id" in headers:
        return headers["x-project-id"]
    try:
        found = directory.access_key(parse_authorization(headers.get("authorization", "")).access_key)
    except SignatureError:
        return None
    return found[0].project.id if found is not None else None


def _scope(body: object) -> str | None:
    """Return id or name of the project a token is asked for."""
    for name in ("auth", "scope", "project"):
        body = body.get(name) if isinstance(body, dict) else None
    found = body.get("id") or body.get("name") if isinstance(body, dict) else None
    return found if isinstance(found, str) else None


def _by_token(value: str, *, family: Family, directory: Directory, tokens: TokenStore, now: float) -> Identity:
    token = tokens.find(value, now=now)
    owner: Owner | None = directory.user(token.user_id) if token is not None else None
    if token is None or owner is None or owner.project.suspended_credentials:
        if family is Family.IAM:
            raise ApiError(401, "IAM.0101", "The request you have made requires authentication.")
        raise ApiError(401, "Common.0013", "Invalid token.")
    return Identity(user=owner.user, project=owner.project if token.project_id is not None else None, kind="token")


def _by_signature(
    request: SignedRequest, value: str, *, directory: Directory, guard: KeyGuard | None, world_now: float, gateway_now: float
) -> Identity:
    try:
        authorization = parse_authorization(value)
        if guard is not None:
            guard.require_unlocked(authorization.access_key, now=world_now)
        owner = _verified_owner(request, authorization, directory=directory, now=gateway_now)
    except ForgedError as error:
        if guard is not None:
            guard.failed(authorization.access_key, now=world_now)
        raise GatewayError(401, GATEWAY_CODE, _INCORRECT + str(error)) from error
    except SignatureError as error:
        raise GatewayError(401, GATEWAY_CODE, _INCORRECT + str(error)) from error
    if guard is not None:
        guard.succeeded(authorization.access_key)
    return Identity(user=owner.user, project=owner.project, kind="aksk")


def _verified_owner(request: SignedRequest, authorization: Authorization, *, directory: Directory, now: float) -> Owner:
    """Return the owner of the key that signed the request; SignatureError if it did not."""
    found = directory.access_key(authorization.access_key)
    if found is None:
        raise SignatureError("Get secretKey failed, err:ak not exist")
    owner, key = found
    given = request.headers.get("x-security-token")
    if key.security_token is not None and not hmac.compare_digest((given or "").encode(), key.security_token.encode()):
        raise SignatureError("x-security-token is missing or wrong")
    if key.security_token is None and given is not None:
        raise SignatureError("x-security-token was given with a permanent access key")
    verify(
        authorization,
        secret_key=key.secret_key,
        method=request.method,
        raw_path=request.raw_path,
        raw_query=request.raw_query,
        headers=request.headers,
        body=request.body,
        now=now,
        repeated=request.repeated,
    )
    if owner.project.suspended_credentials:
        raise SignatureError("the access key is disabled")
    for name, mine in (("x-project-id", owner.project.id), ("x-domain-id", owner.user.domain_id)):
        if request.headers.get(name, mine).strip() != mine:
            raise SignatureError(f"{name} is not of this access key's account")
    return owner
