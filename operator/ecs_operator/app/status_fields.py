"""The fields a status model can write, as paths: what the served schema must have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel


def status_fields(model: type[BaseModel]) -> frozenset[str]:
    """Paths such as ``job.id``, by the names in YAML; through lists, not into free maps."""
    return frozenset(_paths(model, ""))


def _paths(model: type[BaseModel], start: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{start}{field.alias or name}"
        yield path
        for inner in _models(field.annotation):
            yield from _paths(inner, f"{path}.")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for each in get_args(annotation):
        yield from _models(each)
