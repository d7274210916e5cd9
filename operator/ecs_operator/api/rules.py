"""Builders of validation rules in CEL, as they stand in a CustomResourceDefinition.

The API server estimates what a rule costs from the bounds in the schema and refuses a CRD whose rules may cost too much. What it takes:
``has(x) ? … : …`` instead of ``x.?y.orValue(…)``, and one ``'…%s…'.format([…])`` instead of concatenations and ``join()``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

# FieldValueDuplicate exists too, but the API server then leaves the message out.
Refusal = Literal["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired"]

UNSET = "(unset)"
"""How messages name the value of a field that is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. ``message`` is static and stands in wherever ``message_expression`` fails; ``field`` is a path below the rule's node."""

    test: str
    message: str
    message_expression: str | None = None
    reason: Refusal = "FieldValueInvalid"
    field: str | None = None

    def __post_init__(self) -> None:
        """Refuse what the API server would refuse, where the rule is written."""
        if "\n" in self.message or not self.message.strip():
            raise ValueError(f"a rule's message is one line that is not empty: {self.message!r}")
        if self.field is not None and not self.field.startswith("."):
            raise ValueError(f"a rule's field path begins with a dot: {self.field!r}")

    def as_schema(self) -> dict[str, str]:
        """The item of ``x-kubernetes-validations``."""
        item = {"rule": self.test, "message": self.message, "reason": self.reason}
        if self.message_expression is not None:
            item["messageExpression"] = self.message_expression
        if self.field is not None:
            item["fieldPath"] = self.field
        return item


def validations(*rules: Rule) -> dict[str, Any]:
    """The rules as an extension of a schema node."""
    return {"x-kubernetes-validations": [rule.as_schema() for rule in rules]}


def exactly_one(first: str, second: str, *, none: str = "add one of them", both: str = "remove one of them") -> Rule:
    """Of two fields exactly one is set. ``none`` and ``both`` are the ways out."""
    text = f"set exactly one of {first} and {second}"
    return Rule(
        test=f"has(self.{first}) != has(self.{second})",
        message=text,
        message_expression=f"has(self.{first}) ? '{text}: both are set, {both}' : '{text}: none is set, {none}'",
    )


def at_most_one(first: str, second: str, *, way_out: str = "remove one of them") -> Rule:
    """Of two fields at most one is set."""
    return Rule(
        test=f"!(has(self.{first}) && has(self.{second}))",
        message=f"set at most one of {first} and {second}: {way_out}",
        field=f".{second}",
    )


Show = Callable[[str], str]
"""Gives the CEL text that shows a field's value, for ``self`` or ``oldSelf``."""


def show_value(path: str) -> Show:
    """Show a scalar, a list or a map as it is, or that it is not there."""
    return lambda who: f"({present(who, path)} ? '%s'.format([{who}.{path}]) : '{UNSET}')"


def show_required(path: str) -> Show:
    """Show a scalar that is always there."""
    return lambda who: f"{who}.{path}"


def present(who: str, path: str) -> str:
    """CEL that tells whether a path is there, without failing on its parents."""
    steps = path.split(".")
    return " && ".join(f"has({who}.{'.'.join(steps[: depth + 1])})" for depth in range(len(steps)))


def unchanged(path: str, *, required: bool = False) -> str:
    """CEL that tells whether a field neither changed, nor appeared, nor vanished."""
    same = f"self.{path} == oldSelf.{path}"
    if required:
        return same
    return f"({present('self', path)}) ? ({present('oldSelf', path)}) && {same} : !({present('oldSelf', path)})"


def immutable(path: str, way_out: str, *, required: bool = False, show: Show | None = None) -> Rule:
    """The field never changes. ``required`` where the schema guarantees that it is there."""
    shown = show or (show_required(path) if required else show_value(path))
    return Rule(
        test=unchanged(path, required=required),
        message=f"{path} is immutable. {way_out}",
        message_expression=f"'{path} is immutable: it is %s, refused %s. {way_out}'.format([{shown('oldSelf')}, {shown('self')}])",
        reason="FieldValueForbidden",
        field=f".{path.split('.', maxsplit=1)[0]}",
    )
