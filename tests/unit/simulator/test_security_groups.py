"""6.5 and 11.3: security groups, their rules, and what they protect."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulator.stage import GROUP, NOWHERE, PORT, SUBNET, Stage, ids

WEB = "e5a1b7f0-8a3b-4a2c-9d35-6b1f0c2d4e77"
RULE = {"parent_group_id": WEB, "ip_protocol": "tcp", "from_port": 80, "to_port": 443}


def create(stage: Stage, **fields: Any) -> Any:
    return stage.call("createSecurityGroup", {"security_group": fields}).body["security_group"]


def add_rule(stage: Stage, **changes: Any) -> Any:
    return stage.call("createSecurityGroupRule", {"security_group_rule": {**RULE, **changes}}).body["security_group_rule"]


def show(stage: Stage, group_id: str) -> Any:
    return stage.call("showSecurityGroup", security_group_id=group_id).body["security_group"]


def of_server(stage: Stage, server_id: str) -> list[str]:
    """The names of a server's groups, which two reads show alike."""
    names = [row["name"] for row in stage.call("listServerSecurityGroups", server_id=server_id).body["security_groups"]]
    assert [row["name"] for row in stage.show(server_id)["security_groups"]] == names
    return names


def act(stage: Stage, name: str, server_id: str, group: Any) -> int:
    return stage.call(name, {name: {"name": group}}, server_id=server_id).status


def test_a_group_is_made_changed_and_deleted(stage: Stage) -> None:
    made = create(stage, name="db", description="bases")
    assert made == {"id": made["id"], "name": "db", "description": "bases", "tenant_id": stage.project.id, "rules": []}
    rows = stage.call("listSecurityGroups", query={"limit": "1", "offset": "2"}).body["security_groups"]
    assert [row["id"] for row in rows] == [GROUP, WEB, made["id"]], "there are no pages"
    changed = {"security_group": {"name": "store", "description": ""}}
    reply = stage.call("updateSecurityGroup", changed, security_group_id=made["id"])
    assert (reply.status, reply.body["security_group"]) == (200, {**made, "name": "store", "description": ""})
    assert show(stage, made["id"]) == reply.body["security_group"]
    reply = stage.call("deleteSecurityGroup", security_group_id=made["id"])
    assert (reply.status, reply.body) == (202, None)
    entries = [entry["action"] for entry in stage.entries(resource="security_group")]
    assert entries == ["create", "update", "delete"]


def test_name_and_description_are_up_to_255_characters(stage: Stage) -> None:
    unnamed = [create(stage), create(stage, name="", description=None)]
    assert [(row["name"], row["description"]) for row in unnamed] == [("", "")] * 2, "groups without a name may be many"
    longest = create(stage, name="云" * 255, description="d" * 255)
    assert (len(longest["name"]), len(longest["description"])) == (255, 255)
    for fields in ({"name": "n" * 256}, {"description": "d" * 256}, {"name": 7}, {"name": ["n"]}):
        assert stage.refused("createSecurityGroup", {"security_group": fields}).status == 400
        body = {"security_group": {"name": "n", "description": "d", **fields}}
        assert stage.refused("updateSecurityGroup", body, security_group_id=WEB).status == 400
    for missing in ({"name": "n"}, {"description": "d"}, {"name": None, "description": "d"}):
        assert stage.refused("updateSecurityGroup", {"security_group": missing}, security_group_id=WEB).status == 400
    assert show(stage, WEB)["name"] == "web"


@pytest.mark.parametrize("name", ["listSecurityGroups", "listFloatingIps", "listFloatingIpPools"])
def test_what_nova_took_away(stage: Stage, name: str) -> None:
    for version in (None, (2, 1), (2, 35)):
        assert stage.call(name, version=version).status == 200
    assert stage.refused(name, version=(2, 36)).status == 404


def test_writes_that_nova_took_away_do_nothing(stage: Stage) -> None:
    calls: list[tuple[str, Any, dict[str, Any]]] = [
        ("createSecurityGroup", {"security_group": {"name": "other"}}, {}),
        ("updateSecurityGroup", {"security_group": {"name": "n", "description": ""}}, {"security_group_id": WEB}),
        ("showSecurityGroup", None, {"security_group_id": WEB}),
        ("createSecurityGroupRule", {"security_group_rule": RULE}, {}),
        ("deleteSecurityGroup", None, {"security_group_id": WEB}),
        ("deleteSecurityGroupRule", None, {"security_group_rule_id": stage.project.security_groups[GROUP].rules[0].id}),
    ]
    for name, body, path in calls:
        assert stage.refused(name, body, version=(2, 36), **path).status == 404
    assert stage.entries() == []
    for name, body, path in calls:
        assert stage.call(name, body, version=(2, 35), **path).status in {200, 202}


