"""Dataclasses to JSON and back, by their annotations. Snapshots and state files are made of it."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Loader = Callable[[Any], Any]


def dump(value: Any) -> Any:  # noqa: ANN401 -- any value of a dataclass
    """Return the JSON form of a value made of dataclasses, dicts, lists and plain values."""
    if isinstance(value, str | int | float | bool | None):
        return value
    kind: Any = type(value)
    if is_dataclass(value):
        return {name: dump(getattr(value, name)) for name in _names(kind)}
    if isinstance(value, dict):
        return {str(key): dump(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [dump(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def load(kind: type[T], data: Any) -> T:  # noqa: ANN401 -- parsed JSON
    """Return a value of a type from its JSON form; KeyError, TypeError or ValueError if it does not fit."""
    annotation: Any = kind
    result: T = _loader(annotation)(data)
    return result


@cache
def _names(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 -- a dataclass
    return tuple(field.name for field in fields(kind))


@cache
def _loader(kind: Any) -> Loader:  # noqa: ANN401 -- any annotation
    if kind is Any or kind is object:
        return lambda data: data
    if isinstance(kind, type) and is_dataclass(kind):
        return _record_loader(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        inner = _loader(next(argument for argument in arguments if argument is not type(None)))
        return lambda data: None if data is None else inner(data)
    if origin is list:
        item = _loader(arguments[0])
        return lambda data: [item(part) for part in data]
    if origin is tuple:
        item = _loader(arguments[0])
        return lambda data: tuple(item(part) for part in data)
    if origin is dict:
        value = _loader(arguments[1])
        return lambda data: {str(key): value(part) for key, part in data.items()}
    if kind is float:
        return float
    if kind in {str, int, bool}:
        return lambda data: _plain(kind, data)
    raise TypeError(f"no way to read a {kind}")


def _record_loader(kind: Any) -> Loader:  # noqa: ANN401 -- a dataclass
    hints = get_type_hints(kind)
    loaders = [(name, _loader(hints[name])) for name in _names(kind)]

    def read(data: Any) -> Any:  # noqa: ANN401 -- parsed JSON
        return kind(**{name: loader(data[name]) for name, loader in loaders if name in data})

    return read


def _plain(kind: Any, data: Any) -> Any:  # noqa: ANN401 -- str, int or bool
    if type(data) is not kind:
        raise TypeError(f"{kind.__name__} expected, not {type(data).__name__}")
    return data
