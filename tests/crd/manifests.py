"""Objects for the tests of the custom resources: a good base a kind, changed by JSON merge patches."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecs_operator.api.group import API_VERSION, KINDS, PAUSED_ANNOTATION

FOLDER = Path(__file__).parent
REPOSITORY = FOLDER.parent.parent

PLURALS = {names.kind: names.plural for names in KINDS}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table."""

    case: str
    kind: str
    name: str = "sample"
    spec: Mapping[str, Any] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)
    change: Mapping[str, Any] = field(default_factory=dict)
    says: tuple[str, ...] = ()


def rows(table: str) -> list[Any]:
    """The rows of a table as parameters of a test, named by their case."""
    raw = yaml.safe_load((FOLDER / f"{table}.yaml").read_text())
    found = [Row(**{**row, "says": tuple(row.get("says", ()))}) for row in raw]
    return [pytest.param(row, id=f"{row.kind}: {row.case}") for row in found]


def merged(target: Any, patch: Any) -> Any:
    """RFC 7396: a value of None removes a field, a mapping goes down, everything else replaces."""
    if not isinstance(patch, Mapping):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def manifest(kind: str, *, name: str, patch: Mapping[str, Any]) -> dict[str, Any]:
    """An object of this kind: the base spec, changed. An operator that happens to run leaves it alone."""
    base = yaml.safe_load((FOLDER / "bases.yaml").read_text())[kind]
    metadata = {"name": name, "annotations": {PAUSED_ANNOTATION: "true"}}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": merged(base, patch)}


def text(document: Mapping[str, Any]) -> str:
    """For the standard input of kubectl."""
    return json.dumps(document)