def test_names_are_given_once(stage: Stage) -> None:
    assert stage.refused("createSecurityGroup", {"security_group": {"name": "web"}}).status == 400
    assert stage.refused("createSecurityGroup", {"security_group": {"name": "default"}}).status == 400
    made = create(stage, name="db")
    body = {"security_group": {"name": "web", "description": ""}}
    assert stage.refused("updateSecurityGroup", body, security_group_id=made["id"]).status == 400
    body["security_group"]["name"] = "db"
    assert stage.call("updateSecurityGroup", body, security_group_id=made["id"]).status == 200, "its own name it may keep"


def test_the_default_group_stays(stage: Stage) -> None:
    assert stage.refused("deleteSecurityGroup", security_group_id=GROUP).status == 400
    body = {"security_group": {"name": "other", "description": ""}}
    assert stage.refused("updateSecurityGroup", body, security_group_id=GROUP).status == 400
    body["security_group"] = {"name": "default", "description": "of everyone"}
    assert stage.call("updateSecurityGroup", body, security_group_id=GROUP).body["security_group"]["description"] == "of everyone"
    rules = show(stage, GROUP)["rules"]
    assert [{**rule, "id": ""} for rule in rules] == [
        {
            "id": "",
            "parent_group_id": GROUP,
            "ip_protocol": None,
            "from_port": None,
            "to_port": None,
            "ip_range": {},
            "group": {"tenant_id": stage.project.id, "name": "default"},
        }
    ] * 2
    added = stage.world.add_project("second")
    groups = stage.world.projects[added["projectId"]].security_groups.values()
    assert [(group.name, len(group.rules)) for group in groups] == [("default", 2), ("web", 0)]


@pytest.mark.parametrize(
    ("quota", "name", "body"),
    [
        ("securityGroups", "createSecurityGroup", {"security_group": {"name": "db"}}),
        ("securityGroupRules", "createSecurityGroupRule", {"security_group_rule": RULE}),
    ],
)
def test_quota(stage: Stage, quota: str, name: str, body: object) -> None:
    stage.world.set_project(stage.project.id, quota={quota: 2})
    error = stage.refused(name, body)
    assert (error.status, "quota" in error.message.lower()) == (403, True)
    stage.world.set_project(stage.project.id, quota={quota: 3})
    assert stage.call(name, body).status == 200
    stage.world.set_project(stage.project.id, quota={quota: -1})
    other = {"security_group": {"name": "more"}} if name == "createSecurityGroup" else {"security_group_rule": {**RULE, "from_port": 1}}
    assert stage.call(name, other).status == 200


@pytest.mark.parametrize("name", ["showSecurityGroup", "updateSecurityGroup", "deleteSecurityGroup", "deleteSecurityGroupRule"])
def test_ids_that_lead_nowhere(stage: Stage, name: str) -> None:
    body = {"security_group": {"name": "n", "description": ""}}
    for identity, status in ((NOWHERE, 404), ("web", 400), ("17", 400)):
        error = stage.refused(name, body, security_group_id=identity, security_group_rule_id=identity)
        assert (error.status, error.nova) == (status, True)


# Rules


ACCEPTED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("lowest and highest port", {"from_port": 1, "to_port": 65535}, {"from_port": 1, "to_port": 65535}),
    ("ports as text", {"from_port": "443", "to_port": "443"}, {"from_port": 443, "to_port": 443}),
    ("UDP in capitals", {"ip_protocol": "UDP"}, {"ip_protocol": "udp"}),
    ("any ICMP", {"ip_protocol": "icmp", "from_port": -1, "to_port": -1}, {"from_port": -1, "to_port": -1}),
    ("ICMP, lowest", {"ip_protocol": "icmp", "from_port": 0, "to_port": 0}, {"from_port": 0, "to_port": 0}),
    ("ICMP, highest", {"ip_protocol": "icmp", "from_port": 255, "to_port": 255}, {"from_port": 255, "to_port": 255}),
    ("nobody named", {}, {"ip_range": {"cidr": "0.0.0.0/0"}, "group": {}}),
    ("an empty range", {"cidr": ""}, {"ip_range": {"cidr": "0.0.0.0/0"}}),
    ("a host within a range", {"cidr": "192.168.0.9/24"}, {"ip_range": {"cidr": "192.168.0.0/24"}}),
    ("IPv6", {"cidr": "2001:db8::/32"}, {"ip_range": {"cidr": "2001:db8::/32"}}),
    ("a group", {"group_id": GROUP}, {"ip_range": {}, "group": {}}),
    ("a group wins over a range", {"group_id": GROUP, "cidr": "10.0.0.0/8"}, {"ip_range": {}, "group": {}}),
]


