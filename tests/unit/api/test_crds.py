"""The definitions, as far as they can be judged without an API server."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ecs_operator.api.crds import CUSTOM_RESOURCES, MOST_SELECTABLE_FIELDS, SERVER, CustomResource
from ecs_operator.api.group import KIND_BY_PLURAL, KINDS

_NAMES = {resource.names.kind: resource for resource in CUSTOM_RESOURCES}
every_kind = pytest.mark.parametrize("resource", CUSTOM_RESOURCES, ids=_NAMES)


def _nodes(node: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from _nodes(child, f"{path}.{name}")
    if "items" in node:
        yield from _nodes(node["items"], f"{path}[]")


def _plain(path: str) -> str:
    """A JSON path without its filters."""
    return re.sub(r"\[\?\(.*?\)\]", "[]", path)


def test_every_kind_has_a_definition() -> None:
    assert tuple(resource.names for resource in CUSTOM_RESOURCES) == KINDS
    assert list(KIND_BY_PLURAL.values()) == list(KINDS)


@every_kind
def test_columns_and_selectors_point_at_fields(resource: CustomResource) -> None:
    paths = {path for path, _ in _nodes(resource.schema())} | {".metadata.creationTimestamp"}
    assert [column.name for column in resource.columns if _plain(column.path) not in paths] == []
    assert set(resource.selectable) <= paths
    assert len(resource.selectable) <= MOST_SELECTABLE_FIELDS


@every_kind
def test_ready_comes_first_and_age_last(resource: CustomResource) -> None:
    names = [column.name for column in resource.columns]
    assert (names[0], names[-1]) == ("Ready", "Age")
    assert len(set(names)) == len(names)


@every_kind
def test_rules_point_at_fields_and_say_one_sentence(resource: CustomResource) -> None:
    nodes = dict(_nodes(resource.schema()))
    for path, node in nodes.items():
        for rule in node.get("x-kubernetes-validations", ()):
            assert path + rule.get("fieldPath", "") in nodes
            assert "\n" not in rule["message"] + rule.get("messageExpression", "")
            assert rule["rule"].count("(") == rule["rule"].count(")")


@every_kind
def test_rules_at_the_root_cannot_stand_in_the_way_of_the_operator(resource: CustomResource) -> None:
    """A rule at the root is checked at status writes too: it compares old and new, or looks at the name, which never changes.

    Or it asks for an id in the status where the spec says Observe: there the operator takes none away.
    """
    for rule in resource.root_rules:
        holds_for_good = "self.metadata.name" in rule.test or "managementPolicy != 'Observe'" in rule.test
        assert "oldSelf" in rule.test or holds_for_good, rule.message


@every_kind
def test_a_fresh_object_is_not_current(resource: CustomResource) -> None:
    assert resource.schema()["properties"]["status"]["default"] == {"observedGeneration": -1}


@every_kind
def test_every_description_is_a_sentence(resource: CustomResource) -> None:
    for path, node in _nodes(resource.schema()):
        if path not in ("", ".metadata") and not path.endswith("[]"):
            assert node["description"].endswith("."), path


@every_kind
def test_every_field_of_a_spec_says_whether_it_can_change(resource: CustomResource) -> None:
    """The field itself, or where its parts differ, they."""
    said = re.compile(r"[Cc]an(not)? be changed|Immutable")
    for name, node in resource.schema()["properties"]["spec"]["properties"].items():
        texts = [part.get("description", "") for _, part in _nodes(node)]
        assert any(said.search(text) for text in texts), name


def test_no_field_of_a_server_can_be_changed_by_oversight() -> None:
    """Every field either has a rule at the root, or belongs to those whose change is carried through."""
    fields = set(SERVER.schema()["properties"]["spec"]["properties"])
    pinned = [rule for rule in SERVER.root_rules if "oldSelf" in rule.test]
    ruled = {rule.field.removeprefix(".spec.").split(".")[0] for rule in pinned if rule.field} | {"name"}
    carried = {"description", "metadata", "tags", "securityGroupIds", "locked", "autoRecovery", "flavor"}
    carried |= {"image", "keyPairName", "adminPasswordSecretRef", "userDataRef", "serverGroupRef", "serverGroupId", "scheduling"}
    carried |= {"availabilityZone", "vpcId", "rootVolume", "agencyName", "networkInterfaces", "publicIp"}
    free = {"powerState", "shutdown", "disruption", "driftPolicy", "deletionPolicy", "deletionProtection", "managementPolicy"}
    assert fields - ruled == {*free, *carried}
    assert ruled <= fields
