"""5.9 and 6.15: two families of operations on the same tags; the native filters of server lists."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulator.stage import NOWHERE, Stage

CHINESE = "\u4e00\u9fff"


def pairs(**tags: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def tag(stage: Stage, server_id: str, *tags: dict[str, Any]) -> None:
    assert stage.call("createServerTags", {"action": "create", "tags": list(tags)}, server_id=server_id).status == 204


def shown(stage: Stage, server_id: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = stage.call("showServerTags", server_id=server_id).body["tags"]
    return found


def native(stage: Stage, server_id: str) -> list[str]:
    found: list[str] = stage.call("listServerTags", server_id=server_id).body["tags"]
    return found


def tagged(stage: Stage, name: str, *tags: str) -> str:
    server_id = stage.server(name=name)
    stage.project.servers[server_id].tags = list(tags)
    return server_id


class TestPairs:
    def test_a_life(self, stage: Stage) -> None:
        server_id = stage.server()
        tag(stage, server_id, *pairs(role="web", stage="test", empty=""))
        tag(stage, server_id, *pairs(role="web", stage="live"))
        assert shown(stage, server_id) == pairs(empty="", role="web", stage="live")
        assert native(stage, server_id) == ["empty", "role=web", "stage=live"]
        gone = [{"key": "role"}, {"key": "stage", "value": "test"}, {"key": "unknown"}]
        assert stage.call("deleteServerTags", {"action": "delete", "tags": gone}, server_id=server_id).status == 204
        assert shown(stage, server_id) == pairs(empty="", stage="live"), "one has another value than the one to delete"
        stage.call("deleteServerTags", {"action": "delete", "tags": [{"key": "empty", "value": ""}]}, server_id=server_id)
        assert shown(stage, server_id) == pairs(stage="live")

    def test_only_changes_are_recorded(self, stage: Stage) -> None:
        server_id = stage.server()
        for _ in range(2):
            tag(stage, server_id, *pairs(role="web"))
            stage.call("deleteServerTags", {"action": "delete", "tags": [{"key": "unknown"}]}, server_id=server_id)
        assert [entry["tags"] for entry in stage.entries("tag")] == [["role=web"]]
        for _ in range(2):
            stage.call("deleteServerTags", {"action": "delete", "tags": [{"key": "role"}]}, server_id=server_id)
        assert [entry["tags"] for entry in stage.entries("tag")] == [["role=web"], []]

    @pytest.mark.parametrize(
        ("name", "tag_"),
        [
            ("the longest", {"key": "k" * 36, "value": "v" * 43}),
            ("all characters", {"key": f"aZ09-_{CHINESE}", "value": f"aZ09-_.{CHINESE}"}),
            ("an empty value", {"key": "k", "value": ""}),
        ],
    )
    def test_just_inside(self, stage: Stage, name: str, tag_: dict[str, str]) -> None:
        server_id = stage.server()
        tag(stage, server_id, tag_)
        assert shown(stage, server_id) == [tag_], name

    @pytest.mark.parametrize(
        ("name", "tags", "code"),
        [
            ("none", [], "Ecs.0906"),
            ("missing", None, "Ecs.0906"),
            ("no list", "role", "Ecs.0005"),
            ("no objects", ["role"], "Ecs.0005"),
            ("long key", [{"key": "k" * 37, "value": "v"}], "Ecs.0906"),
            ("empty key", [{"key": "", "value": "v"}], "Ecs.0906"),
            ("missing key", [{"value": "v"}], "Ecs.0906"),
            ("key that is no text", [{"key": 1, "value": "v"}], "Ecs.0005"),
            ("key with a dot", [{"key": "a.b", "value": "v"}], "Ecs.0907"),
            ("key with an equals sign", [{"key": "a=b", "value": "v"}], "Ecs.0907"),
            ("key beyond the Chinese characters", [{"key": "\ua000", "value": "v"}], "Ecs.0907"),
            ("long value", [{"key": "k", "value": "v" * 44}], "Ecs.0906"),
            ("missing value", [{"key": "k"}], "Ecs.0906"),
            ("value that is no text", [{"key": "k", "value": 1}], "Ecs.0906"),
            ("value with a space", [{"key": "k", "value": "a b"}], "Ecs.0907"),
            ("the same key twice", [{"key": "k", "value": "a"}, {"key": "k", "value": "b"}], "Ecs.0908"),
            ("eleven", [{"key": f"k{number}", "value": "v"} for number in range(11)], "Ecs.0905"),
        ],
    )
    def test_refused(self, stage: Stage, name: str, tags: object, code: str) -> None:
        server_id = stage.server()
        assert stage.code("createServerTags", {"action": "create", "tags": tags}, server_id=server_id) == (400, code), name
        assert shown(stage, server_id) == []

    def test_ten_a_server(self, stage: Stage) -> None:
        server_id = stage.server()
        tag(stage, server_id, *pairs(**{f"k{number}": "v" for number in range(10)}))
        assert stage.code("createServerTags", {"tags": pairs(more="v")}, server_id=server_id) == (400, "Ecs.0905")
        tag(stage, server_id, *pairs(k0="w"))
        assert len(shown(stage, server_id)) == 10

    def test_more_that_were_given_natively_can_be_changed(self, stage: Stage) -> None:
        server_id = tagged(stage, "web", *(f"k{number}=v" for number in range(12)))
        tag(stage, server_id, *pairs(k0="w"))
        assert len(shown(stage, server_id)) == 12
        assert stage.code("createServerTags", {"tags": pairs(more="v")}, server_id=server_id) == (400, "Ecs.0905")

    @pytest.mark.parametrize(
        ("tag_", "code"),
        [
            ({"key": "k" * 127, "value": "v" * 255}, None),
            ({"key": "any character: \u00fc"}, None),
            ({"key": "k" * 128}, "Ecs.0906"),
            ({"key": ""}, "Ecs.0906"),
            ({"key": "k", "value": "v" * 256}, "Ecs.0906"),
        ],
    )
    def test_what_may_be_deleted(self, stage: Stage, tag_: dict[str, str], code: str | None) -> None:
        server_id, body = stage.server(), {"action": "delete", "tags": [tag_]}
        if code is None:
            assert stage.call("deleteServerTags", body, server_id=server_id).status == 204
        else:
            assert stage.code("deleteServerTags", body, server_id=server_id) == (400, code)

    def test_deletions_are_checked_as_a_list_too(self, stage: Stage) -> None:
        server_id = stage.server()
        for tags, code in (
            ([{"key": "k"}] * 2, "Ecs.0908"),
            ([{"key": f"k{number}"} for number in range(11)], "Ecs.0905"),
            ([], "Ecs.0906"),
        ):
            assert stage.code("deleteServerTags", {"tags": tags}, server_id=server_id) == (400, code)

    def test_a_server_that_failed_can_be_tagged(self, stage: Stage) -> None:
        """The reference asks for no state here, as it does for metadata."""
        server_id = stage.server()
        stage.world.set_server(server_id, "error")
        tag(stage, server_id, *pairs(role="web"))
        assert shown(stage, server_id) == pairs(role="web")

    @pytest.mark.parametrize("name", ["createServerTags", "deleteServerTags", "showServerTags"])
    def test_a_server_that_is_not_there(self, stage: Stage, name: str) -> None:
        error = stage.refused(name, {"tags": pairs(k="v")}, server_id=NOWHERE)
        assert (error.status, error.code, error.nova) == (404, "Ecs.0114", False)


class TestQuery:
    @pytest.fixture
    def names(self, stage: Stage) -> dict[str, str]:
        """Names of servers by id: two of three tags each, but for one."""
        tags = {"both": ["role=web", "stage=live"], "web": ["role=web", "stage=test"], "db": ["role=db", "stage=live"], "bare": []}
        return {tagged(stage, name, *each): name for name, each in tags.items()}

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({}, "bare db web both"),
            ({"tags": [{"key": "role"}]}, "db web both"),
            ({"tags": [{"key": "role", "values": []}]}, "db web both"),
            ({"tags": [{"key": "role", "values": ["web"]}]}, "web both"),
            ({"tags": [{"key": "role", "values": ["web", "db"]}]}, "db web both"),
            ({"tags": [{"key": "role", "values": ["web"]}, {"key": "stage", "values": ["live"]}]}, "both"),
            ({"tags_any": [{"key": "role", "values": ["db"]}, {"key": "stage", "values": ["test"]}]}, "db web"),
            ({"not_tags": [{"key": "role", "values": ["web"]}]}, "bare db"),
            ({"not_tags": [{"key": "role", "values": ["web"]}, {"key": "stage", "values": ["live"]}]}, "bare db web"),
            ({"not_tags": ["role"]}, "bare"),
            ({"not_tags_any": [{"key": "role", "values": ["db"]}, {"key": "stage", "values": ["test"]}]}, "bare both"),
            ({"matches": [{"key": "resource_name", "value": "B"}]}, "bare db web both"),
            ({"matches": [{"key": "resource_name", "value": "ba"}]}, "bare"),
            ({"tags": [{"key": "stage"}], "not_tags": [{"key": "role", "values": ["db"]}], "matches": None}, "web both"),
            ({"tags": [{"key": "k" * 127, "values": ["v" * 255]}]}, ""),
        ],
    )
    def test_filters(self, stage: Stage, names: dict[str, str], body: dict[str, Any], expected: str) -> None:
        found = stage.call("filterServersByTag", {"action": "filter", **body}).body
        assert [names[row["resource_id"]] for row in found["resources"]] == expected.split()
        assert found["total_count"] == len(expected.split())
        assert stage.call("countServersByTag", {"action": "count", **body}).body == {"total_count": len(expected.split())}

    def test_rows(self, stage: Stage, names: dict[str, str]) -> None:
        (row,) = stage.call("filterServersByTag", {"matches": [{"key": "resource_name", "value": "both"}]}).body["resources"]
        assert names[row.pop("resource_id")] == "both"
        assert row == {"resource_detail": None, "resource_name": "both", "tags": pairs(role="web", stage="live")}

    @pytest.mark.parametrize(
        ("limit", "offset", "expected"),
        [
            (None, None, "bare db web both"),
            ("2", None, "bare db"),
            (2, "1", "db web"),
            ("1000", "4", ""),
            ("0", "0", ""),
            ("", "3", "both"),
        ],
    )
    def test_pages(self, stage: Stage, names: dict[str, str], limit: object, offset: object, expected: str) -> None:
        found = stage.call("filterServersByTag", {"limit": limit, "offset": offset}).body
        assert [names[row["resource_id"]] for row in found["resources"]] == expected.split()
        assert found["total_count"] == 4

    @pytest.mark.parametrize(
        "body",
        [
            {"limit": "1001"},
            {"limit": "-1"},
            {"limit": "x"},
            {"offset": "-1"},
            {"offset": "x"},
            {"tags": [{"key": ""}]},
            {"tags": [{"key": "k" * 128}]},
            {"tags": [{"key": "k"}, {"key": "k"}]},
            {"tags": [{"key": "k", "values": ["a", "a"]}]},
            {"tags": [{"key": "k", "values": ["v" * 256]}]},
            {"tags": [{"key": "k", "values": "a"}]},
            {"tags": [{"key": "k", "values": [1]}]},
            {"tags": {"key": "k"}},
            {"not_tags": [1]},
            {"not_tags": ["k", "k"]},
            {"matches": [{"key": "name", "value": "x"}]},
            {"matches": [{"key": "resource_name", "value": ""}]},
            {"matches": [{"key": "resource_name", "value": "x" * 256}]},
            {"matches": [{"key": "resource_name", "value": "x"}, {"key": "resource_name", "value": "y"}]},
        ],
    )
    def test_refused(self, stage: Stage, body: dict[str, Any]) -> None:
        assert stage.refused("filterServersByTag", body).status == 400
        if not body.keys() & {"limit", "offset"}:
            assert stage.refused("countServersByTag", body).status == 400

    def test_a_count_has_no_pages(self, stage: Stage, names: dict[str, str]) -> None:
        assert stage.call("countServersByTag", {"limit": "1001", "offset": "-1"}).body == {"total_count": len(names)}

    def test_all_tags_of_the_project(self, stage: Stage, names: dict[str, str]) -> None:
        assert names
        expected = [{"key": "role", "values": ["db", "web"]}, {"key": "stage", "values": ["live", "test"]}]
        assert stage.call("listProjectTags").body == {"tags": expected}
        other = stage.world.projects[stage.world.add_project("t-1")["projectId"]]
        assert stage.call("listProjectTags", project=other).body == {"tags": []}
        assert stage.call("countServersByTag", {}, project=other).body == {"total_count": 0}


class TestNative:
    def test_a_life(self, stage: Stage) -> None:
        server_id = stage.server()
        assert stage.call("replaceServerTags", {"tags": ["b", "a=1", "b"]}, server_id=server_id).body == {"tags": ["b", "a=1"]}
        assert shown(stage, server_id) == pairs(b="", a="1")
        added = stage.call("addServerTag", server_id=server_id, tag="c d")
        assert (added.status, added.body["code"], added.body["title"]) == (201, "201 Created", "Created")
        assert stage.call("addServerTag", server_id=server_id, tag="c d") == (204, None)
        assert native(stage, server_id) == ["b", "a=1", "c d"]
        assert stage.call("checkServerTag", server_id=server_id, tag="c d") == (204, None)
        assert stage.code("checkServerTag", server_id=server_id, tag="c")[0] == 404
        assert stage.call("deleteServerTag", server_id=server_id, tag="b").status == 204
        assert stage.code("deleteServerTag", server_id=server_id, tag="b")[0] == 404
        assert stage.show(server_id)["tags"] == ["a=1", "c d"]
        assert stage.call("deleteAllServerTags", server_id=server_id).status == 204
        assert native(stage, server_id) == []
        assert len(stage.entries("tag")) == 4

    def test_a_value_may_have_an_equals_sign(self, stage: Stage) -> None:
        server_id = tagged(stage, "web", "k=a=b", "k=")
        assert shown(stage, server_id) == [{"key": "k", "value": "a=b"}, {"key": "k", "value": ""}]
        tag(stage, server_id, *pairs(k="c"))
        assert native(stage, server_id) == ["k=c"], "5.9.3 knows one value of a key"

    @pytest.mark.parametrize(
        ("name", "tags", "status"),
        [
            ("fifty", [f"t{number}" for number in range(50)], 200),
            ("fifty, and some of them twice", [f"t{number % 50}" for number in range(60)], 200),
            ("fifty-one", [f"t{number}" for number in range(51)], 400),
            ("the longest", ["x" * 80], 200),
            ("too long", ["x" * 81], 400),
            ("an empty one", [""], 400),
            ("a comma", ["a,b"], 400),
            ("a slash", ["a/b"], 400),
            ("reserved", ["__type_virtual"], 400),
            ("reserved as well", ["__type_baremetal"], 400),
            ("no texts", [1], 400),
            ("no list", "a", 400),
            ("nothing", None, 400),
            ("none", [], 200),
        ],
    )
    def test_limits(self, stage: Stage, name: str, tags: object, status: int) -> None:
        server_id = tagged(stage, "web", "before")
        if status == 200:
            assert stage.call("replaceServerTags", {"tags": tags}, server_id=server_id).status == 200, name
        else:
            assert stage.code("replaceServerTags", {"tags": tags}, server_id=server_id)[0] == status, name
            assert native(stage, server_id) == ["before"]

    @pytest.mark.parametrize(("tag_", "status"), [("x" * 80, 201), ("x" * 81, 400), ("a,b", 400), ("a/b", 400), ("__type_virtual", 400)])
    def test_limits_of_one(self, stage: Stage, tag_: str, status: int) -> None:
        server_id = stage.server()
        found = stage.call("addServerTag", server_id=server_id, tag=tag_).status if status == 201 else None
        assert found == 201 or stage.code("addServerTag", server_id=server_id, tag=tag_)[0] == status

    def test_fifty_a_server(self, stage: Stage) -> None:
        server_id = tagged(stage, "web", *(f"t{number}" for number in range(50)))
        assert stage.code("addServerTag", server_id=server_id, tag="more")[0] == 400
        assert stage.call("addServerTag", server_id=server_id, tag="t0").status == 204

    def test_what_is_reserved_stays_and_is_no_pair(self, stage: Stage) -> None:
        server_id = tagged(stage, "web", "__type_virtual", "a")
        assert shown(stage, server_id) == pairs(a="")
        assert stage.call("listProjectTags").body["tags"] == [{"key": "a", "values": [""]}]
        stage.call("deleteServerTags", {"tags": [{"key": "__type_virtual"}]}, server_id=server_id)
        stage.call("deleteAllServerTags", server_id=server_id)
        assert native(stage, server_id) == ["__type_virtual"]
        assert stage.code("deleteServerTag", server_id=server_id, tag="__type_virtual")[0] == 400

    @pytest.mark.parametrize(
        ("name", "body", "path"),
        [
            ("listServerTags", None, {}),
            ("replaceServerTags", {"tags": ["a"]}, {}),
            ("deleteAllServerTags", None, {}),
            ("addServerTag", None, {"tag": "a"}),
            ("checkServerTag", None, {"tag": "a"}),
            ("deleteServerTag", None, {"tag": "a"}),
        ],
    )
    def test_when_and_where(self, stage: Stage, name: str, body: object, path: dict[str, Any]) -> None:
        server_id = tagged(stage, "web", "a")
        for version in (None, (2, 1), (2, 25)):
            assert stage.refused(name, body, version=version, server_id=server_id, **path).status == 404
        assert stage.code(name, body, server_id=NOWHERE, **path) == (404, "Ecs.0114")
        reads = name in {"listServerTags", "checkServerTag"}
        for vm_state in ("active", "stopped", "paused", "suspended", "error", "building"):
            stage.project.servers[server_id].vm_state = vm_state
            stage.project.servers[server_id].tags = ["a"]
            if reads or vm_state not in {"error", "building"}:
                assert stage.call(name, body, server_id=server_id, **path).status < 300
            else:
                assert stage.code(name, body, server_id=server_id, **path) == (409, "Ecs.0100")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"tags": "role=web"}, "web both"),
        ({"tags": "role=web,stage=live"}, "both"),
        ({"tags-any": "role=db,stage=test"}, "db web"),
        ({"not-tags": "role=web"}, "bare db"),
        ({"not-tags": "role=web,stage=live"}, "bare db web"),
        ({"not-tags-any": "role=db,stage=test"}, "bare both"),
        ({"tags": "stage=live", "not-tags": "role=db"}, "both"),
    ],
)
def test_filters_of_native_lists(stage: Stage, query: dict[str, str], expected: str) -> None:
    for name, tags in {"both": "role=web stage=live", "web": "role=web stage=test", "db": "role=db stage=live", "bare": ""}.items():
        tagged(stage, name, *tags.split())
    assert stage.names(**query) == expected.split()
    everything = stage.call("listServersDetails", query=query, version=(2, 25)).body["servers"]
    assert len(everything) == 4, "below 2.26 there are no tags"
