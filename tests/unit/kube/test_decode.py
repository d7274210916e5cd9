from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ecs_operator.engine.ports import UnavailableError
from ecs_operator.kube.decode import config_map_data, kube_object, secret_data
from ecs_operator.kube.resource_types import ResourceType
from tests.unit.kube.stage import encoded

THING = ResourceType(group="example.test", version="v1", kind="Thing", plural="things", namespaced=True)
METADATA = {"name": "a", "namespace": "ns", "uid": "1", "resourceVersion": "5", "creationTimestamp": "2026-01-02T03:04:05Z"}


def test_an_object_with_nothing_but_metadata() -> None:
    obj = kube_object({"metadata": METADATA}, THING)
    assert str(obj.key) == "things/ns/a"
    assert (obj.kind, obj.api_version, obj.generation, obj.spec, obj.status) == ("Thing", "example.test/v1", 0, {}, {})
    assert obj.created_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert not obj.is_deleting
    assert kube_object({"metadata": {**METADATA, "deletionTimestamp": "2026-01-02T03:04:06Z"}}, THING).is_deleting


@pytest.mark.parametrize(
    "body",
    [{}, {"metadata": None}, {"metadata": {}}, {"metadata": "x"}, {"metadata": {**METADATA, "creationTimestamp": "yesterday"}}],
)
def test_what_is_no_object_is_a_failed_call(body: Any) -> None:
    with pytest.raises(UnavailableError):
        kube_object(body, THING)


def test_secrets_never_show_in_errors() -> None:
    metadata = {"metadata": METADATA}
    assert secret_data({**metadata, "data": {"k": encoded("v")}}, subject="s").data == {"k": b"v"}
    assert secret_data(metadata, subject="s").data == {}
    with pytest.raises(UnavailableError) as raised:
        secret_data({**metadata, "data": {"k": "hunter2!"}}, subject="GET secrets/ns/s")
    assert str(raised.value) == "GET secrets/ns/s: the answer is not a Secret (Error)"
    with pytest.raises(UnavailableError):
        config_map_data({"data": {"k": 5}}, subject="s")


@pytest.mark.parametrize(
    ("namespaced", "namespace", "path"),
    [
        (True, "ns", "/apis/example.test/v1/namespaces/ns/things"),
        (True, None, "/apis/example.test/v1/things"),
        (False, "", "/apis/example.test/v1/things"),
        (False, "ns", "/apis/example.test/v1/things"),
    ],
)
def test_paths(namespaced: bool, namespace: str | None, path: str) -> None:  # noqa: FBT001 - a row of the table
    resource = ResourceType(group="example.test", version="v1", kind="Thing", plural="things", namespaced=namespaced)
    assert resource.collection(namespace) == path