@pytest.mark.parametrize(("changes", "shown"), [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED])
def test_rules_accepted(stage: Stage, changes: dict[str, Any], shown: dict[str, Any]) -> None:
    made = add_rule(stage, **changes)
    assert made.items() >= shown.items()
    (rule,) = show(stage, WEB)["rules"]
    source = {"tenant_id": stage.project.id, "name": "default"} if "group_id" in changes else {}
    assert rule == {**made, "group": source}
    assert stage.call("deleteSecurityGroupRule", security_group_rule_id=made["id"]).status == 202
    assert show(stage, WEB)["rules"] == []
    assert stage.refused("deleteSecurityGroupRule", security_group_rule_id=made["id"]).status == 404


REFUSED: list[tuple[str, dict[str, Any], int]] = [
    ("port 0", {"from_port": 0}, 400),
    ("port 65536", {"to_port": 65536}, 400),
    ("upside down", {"from_port": 444}, 400),
    ("any port of TCP", {"from_port": -1, "to_port": -1}, 400),
    ("a port that is no number", {"to_port": "https"}, 400),
    ("a port that is a Boolean", {"to_port": True}, 400),
    ("a huge port", {"to_port": 10**30}, 400),
    ("no port", {"to_port": None}, 400),
    ("type 256", {"ip_protocol": "icmp", "from_port": 256, "to_port": 0}, 400),
    ("code 256", {"ip_protocol": "icmp", "from_port": 0, "to_port": 256}, 400),
    ("any type of one code", {"ip_protocol": "icmp", "from_port": -1, "to_port": 0}, 400),
    ("any code of one type", {"ip_protocol": "icmp", "from_port": 0, "to_port": -1}, 400),
    ("no protocol", {"ip_protocol": ""}, 400),
    ("a number for a protocol", {"ip_protocol": "6"}, 400),
    ("another protocol", {"ip_protocol": "sctp"}, 400),
    ("an address", {"cidr": "10.0.0.0"}, 400),
    ("a mask", {"cidr": "10.0.0.0/255.0.0.0"}, 400),
    ("a length too long", {"cidr": "10.0.0.0/33"}, 400),
    ("no length", {"cidr": "10.0.0.0/"}, 400),
    ("an address with nothing fixed", {"cidr": "10.0.0.1/0"}, 400),
    ("words", {"cidr": "everyone"}, 400),
    ("a number", {"cidr": 10}, 400),
    ("a parent that is no id", {"parent_group_id": "web"}, 400),
    ("no parent", {"parent_group_id": None}, 400),
    ("an unknown parent", {"parent_group_id": NOWHERE}, 404),
    ("a group that is no id", {"group_id": "default"}, 400),
    ("an unknown group", {"group_id": NOWHERE}, 404),
]


