"""The table of costs says what the code does: it has every field, what it calls refused is refused, and costs what it says."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest

from ecs_lab.repository import repository_root
from ecs_operator.api.common import KeyRef
from ecs_operator.api.root_rules import SERVER_ROOT_RULES
from ecs_operator.api.server import Applied, GroupPin, Installation, Membership, Placement, SecurityGroup, ServerSpec, ServerStatus
from ecs_operator.api.server_rules import SERVER_SPEC_RULES
from ecs_operator.cloud import Server
from ecs_operator.resources.server.costs import MEANINGS, RESTART_TOKEN, ROWS, Other, Row
from ecs_operator.resources.server.deeds import Cost
from ecs_operator.resources.server.differences import Wanted, differences
from ecs_operator.resources.server.interfaces import requested
from ecs_operator.resources.server.origin import origin_of
from ecs_operator.resources.server.public_address import PublicAddress
from tests.unit.resources.server.stage import SPEC

# With both ways of signing in, which no manifest may have, so that either can be seen to change.
AS_IT_IS = {**SPEC, "keyPairName": "ops", "adminPasswordSecretRef": {"name": "old", "key": "password"}}
GROUP = GroupPin(id="g-1", name="web")
NOWHERE = Membership(id=None)
INSTALLED = Installation(image_id=SPEC["image"]["id"], key_pair_name="ops", admin_password_secret_ref=KeyRef(name="old", key="password"))
ETH0, ETH1 = SPEC["networkInterfaces"][0], {"name": "eth1", "subnetId": SPEC["networkInterfaces"][0]["subnetId"]}
ADDRESS = PublicAddress("eip-1", "80.158.1.2", is_free=True)
# A server that is as AS_IT_IS says.
SERVER = Server(id="s-1", name="web-0", status="ACTIVE", flavor_id=SPEC["flavor"], tags=("team=shop",), is_detailed=True)
STATUS = ServerStatus(
    id="s-1",
    image_id=INSTALLED.image_id,
    auto_recovery=False,
    security_groups=(SecurityGroup(id="default", name="default"),),
    server_group=NOWHERE,
    availability_zone="eu-west-0a",
    applied=Applied(
        installed=INSTALLED,
        placement=Placement(tenancy="shared"),
        origin=origin_of(ServerSpec.model_validate(AS_IT_IS)),
        interfaces=requested(ServerSpec.model_validate(AS_IT_IS)),
    ),
)
# field: (changes of the spec, what is wanted besides, what else the status says)
CHANGES: dict[str, tuple[Mapping[str, Any], Mapping[str, Any], Mapping[str, Any]]] = {
    "name": ({}, {"name": "other"}, {}),
    "description": ({"description": "other"}, {}, {}),
    "flavor": ({"flavor": "s3.xlarge.2"}, {}, {}),
    "image": ({}, {"image_id": "other"}, {}),
    "availabilityZone": ({"availabilityZone": "eu-west-0b"}, {}, {}),
    "vpcId": ({"vpcId": "other"}, {}, {}),
    "networkInterfaces: add": ({"networkInterfaces": [ETH0, ETH1]}, {}, {}),
    "networkInterfaces: first": ({"networkInterfaces": [{**ETH0, "ipAddress": "192.168.0.9"}]}, {}, {}),
    "networkInterfaces: another mtu": ({"networkInterfaces": [ETH0, {**ETH1, "mtu": 1400}]}, {}, {}),
    "publicIp: with calls": ({"publicIp": {"id": "eip-1"}}, {"public_address": ADDRESS}, {}),
    "publicIp: allocate": ({"publicIp": {"allocate": {"type": "5_bgp", "bandwidth": {"sizeMbps": 10}}}}, {}, {}),
    "rootVolume": ({"rootVolume": {**SPEC["rootVolume"], "type": "SATA"}}, {}, {}),
    "agencyName": ({"agencyName": "other"}, {}, {}),
    "securityGroupIds": ({"securityGroupIds": ["other"]}, {}, {}),
    "keyPairName": ({"keyPairName": "other"}, {}, {}),
    "adminPasswordSecretRef": ({"adminPasswordSecretRef": {"name": "other", "key": "password"}}, {}, {}),
    "userDataRef": ({"userDataRef": {"secret": {"name": "other", "key": "script"}}}, {}, {}),
    "metadata": ({"metadata": {"role": "other"}}, {}, {}),
    "tags": ({"tags": {"team": "other"}}, {}, {}),
    "locked": ({"locked": True}, {}, {}),
    "autoRecovery": ({"autoRecovery": True}, {}, {}),
    "serverGroupRef: join": ({}, {"group": GROUP}, {}),
    "serverGroupId: join": ({}, {"group": GroupPin(id="g-1")}, {}),
    "serverGroupRef: leave": ({}, {}, {"server_group": Membership(id="g-1"), "pin": GROUP}),
    "serverGroupId: leave": ({}, {}, {"server_group": Membership(id="g-1"), "pin": GroupPin(id="g-1")}),
    "scheduling": ({"scheduling": {"tenancy": "dedicated", "dedicatedHostId": "h-1"}}, {}, {}),
}


def _found(changes: Mapping[str, Any], wanted: Mapping[str, Any], also: Mapping[str, Any]) -> set[tuple[str, Cost]]:
    spec = ServerSpec.model_validate({**AS_IT_IS, **changes})
    applied = STATUS.applied.model_copy(update={"server_group": also.get("pin")}) if STATUS.applied else None
    status = STATUS.model_copy(update={"server_group": also.get("server_group", NOWHERE), "applied": applied})
    whole = Wanted(**{"name": "web-0", "image_id": INSTALLED.image_id, **wanted})
    found = differences(spec, SERVER, status=status, wanted=whole)
    return {(re.split(r"[.\[]", each.path)[1], each.cost) for each in found}


def _rows_by_field() -> dict[str, list[Row]]:
    found = defaultdict(list)
    for row in ROWS:
        found[row.field].append(row)
    return found


def test_every_field_of_the_spec_is_in_it_once() -> None:
    """A new field needs a row: what it costs, or that it is refused, or that it is policy."""
    fields = {info.alias or name for name, info in ServerSpec.model_fields.items()}
    assert set(_rows_by_field()) == fields
    for field, rows in _rows_by_field().items():
        assert len(rows) == 1 or all(row.when for row in rows), f"{field} has several rows that do not say when they hold"
        assert len({row.when for row in rows}) == len(rows), field


def test_what_is_refused_is_what_the_schema_refuses() -> None:
    rules = [rule for rule in (*SERVER_ROOT_RULES, *SERVER_SPEC_RULES) if "oldSelf" in rule.test]
    by_schema = {(rule.field or "").removeprefix(".spec").removeprefix(".").split(".")[0] for rule in rules}
    assert {row.field for row in ROWS if row.cost is Other.REFUSED} == by_schema


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_costs_what_the_table_says(case: str) -> None:
    field, _, when = case.partition(": ")
    changes, wanted, also = CHANGES[case]
    found = _found(changes, wanted, also)
    [row] = [row for row in _rows_by_field()[field] if not when or re.search(rf"\b{when}\b", row.when)]
    assert found == {(field, row.cost)}


def test_every_cost_of_the_table_is_tried() -> None:
    assert not _found({}, {}, {}), "nothing differs where nothing was changed"
    assert {case.partition(": ")[0] for case in CHANGES} == {row.field for row in ROWS if isinstance(row.cost, Cost)}


def test_calls_and_meanings() -> None:
    """Sections exist; what changes the server names a call; each cost is explained."""
    sections = {each["section"] for each in json.loads((repository_root() / "tests/reference/operations.json").read_text())}
    for row in (*ROWS, RESTART_TOKEN):
        named = set(re.findall(r"\d+(?:\.\d+)+", row.calls))
        assert named <= sections, row
        assert bool(named) == (row.cost not in {Other.POLICY, Other.REFUSED}), row
        assert row.calls.startswith("stop, ") == (isinstance(row.cost, Cost) and row.cost in {Cost.RESTART, Cost.REINSTALL}), row
    assert {cost.title for cost in Cost} <= set(MEANINGS)
