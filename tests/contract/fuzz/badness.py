"""Every kind of badness that can be done to a request, as a table: a name, and the requests that have it.

What is sent here is decided by the operation and the kind alone, so the sweep is the same each time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from tests.contract.fuzz.bodies import encoded, get, name_of, places, put, without
from tests.contract.fuzz.states import STATES, foreign
from tests.contract.fuzz.targets import Target, all_targets
from tests.contract.fuzz.values import (
    CLIENT_TOKENS,
    CONTENT_TYPES,
    CREDENTIALS,
    MICROVERSIONS,
    ODD_CONTENT_TYPES,
    QUERIES,
    RAW_BODIES,
    SEGMENTS,
    VALUES,
    Headers,
)


@dataclass(frozen=True)
class Bad:
    """A request that is bad in one way. None is what would be accepted; ``statuses`` are the only ones possible, none says nothing.

    ``before`` changes the world first, and may return headers to send.
    """

    what: str
    target: str | None = None
    body: bytes | None = field(default=None, repr=False)
    headers: Headers | None = None
    statuses: frozenset[int] = frozenset()
    method: str | None = None
    before: Callable[[Target], Headers | None] | None = None


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "FOO")
REFUSED = frozenset({400, 401, 403, 404, 405, 406, 409, 413, 415})
NOT_THERE = frozenset({400, 404})
NOT_KNOWN = frozenset({401})
# Of who comes with the token of another project: it is said that the URL is not his, or that nothing is there.
_NOT_HERE = frozenset({400, 404})
# Of things that every project may see, or that are named and not identified.
_COMMON = frozenset({"flavor_id", "api_version", "key", "tag", "keypair_name", "networkName", "image_id", "project_id"})


def _fields(target: Target) -> Iterator[Bad]:
    """Each field in turn has each bad value, is missing, and has a stranger beside it."""
    if target.body is None:
        return
    for place in places(target.body):
        for what, value in VALUES.items():
            yield Bad(f"{name_of(place)}: {what}", body=encoded(put(target.body, place, value)))
        yield Bad(f"{name_of(place)} is missing", body=encoded(without(target.body, place)))
    for place in [(), *(place for place in places(target.body) if isinstance(get(target.body, place), dict))]:
        for name in ("unknown_field", "", "a\x00b", "__class__", "\ud800"):
            yield Bad(f"{name_of(place)} has {name!r} too", body=encoded(put(target.body, (*place, name), "x")))


def _raw_bodies(target: Target) -> Iterator[Bad]:
    for what, body in RAW_BODIES.items():
        # What is an object may do: a pool of addresses need not be named (11.5.3).
        must = REFUSED if target.body is not None and what not in {"an exponent without end", "an empty object"} else frozenset()
        yield Bad(what, body=body, statuses=must)


def _content_types(target: Target) -> Iterator[Bad]:
    body = target.content() or b"{}"
    for kind in CONTENT_TYPES:
        # Who sends no body need not say what it is.
        must = frozenset({415}) if target.method in {"POST", "PUT"} else frozenset()
        yield Bad(kind, body=body, headers=target.headers(content_type=kind), statuses=must)
    for kind in ODD_CONTENT_TYPES:
        yield Bad(repr(kind), body=body, headers=target.headers(content_type=kind))


def _segments(target: Target) -> Iterator[Bad]:
    for name in target.variables:
        for what, segment in SEGMENTS.items():
            must = NOT_THERE if what == "an id of nothing" and name not in _COMMON else frozenset()
            yield Bad(f"{name}: {what}", target=target.url(**{name: segment}), statuses=must)
    if "{project_id}" in target.template:
        for what, segment in SEGMENTS.items():
            must = frozenset({400}) if what == "an id of nothing" else frozenset()
            yield Bad(f"project_id: {what}", target=target.url(project=segment), statuses=must)


def _of_others(target: Target) -> Iterator[Bad]:
    """Ids of another project's things, in the path, in the body, and that project itself."""
    other = foreign(target)
    if "{project_id}" in target.template:
        yield Bad("another project", target=target.url(project=other["project_id"]), statuses=frozenset({400}))
    for name in target.variables:
        if name in other and name not in _COMMON:
            yield Bad(f"another's {name}", target=target.url(**{name: other[name]}), statuses=NOT_THERE)
    if target.body is None:
        return
    for place in places(target.body):
        if isinstance(get(target.body, place), str):
            for what, value in other.items():
                yield Bad(f"{name_of(place)}: another's {what}", body=encoded(put(target.body, place, value)))


