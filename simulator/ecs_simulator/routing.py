"""From method, path and body to an operation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from ecs_simulator.call import Operation

WILDCARD = "{}"
_MIRRORED = "/v2.1/"


@dataclass(frozen=True, slots=True)
class Route:
    """An operation on one of the paths it is served under, with the names of that path's variables in order."""

    operation: Operation
    names: tuple[str, ...]


@dataclass(slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    methods: dict[str, list[Route]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PathMatch:
    """What is served under a path: the routes by method, and the values of the path's variables."""

    methods: Mapping[str, list[Route]]
    values: tuple[str, ...]


class BadPathError(ValueError):
    """The path is not percent-encoded UTF-8."""


class Router:
    """A tree of path segments. Literal segments win over variables, whatever the order of registration."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        operations = tuple(operations)
        places = [(operation, path) for operation in operations for path in (operation.path, *operation.also)]
        for operation, path in places:
            self._add(operation, path)
        # Sections 3 and 6.16: what is under /v2.1 is under /v2 too, unless /v2 has a path of its own there.
        for operation, path in places:
            if path.startswith(_MIRRORED):
                self._add(operation, "/v2/" + path.removeprefix(_MIRRORED))

    def _add(self, operation: Operation, path: str) -> None:
        node = self._root
        names: list[str] = []
        for segment in split(path):
            if segment.startswith("{"):
                name = segment[1:-1]
                # /os-quota-sets/{project_id} repeats a name: the one in front keeps it.
                names.append(f"{name}_{names.count(name) + 1}" if name in names else name)
                segment = WILDCARD  # noqa: PLW2901
            node = node.children.setdefault(segment, _Node())
        routes = node.methods.setdefault(operation.method, [])
        if all(route.operation.action != operation.action for route in routes):
            routes.append(Route(operation=operation, names=tuple(names)))

    def find(self, segments: tuple[str, ...]) -> PathMatch | None:
        """Return what is served under a path, None if nothing is."""
        return _walk(self._root, segments, 0, ())


def split(path: str) -> tuple[str, ...]:
    """Split a raw path into raw segments; one slash at the end does not matter."""
    return tuple(path.strip("/").split("/")) if path.strip("/") else ()


def decode_segments(raw_path: str) -> tuple[str, ...]:
    """Split first and decode after, so that an encoded slash stays inside its segment."""
    inner = raw_path.removeprefix("/")
    inner = inner.removesuffix("/")
    if not inner:
        return ()
    segments = tuple(inner.split("/"))
    if "%" not in inner:
        return segments
    try:
        return tuple(unquote_to_bytes(segment).decode() for segment in segments)
    except UnicodeDecodeError as error:
        raise BadPathError(raw_path) from error


def choose(routes: list[Route], body: object) -> Route | None:
    """Pick the route of a shared path by the body: by its key, or by the value of the field that selects; None if none fits."""
    plain = None
    for route in routes:
        operation = route.operation
        if operation.action is None:
            plain = route
        elif isinstance(body, dict):
            named = operation.action in body if operation.selector is None else body.get(operation.selector) == operation.action
            if named:
                return route
    return plain


def _walk(node: _Node, segments: tuple[str, ...], depth: int, values: tuple[str, ...]) -> PathMatch | None:
    if depth == len(segments):
        return PathMatch(methods=node.methods, values=values) if node.methods else None
    segment = segments[depth]
    literal = node.children.get(segment)
    if literal is not None and segment != WILDCARD:
        found = _walk(literal, segments, depth + 1, values)
        if found is not None:
            return found
    variable = node.children.get(WILDCARD)
    if variable is not None and segment:
        return _walk(variable, segments, depth + 1, (*values, segment))
    return None
