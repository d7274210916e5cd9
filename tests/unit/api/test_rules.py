"""The builders of CEL rules."""

from __future__ import annotations

import pytest

from ecs_operator.api.rules import Rule, at_most_one, exactly_one, immutable, present, show_value, unchanged, validations


def test_only_what_is_said_stands_in_the_schema() -> None:
    assert validations(Rule(test="true", message="never")) == {
        "x-kubernetes-validations": [{"rule": "true", "message": "never", "reason": "FieldValueInvalid"}]
    }


def test_exactly_one_tells_which_mistake_it_was() -> None:
    assert exactly_one("id", "name", none="add one", both="remove name").as_schema() == {
        "rule": "has(self.id) != has(self.name)",
        "message": "set exactly one of id and name",
        "messageExpression": "has(self.id) ? 'set exactly one of id and name: both are set, remove name'"
        " : 'set exactly one of id and name: none is set, add one'",
        "reason": "FieldValueInvalid",
    }


def test_at_most_one_points_at_the_second() -> None:
    rule = at_most_one("a", "b")
    assert (rule.test, rule.field) == ("!(has(self.a) && has(self.b))", ".b")


def test_presence_of_a_path_looks_at_its_parents_first() -> None:
    assert present("self", "spec.ref.name") == "has(self.spec) && has(self.spec.ref) && has(self.spec.ref.name)"


@pytest.mark.parametrize(
    ("path", "required", "test"),
    [
        ("flavor", True, "self.flavor == oldSelf.flavor"),
        ("name", False, "(has(self.name)) ? (has(oldSelf.name)) && self.name == oldSelf.name : !(has(oldSelf.name))"),
    ],
)
def test_unchanged(path: str, *, required: bool, test: str) -> None:
    assert unchanged(path, required=required) == test


def test_immutable_names_old_and_new_value_and_the_way_out() -> None:
    rule = immutable("ref.name", "Take it back", show=show_value("ref.name")).as_schema()
    assert rule["fieldPath"] == ".ref"
    assert rule["reason"] == "FieldValueForbidden"
    shown = "(has({0}.ref) && has({0}.ref.name) ? '%s'.format([{0}.ref.name]) : '(unset)')"
    assert rule["messageExpression"] == (
        f"'ref.name is immutable: it is %s, refused %s. Take it back'.format([{shown.format('oldSelf')}, {shown.format('self')}])"
    )


@pytest.mark.parametrize(
    ("message", "field"), [("two\nlines", None), ("  ", None), ("fine", "spec.name")], ids=["line break", "empty", "path without dot"]
)
def test_refuses_what_the_api_server_refuses(message: str, field: str | None) -> None:
    with pytest.raises(ValueError, match="rule's"):
        Rule(test="true", message=message, field=field)
