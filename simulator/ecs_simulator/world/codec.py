"""Dataclasses to JSON and back, by their annotations. Snapshots and state files are made of it."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[Any], Any]
Writer = Callable[[Any], Any]

_PLAIN = frozenset({str, int, float, bool, type(None)})


def dump(value: Any) -> Any:  # noqa: ANN401 -- any value of a dataclass
    """Return the JSON form of a value made of dataclasses, dicts, lists and plain values; it shares nothing that can change with it."""
    kind: Any = type(value)
    if kind in _PLAIN:
        return value
    if is_dataclass(value):
        return _record_writer(kind)(value)
    if isinstance(value, dict):
        return {str(key): dump(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [dump(item) for item in value]
    if isinstance(value, str | int | float):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def load(kind: type[T], data: Any) -> T:  # noqa: ANN401 -- parsed JSON
    """Return a value of a type from its JSON form; KeyError, TypeError or ValueError if it does not fit."""
    annotation: Any = kind
    result: T = _reader(annotation)(data)
    return result


@cache
def _names(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 -- a dataclass
    return tuple(field.name for field in fields(kind))


@cache
def _record_writer(kind: Any) -> Writer:  # noqa: ANN401 -- a dataclass
    """Return what takes a record apart: its plain fields all at once, the others by what they are said to hold."""
    hints = get_type_hints(kind)
    writers = {name: _writer(hints[name]) for name in _names(kind)}
    plain = [name for name, writer in writers.items() if writer is None]
    others = [(name, writer) for name, writer in writers.items() if writer is not None]
    # One more name than there may be, so that what comes back is a tuple always.
    values = attrgetter(*plain, "__class__", "__class__")

    def write(record: Any) -> dict[str, Any]:  # noqa: ANN401 -- a dataclass
        found = dict(zip(plain, values(record), strict=False))
        for name, writer in others:
            found[name] = writer(getattr(record, name))
        return found

    return write


@cache
def _writer(kind: Any) -> Writer | None:  # noqa: ANN401 -- any annotation
    """Return what makes JSON of a value of a type, None if it is JSON already."""
    if kind in _PLAIN:
        return None
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        inner = [_writer(argument) for argument in arguments if argument is not type(None)]
        return None if inner == [None] else dump
    if origin is list and _writer(arguments[0]) is None:
        return list
    if origin is dict and arguments[0] is str and _writer(arguments[1]) is None:
        return dict
    return dump


@cache
def _reader(kind: Any) -> Reader:  # noqa: ANN401 -- any annotation
    if kind is Any or kind is object:
        return lambda data: data
    if isinstance(kind, type) and is_dataclass(kind):
        return _record_reader(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, types.UnionType}:
        inner = _reader(next(argument for argument in arguments if argument is not type(None)))
        return lambda data: None if data is None else inner(data)
    if origin is list:
        item = _reader(arguments[0])
        return lambda data: [item(part) for part in data]
    if origin is tuple:
        item = _reader(arguments[0])
        return lambda data: tuple(item(part) for part in data)
    if origin is dict:
        value = _reader(arguments[1])
        return lambda data: {str(key): value(part) for key, part in data.items()}
    if kind is float:
        return float
    if kind in {str, int, bool}:
        return lambda data: _plain(kind, data)
    raise TypeError(f"no way to read a {kind}")


def _record_reader(kind: Any) -> Reader:  # noqa: ANN401 -- a dataclass
    hints = get_type_hints(kind)
    readers = [(name, _reader(hints[name])) for name in _names(kind)]

    def read(data: Any) -> Any:  # noqa: ANN401 -- parsed JSON
        return kind(**{name: reader(data[name]) for name, reader in readers if name in data})

    return read


def _plain(kind: Any, data: Any) -> Any:  # noqa: ANN401 -- str, int or bool
    if type(data) is not kind:
        raise TypeError(f"{kind.__name__} expected, not {type(data).__name__}")
    return data