@pytest.mark.parametrize(("changes", "status"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_rules_refused(stage: Stage, changes: dict[str, Any], status: int) -> None:
    error = stage.refused("createSecurityGroupRule", {"security_group_rule": {**RULE, **changes}})
    assert (error.status, error.nova) == (status, True)
    assert stage.entries() == []
    assert stage.project.security_groups[WEB].rules == []


def test_a_rule_is_made_once(stage: Stage) -> None:
    for changes in ({}, {"group_id": GROUP}, {"cidr": "10.1.0.0/16"}):
        add_rule(stage, **changes)
        assert stage.refused("createSecurityGroupRule", {"security_group_rule": {**RULE, **changes}}).status == 400
    assert stage.refused("createSecurityGroupRule", {"security_group_rule": {**RULE, "cidr": "10.1.2.3/16"}}).status == 400
    add_rule(stage, parent_group_id=GROUP)


def test_rules_go_with_the_groups_they_are_about(stage: Stage) -> None:
    made = create(stage, name="db")
    own, about = add_rule(stage, parent_group_id=made["id"], group_id=made["id"]), add_rule(stage, group_id=made["id"])
    kept = add_rule(stage)
    stage.call("deleteSecurityGroup", security_group_id=made["id"])
    assert [rule["id"] for rule in show(stage, WEB)["rules"]] == [kept["id"]]
    assert {entry["id"] for entry in stage.entries("delete", "security_group_rule")} == {own["id"], about["id"]}


# Groups on servers


@pytest.mark.parametrize("group", ["web", WEB], ids=["name", "id"])
def test_on_a_server_and_off_it(stage: Stage, group: str) -> None:
    server_id = stage.server(nics=[{"subnet_id": SUBNET}] * 2)
    before = stage.show(server_id)["updated"]
    stage.pass_time(60)
    assert act(stage, "addSecurityGroup", server_id, group) == 202
    assert stage.show(server_id)["updated"] > before
    assert act(stage, "addSecurityGroup", server_id, group) == 202
    assert of_server(stage, server_id) == ["default", "web"]
    assert act(stage, "removeSecurityGroup", server_id, group) == 202
    assert of_server(stage, server_id) == ["default"]
    error = stage.refused("removeSecurityGroup", {"removeSecurityGroup": {"name": group}}, server_id=server_id)
    assert (error.status, error.nova) == (404, True)
    assert [(entry["action"], entry["group"]) for entry in stage.entries(resource="server") if "group" in entry] == [
        ("add-security-group", WEB),
        ("remove-security-group", WEB),
    ]


def test_five_groups_are_advised_and_more_are_possible(stage: Stage) -> None:
    server_id = stage.server()
    for number in range(6):
        act(stage, "addSecurityGroup", server_id, create(stage, name=f"g{number}")["id"])
    assert of_server(stage, server_id) == ["default", *(f"g{number}" for number in range(6))]


@pytest.mark.parametrize("name", ["addSecurityGroup", "removeSecurityGroup"])
@pytest.mark.parametrize(("wanted", "status"), [("none", 404), (NOWHERE, 404), ("", 400), (None, 400), (7, 400), ({"a": "b"}, 400)])
def test_groups_that_are_not_there(stage: Stage, name: str, wanted: object, status: int) -> None:
    server_id = stage.server()
    assert stage.refused(name, {name: {"name": wanted}}, server_id=server_id).status == status
    assert stage.refused(name, {name: {"name": "default"}}, server_id=NOWHERE).status == 404
    assert stage.refused(name, {name: None}, server_id=server_id).status == 400
    assert of_server(stage, server_id) == ["default"]


def test_a_name_that_two_groups_have_is_no_name(stage: Stage) -> None:
    server_id = stage.server()
    stage.project.security_groups[GROUP].name = "web"
    assert stage.refused("addSecurityGroup", {"addSecurityGroup": {"name": "web"}}, server_id=server_id).status == 409
    assert act(stage, "addSecurityGroup", server_id, WEB) == 202


def test_a_port_has_groups_of_its_own(stage: Stage) -> None:
    server_id = stage.server()
    nic = {"subnet_id": SUBNET, "security_groups": [{"id": WEB}]}
    stage.ended(stage.call("addInterfaces", {"nics": [nic]}, server_id=server_id))
    assert of_server(stage, server_id) == ["default", "web"]
    _, second = stage.project.servers[server_id].port_ids
    act(stage, "removeSecurityGroup", server_id, "default")
    assert of_server(stage, server_id) == ["web"]
    stage.call("detachInterface", server_id=server_id, port_id=second)
    assert of_server(stage, server_id) == []
    stage.call("attachInterface", {"interfaceAttachment": {"port_id": PORT}}, server_id=server_id)
    assert of_server(stage, server_id) == ["default"]


def test_a_group_in_use_stays(stage: Stage) -> None:
    made = create(stage, name="db")["id"]
    server_id = stage.server(security_groups=[{"id": made}])
    assert stage.refused("deleteSecurityGroup", security_group_id=made).status == 400
    act(stage, "removeSecurityGroup", server_id, made)
    stage.project.ports[PORT].security_group_ids.append(made)
    assert stage.refused("deleteSecurityGroup", security_group_id=made).status == 400, "a port without a server counts too"
    stage.project.ports[PORT].security_group_ids.remove(made)
    act(stage, "addSecurityGroup", server_id, made)
    stage.ended(stage.call("deleteServers", {"servers": ids(server_id)}))
    assert stage.call("deleteSecurityGroup", security_group_id=made).status == 202


def test_a_frozen_account_makes_none(stage: Stage) -> None:
    stage.project.frozen = True
    assert stage.refused("createSecurityGroup", {"security_group": {"name": "db"}}).status == 403
    assert stage.refused("createSecurityGroupRule", {"security_group_rule": RULE}).status == 403


def test_projects_do_not_see_each_other(stage: Stage) -> None:
    other = stage.world.projects[stage.world.add_project("second")["projectId"]]
    assert stage.refused("showSecurityGroup", security_group_id=WEB, project=other).status == 404
    body = {"security_group_rule": {**RULE, "parent_group_id": next(iter(other.security_groups)), "group_id": WEB}}
    assert stage.refused("createSecurityGroupRule", body, project=other).status == 404