def _queries(target: Target) -> Iterator[Bad]:
    # Where nothing is read from a query, every fifth will do.
    for query in QUERIES if target.method == "GET" else QUERIES[::5]:
        yield Bad(query[:60], target=f"{target.url()}?{query}")


def _microversions(target: Target) -> Iterator[Bad]:
    for what, headers in MICROVERSIONS.items():
        yield Bad(what, headers=[*target.headers(x_openstack_nova_api_version=None), *headers])


def _credentials(target: Target) -> Iterator[Bad]:
    must = frozenset[int]() if target.is_public else NOT_KNOWN
    for what, changes in CREDENTIALS.items():
        yield Bad(what, headers=target.headers(**changes), statuses=must)


def _client_tokens(target: Target) -> Iterator[Bad]:
    if target.name != "createServers":
        return
    for token in CLIENT_TOKENS:
        yield Bad(f"{token[:20]!r}", headers=target.headers(x_client_token=token))
    used = CLIENT_TOKENS[-1]
    for what, body in (("another body", b'{"server": {}}'), ("no body", b"")):
        yield Bad(f"used before, with {what}", body=body, headers=target.headers(x_client_token=used), before=_use_token, statuses=REFUSED)


def _use_token(target: Target) -> None:
    assert target.send(headers=target.headers(x_client_token=CLIENT_TOKENS[-1])).status == 200


def _paths(target: Target) -> Iterator[Bad]:
    yield Bad("a longer path", target=f"{target.url()}/nonsense/x", statuses=frozenset({404}))
    yield Bad("two slashes", target=target.url().replace("/", "//"))
    yield Bad("a slash at the end", target=f"{target.url()}/")
    yield Bad("capitals", target=target.url().upper())


def _methods(target: Target) -> Iterator[Bad]:
    for method in METHODS:
        if method not in methods_of(target.template):
            yield Bad(method, method=method, statuses=frozenset({405}))


def _states(_: Target) -> Iterator[Bad]:
    for what, change in STATES.items():
        yield Bad(what, before=change)


def _tokens(target: Target) -> Iterator[Bad]:
    must = NOT_KNOWN if not target.is_public else frozenset[int]()
    yield Bad("an expired token", before=_expire, statuses=must)
    yield Bad("a revoked token", before=_revoke, statuses=must)
    own = target.is_public or target.template.startswith("/v3")
    yield Bad("another's token", before=_as_another, statuses=frozenset() if own else _NOT_HERE)
    yield Bad("a token without a project", before=_as_nobody, statuses=frozenset() if own else frozenset({403}))


def _expire(target: Target) -> None:
    target.scene.api.pass_time(25 * 3600)


def _revoke(target: Target) -> Headers:
    api, token = target.scene.api, target.scene.api.token()
    assert api.ask("DELETE", "/v3/auth/tokens", x_auth_token=target.scene.token, x_subject_token=token).status == 204
    return target.headers(x_auth_token=token)


def _as_another(target: Target) -> Headers:
    others = target.world.projects[foreign(target)["project_id"]]
    user = next(iter(others.users.values()))
    scope = {"project": {"id": others.id}}
    token = target.scene.api.token(name=user.name, password=user.password, domain=user.domain_name, scope=scope)
    return target.headers(x_auth_token=token)


def _as_nobody(target: Target) -> Headers:
    return target.headers(x_auth_token=target.scene.api.token(scope={"unscoped": {}}))


KINDS: Mapping[str, Callable[[Target], Iterator[Bad]]] = MappingProxyType(
    {
        "fields": _fields,
        "bodies": _raw_bodies,
        "content types": _content_types,
        "path segments": _segments,
        "others' things": _of_others,
        "queries": _queries,
        "microversions": _microversions,
        "credentials": _credentials,
        "client tokens": _client_tokens,
        "paths": _paths,
        "methods": _methods,
        "states": _states,
        "tokens": _tokens,
    }
)


def shape_of(template: str) -> str:
    """Return a template with its variables' names left out."""
    return "/".join("{}" if part.startswith("{") else part for part in template.split("/"))


@cache
def methods_of(template: str) -> frozenset[str]:
    """Return the methods that a path has."""
    return frozenset(target.method for target in all_targets() if shape_of(target.template) == shape_of(template))
