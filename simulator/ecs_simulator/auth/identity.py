"""The part of the identity service people need: tokens, projects and versions (API reference 4.1, 4.2, 10.2)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from ecs_simulator.auth.directory import Directory, Owner
from ecs_simulator.auth.tokens import Token, TokenStore
from ecs_simulator.call import ApiError, Call, Operation, Reply
from ecs_simulator.world import Project, World

# Operations of this service that need no credentials, and those of 6.1 that Nova answers to anybody.
PUBLIC = frozenset({"createToken", "showIdentityVersion", "listImageVersions", "listVolumeVersions"})
PUBLIC_SECTIONS = frozenset({"6.1.1", "6.1.2"})

_SCOPES = frozenset({"project", "domain", "unscoped"})
_WRONG = "The username or password is wrong."


class Realm(Protocol):
    """What the identity service works on; the world may be replaced by another at any time."""

    @property
    def world(self) -> World:
        """The present world."""

    @property
    def tokens(self) -> TokenStore:
        """The tokens in force."""

    @property
    def directory(self) -> Directory:
        """The accounts of the present world."""


def identity_operations(realm: Realm) -> tuple[Operation, ...]:
    """Return the operations of the identity service over a realm."""
    service = _Service(realm)
    return (
        Operation("4.1", "createToken", "POST", "/v3/auth/tokens", service.create_token),
        Operation("4.2", "showToken", "GET", "/v3/auth/tokens", service.show_token),
        Operation("4.2", "revokeToken", "DELETE", "/v3/auth/tokens", service.revoke_token),
        Operation("10.2", "listProjects", "GET", "/v3/projects", service.list_projects),
        Operation("10.2", "listAuthProjects", "GET", "/v3/auth/projects", service.list_projects),
        Operation("10.2", "showProject", "GET", "/v3/projects/{id}", service.show_project),
        Operation("4.2", "showIdentityVersion", "GET", "/v3", service.show_version),
    )


class _Service:
    def __init__(self, realm: Realm) -> None:
        self._realm = realm

    def create_token(self, call: Call) -> Reply:
        auth = _part(call.body, "auth")
        identity = _part(auth, "identity")
        methods = identity.get("methods")
        if methods != ["password"]:
            raise _bad('auth.identity.methods must be ["password"]')
        user = _part(_part(identity, "password"), "user")
        owner = self._check_password(user)
        project, domain_id = self._scope(auth.get("scope"), owner)
        token = self._realm.tokens.issue(
            user_id=owner.user.id,
            project_id=project.id if project is not None else None,
            domain_id=domain_id,
            now=self._realm.world.clock.now(),
        )
        body = self._describe(token, owner, call, catalog="nocatalog" not in call.query)
        return Reply(201, body, {"X-Subject-Token": token.value})

    def show_token(self, call: Call) -> Reply:
        token, owner = self._subject(call)
        return Reply(200, self._describe(token, owner, call, catalog="nocatalog" not in call.query), {"X-Subject-Token": token.value})

    def revoke_token(self, call: Call) -> Reply:
        token, _ = self._subject(call)
        self._realm.tokens.revoke(token.value)
        return Reply(204)

    def list_projects(self, call: Call) -> Reply:
        owner = self._owner(call.user_id)
        rows = [_project_row(owner.project, owner)]
        for name in ("name", "id", "domain_id", "parent_id"):
            wanted = call.query.get(name)
            if wanted:
                rows = [row for row in rows if row[name] == wanted[-1]]
        enabled = call.query.get("enabled")
        if enabled and enabled[-1].lower() in {"false", "0"}:
            rows = []
        return Reply(200, {"links": {"self": f"{base_url(call.headers)}/v3/projects", "previous": None, "next": None}, "projects": rows})

    def show_project(self, call: Call) -> Reply:
        owner = self._owner(call.user_id)
        if call.path["id"] != owner.project.id:
            raise ApiError(404, "IAM.0004", f"Could not find project: {call.path['id']}.")
        return Reply(200, {"project": _project_row(owner.project, owner)})

    def show_version(self, call: Call) -> Reply:
        version = {
            "id": "v3.6",
            "status": "stable",
            "updated": "2016-04-04T00:00:00Z",
            "links": [{"rel": "self", "href": f"{base_url(call.headers)}/v3/"}],
            "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
        }
        return Reply(200, {"version": version})

    def _owner(self, user_id: str) -> Owner:
        owner = self._realm.directory.user(user_id)
        if owner is None:
            raise ApiError(401, "IAM.0101", "The request you have made requires authentication.")
        return owner

    def _subject(self, call: Call) -> tuple[Token, Owner]:
        value = call.headers.get("x-subject-token")
        if not value:
            raise _bad("X-Subject-Token is missing")
        token = self._realm.tokens.find(value, now=self._realm.world.clock.now())
        owner = self._realm.directory.user(token.user_id) if token is not None else None
        # Somebody else's token is as unknown as none.
        if token is None or owner is None or token.user_id != call.user_id:
            raise ApiError(404, "IAM.0004", "Could not find token.")
        return token, owner

    def _check_password(self, user: Mapping[str, Any]) -> Owner:
        password = _text(user, "password")
        if "id" in user:
            owner = self._realm.directory.user(_text(user, "id"))
        else:
            domain = _part(user, "domain")
            domain_id = _text(domain, "id") if "id" in domain else None
            domain_name = _text(domain, "name") if domain_id is None else None
            owner = self._realm.directory.named_user(_text(user, "name"), domain_id=domain_id, domain_name=domain_name)
        # One text for all three, so that nobody learns which names exist.
        if owner is None or not hmac.compare_digest(owner.user.password.encode(), password.encode()):
            raise ApiError(401, "IAM.0101", _WRONG)
        if owner.project.suspended_credentials:
            raise ApiError(401, "IAM.0101", "The account has been suspended.")
        return owner

    def _scope(self, scope: object, owner: Owner) -> tuple[Project | None, str | None]:
        """Return the project or the account a token is asked for; neither for an unscoped one."""
        if scope is None:
            return None, None
        if not isinstance(scope, dict) or len(_SCOPES & set(scope)) != 1:
            raise _bad("auth.scope must be an object with exactly one of project, domain and unscoped")
        if "unscoped" in scope:
            return None, None
        if "domain" in scope:
            if not _is_domain_of(owner, _part(scope, "domain")):
                raise ApiError(401, "IAM.0101", "The request you have made requires authentication: no such domain in the scope.")
            return None, owner.user.domain_id
        wanted = _part(scope, "project")
        found = _text(wanted, "id") == owner.project.id if "id" in wanted else _text(wanted, "name") == owner.project.name
        if "id" not in wanted and "domain" in wanted:
            found = _is_domain_of(owner, _part(wanted, "domain")) and found
        if not found:
            raise ApiError(401, "IAM.0101", "The request you have made requires authentication: no such project in the scope.")
        return owner.project, None

    def _describe(self, token: Token, owner: Owner, call: Call, *, catalog: bool) -> dict[str, Any]:
        domain = {"id": owner.user.domain_id, "name": owner.user.domain_name}
        body: dict[str, Any] = {
            "methods": ["password"],
            "issued_at": _stamp(token.issued_at),
            "expires_at": _stamp(token.expires_at),
            "user": {"id": owner.user.id, "name": owner.user.name, "password_expires_at": "", "domain": domain},
        }
        if token.project_id is not None:
            body["project"] = {"id": owner.project.id, "name": owner.project.name, "domain": domain}
        elif token.domain_id is not None:
            body["domain"] = domain
        else:
            # Unscoped: it says who its bearer is, and nothing of what he may do.
            return {"token": body}
        body["roles"] = [{"id": "0", "name": "te_admin"}]
        if catalog:
            body["catalog"] = _catalog(base_url(call.headers), self._realm.world.region, token.project_id)
        return {"token": body}


def base_url(headers: Mapping[str, str]) -> str:
    """Return the URL under which the client reached this server, a proxy that ends TLS included."""
    return f"{headers.get('x-forwarded-proto', 'http')}://{headers.get('host', 'localhost')}"


def _catalog(base: str, region: str, project_id: str | None) -> list[dict[str, Any]]:
    services = [("identity", "iam", f"{base}/v3")]
    if project_id is not None:
        services += [
            ("compute", "nova", f"{base}/v2.1/{project_id}"),
            ("compute_legacy", "nova", f"{base}/v2/{project_id}"),
            ("ecs", "ecs", f"{base}/v1/{project_id}"),
            ("image", "glance", f"{base}/image"),
            ("block-storage", "cinder", f"{base}/volume/v3/{project_id}"),
        ]
    return [
        {
            "type": kind,
            "name": name,
            "id": f"service-{kind}",
            "endpoints": [{"id": f"endpoint-{kind}", "interface": "public", "region": region, "region_id": region, "url": url}],
        }
        for kind, name, url in services
    ]


def _project_row(project: Project, owner: Owner) -> dict[str, Any]:
    domain_id = owner.user.domain_id
    return {
        "id": project.id,
        "name": project.name,
        "description": "",
        "enabled": True,
        "is_domain": False,
        "domain_id": domain_id,
        "parent_id": domain_id,
        "links": {},
    }


def _is_domain_of(owner: Owner, wanted: Mapping[str, Any]) -> bool:
    if "id" in wanted:
        return _text(wanted, "id") == owner.user.domain_id
    return _text(wanted, "name") == owner.user.domain_name


def _stamp(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _bad(message: str) -> ApiError:
    return ApiError(400, "IAM.0002", message)


def _part(data: object, name: str) -> Mapping[str, Any]:
    part = data.get(name) if isinstance(data, dict) else None
    if not isinstance(part, dict):
        raise _bad(f"{name} is missing or no object")
    return part


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        raise _bad(f"{name} is missing or no text")
    return value
