"""Whatever the fields of 5.9, 5.10, 6.9, 6.11, 6.12 and 6.15 say, it is answered, and what is refused changes nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_simulator.call import ApiError
from tests.unit.simulator.stage import NOWHERE, Stage

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop somebody"
WRAPPED = {
    "createKeyPair": ("keypair", ("name", "public_key", "type", "user_id")),
    "createServerGroup": ("server_group", ("name", "policies")),
    "createServerGroupNative": ("server_group", ("name", "policies")),
    "addServerGroupMember": ("add_member", ("instance_uuid",)),
    "removeServerGroupMember": ("remove_member", ("instance_uuid",)),
    "updateServerMetadata": ("metadata", ("a", "a b", "virtual_env_type", "")),
    "replaceServerMetadata": ("metadata", ("a", "a b", "virtual_env_type", "")),
    "setServerMetadataItem": ("meta", ("a", "b")),
}
FLAT = {
    "filterServersByTag": ("tags", "tags_any", "not_tags", "not_tags_any", "matches", "limit", "offset"),
    "countServersByTag": ("tags", "tags_any", "not_tags", "not_tags_any", "matches", "limit", "offset"),
    "createServerTags": ("tags",),
    "deleteServerTags": ("tags",),
    "replaceServerTags": ("tags",),
}
READS = {
    "listKeyPairs": ("limit", "marker", "user_id"),
    "showKeyPair": ("user_id",),
    "deleteKeyPair": ("user_id",),
    "listServerGroups": ("limit", "marker"),
    "listServerGroupsNative": ("limit", "offset"),
    "showLimitsNative": ("project_id", "tenant_id"),
    "showQuotaSet": ("user_id",),
    "listServersDetails": ("tags", "tags-any", "not-tags", "not-tags-any"),
    "addServerTag": (),
    "checkServerTag": (),
    "deleteServerTag": (),
    "deleteServerMetadataItem": (),
}
telling = st.sampled_from(
    ["k", "a=b", "ops", "ssh", "x509", "anti-affinity", "resource_name", KEY, NOWHERE, "__type_virtual", "10", "-1", ""]
)
# No key pair is made here, which takes its time: whoever names one hands a key over.
plain = st.one_of(telling, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.just("9" * 5000))
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", "value", "values"]), inner, max_size=3)
)
tags = st.lists(st.fixed_dictionaries({}, optional={"key": plain, "value": plain, "values": values}), max_size=3)
versions = st.sampled_from([None, (2, 1), (2, 2), (2, 10), (2, 26), (2, 35), (2, 60)])


def state(stage: Stage) -> Any:
    world = stage.world.to_json()
    return world["projects"], world["ledger"]


def answered(stage: Stage, name: str, body: Any, **more: Any) -> None:
    before = state(stage)
    path = {"key": "a", "tag": "a", "keypair_name": "ops", "server_group_id": NOWHERE, "project_id_2": stage.project.id}
    try:
        status = stage.call(name, body, server_id=next(iter(stage.project.servers)), **(path | more)).status
    except ApiError as error:
        status = error.status
        assert state(stage) == before, "refused, and something changed"
    assert 200 <= status < 500


@settings(max_examples=150, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(WRAPPED)), version=versions)
def test_objects(data: st.DataObject, name: str, version: tuple[int, int] | None) -> None:
    stage = Stage()
    stage.server()
    key, fields = WRAPPED[name]
    given_ = data.draw(st.dictionaries(st.sampled_from(fields), values, max_size=len(fields)))
    if name == "createKeyPair" and not given_.get("public_key"):
        given_["public_key"] = KEY
    answered(stage, name, data.draw(st.sampled_from([{key: given_}, given_, None, {key: []}])), version=version)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(FLAT)))
def test_lists_of_tags(data: st.DataObject, name: str) -> None:
    stage = Stage()
    stage.server()
    answered(stage, name, data.draw(st.fixed_dictionaries({}, optional={field: st.one_of(tags, values) for field in FLAT[name]})))


@settings(max_examples=150, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(READS)), text=st.text(max_size=90), version=versions)
def test_paths_and_queries(data: st.DataObject, name: str, text: str, version: tuple[int, int] | None) -> None:
    stage = Stage()
    stage.server()
    query = data.draw(st.fixed_dictionaries({}, optional={field: st.one_of(telling, st.text(max_size=12)) for field in READS[name]}))
    path = {field: text for field in ("key", "tag", "keypair_name", "server_group_id", "project_id_2") if data.draw(st.booleans())}
    answered(stage, name, None, query=query, version=version, **path)
