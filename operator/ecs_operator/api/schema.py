"""From pydantic models to structural schemas, as a CustomResourceDefinition takes them, with every bound checked.

The API server refuses a schema that is not structural, but takes one without bounds; rules then cost too much, and objects may grow
without limit. What is refused here is a mistake in a model, so it is raised when the CRDs are generated.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

Node = dict[str, Any]

_INT32_MAX = 2**31 - 1

# What pydantic says beyond what a structural schema has.
_DROPPED = frozenset({"title", "$defs", "examples", "deprecated", "readOnly", "writeOnly", "propertyNames"})
_NOT_STRUCTURAL = frozenset({"anyOf", "oneOf", "allOf", "not", "if", "prefixItems", "patternProperties", "discriminator", "const"})
_COPIED = frozenset(
    {"type", "description", "enum", "format", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"}
    | {"minProperties", "maxProperties", "required", "default"}
)


class SchemaError(Exception):
    """A model that does not give a bounded structural schema. The message begins with the path of the field."""


class _KubernetesJsonSchema(GenerateJsonSchema):
    """Pydantic's JSON schema without what Kubernetes says in another way."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """``X | None`` is X: the field is optional, null is not a value."""
        return self.generate_inner(schema["schema"])

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        """A Literal of one value is an enum of one."""
        found = super().literal_schema(schema)
        if "const" in found:
            found = {"type": "string", "enum": [found["const"]]}
        return found

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """A default of None, or of an empty list, is no default: the field is just absent."""
        found = super().default_schema(schema)
        if "default" in found and found["default"] in (None, []):
            del found["default"]
        return found


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the schema a node stands."""

    path: str
    models: tuple[str, ...] = ()
    in_list: bool = False

    def down(self, step: str, *, in_list: bool | None = None) -> _Place:
        return replace(self, path=self.path + step, in_list=self.in_list if in_list is None else in_list)

    def fail(self, what: str) -> SchemaError:
        return SchemaError(f"{self.path}: {what}")


def structural_schema(model: type[BaseModel], path: str) -> Node:
    """The schema of a model. ``path`` names it in errors, for example ``spec``. Raises SchemaError."""
    raw = model.model_json_schema(by_alias=True, mode="validation", schema_generator=_KubernetesJsonSchema)
    return _convert(raw, raw.get("$defs", {}), _Place(path))


def _convert(node: Mapping[str, Any], models: Mapping[str, Node], place: _Place) -> Node:
    node, place = _resolved(node, models, place)
    out: Node = {}
    for key, value in node.items():
        if key in _NOT_STRUCTURAL:
            raise place.fail(f"{key} is not structural; say it with a rule")
        if key in _DROPPED:
            continue
        if key == "properties":
            out[key] = {name: _convert(child, models, place.down(f".{name}")) for name, child in value.items()}
        elif key == "items":
            out[key] = _convert(value, models, place.down("[]", in_list=True))
        elif key == "additionalProperties":
            if not isinstance(value, Mapping):
                raise place.fail("a map needs a type for its values")
            out[key] = _convert(value, models, place.down("{}"))
        elif key in _COPIED or key.startswith("x-kubernetes-"):
            out[key] = value
        else:
            raise place.fail(f"{key} is not known to Kubernetes, or not here")
    if "description" in out:
        out["description"] = " ".join(out["description"].split())
    if out.get("type") == "integer":
        out.setdefault("format", "int32" if out.get("maximum", 0) <= _INT32_MAX else "int64")
    for problem in _problems(out, place):
        raise place.fail(problem)
    return out


def _resolved(node: Mapping[str, Any], models: Mapping[str, Node], place: _Place) -> tuple[Node, _Place]:
    """The node with its reference replaced by what it refers to; what stands beside the reference wins."""
    if "$ref" not in node:
        return dict(node), place
    name = str(node["$ref"]).rsplit("/", 1)[1]
    if name in place.models:
        raise place.fail(f"{name} contains itself")
    beside = {key: value for key, value in node.items() if key != "$ref"}
    return {**copy.deepcopy(models[name]), **beside}, replace(place, models=(*place.models, name))


def _problems(node: Node, place: _Place) -> Iterable[str]:
    """What is missing for a bounded, documented schema."""
    kind = node.get("type")
    bounds = {
        "string": not {"maxLength", "enum"}.isdisjoint(node) or node.get("format") == "date-time",
        "array": "maxItems" in node,
        "object": "additionalProperties" not in node or "maxProperties" in node,
        "integer": "minimum" in node and "maximum" in node,
        "boolean": True,
    }
    if kind not in bounds:
        yield f"the type {kind} is not used here" if kind else "no type"
    elif not bounds[kind]:
        yield f"{kind} without bounds"
    if kind == "array" and "x-kubernetes-list-type" not in node:
        yield "a list says how it merges: x-kubernetes-list-type"
    if node.get("x-kubernetes-list-type") == "map" and not _keys_required(node):
        yield "the keys of a list-map are required fields of its items"
    if "default" in node and place.in_list:
        yield "no default inside list items: server-side apply would fight over it"
    if "default" in node and node.get("enum") and node["default"] not in node["enum"]:
        yield "the default is not one of the values"
    if not node.get("description") and not place.path.endswith(("[]", "{}")):
        yield "no description"


def _keys_required(node: Node) -> bool:
    return set(node["x-kubernetes-list-map-keys"]) <= set(node["items"].get("required", []))
