"""Whatever the fields of 5.5, 6.5, 6.7, 11.3 and 11.5 say, it is answered, and what is refused changes nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ecs_simulator.call import ApiError
from tests.unit.simulator.stage import GROUP, NOWHERE, PORT, SMALL_SUBNET, SUBNET, Stage

WEB = "e5a1b7f0-8a3b-4a2c-9d35-6b1f0c2d4e77"
SHAPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "attachInterface": ("interfaceAttachment", ("net_id", "port_id", "fixed_ips")),
    "addSecurityGroup": ("addSecurityGroup", ("name",)),
    "removeSecurityGroup": ("removeSecurityGroup", ("name",)),
    "createSecurityGroup": ("security_group", ("name", "description")),
    "updateSecurityGroup": ("security_group", ("name", "description")),
    "createSecurityGroupRule": (
        "security_group_rule",
        ("parent_group_id", "ip_protocol", "from_port", "to_port", "cidr", "group_id"),
    ),
    "addFloatingIp": ("addFloatingIp", ("address", "fixed_address")),
    "removeFloatingIp": ("removeFloatingIp", ("address",)),
}
telling = st.sampled_from(
    [
        SUBNET,
        SMALL_SUBNET,
        PORT,
        GROUP,
        WEB,
        NOWHERE,
        "web",
        "default",
        "tcp",
        "icmp",
        "80.158.1.2",
        "192.168.0.7",
        "192.168.16.0/24",
        "443",
    ]
)
plain = st.one_of(telling, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6), st.just("9" * 5000))
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "ip_address"]), inner, max_size=2)
)


def state(stage: Stage) -> Any:
    world = stage.world.to_json()
    return world["projects"], world["jobs"], world["ledger"]


def answered(stage: Stage, name: str, body: Any, *, group_id: str = NOWHERE) -> None:
    before = state(stage)
    status = status_of(stage, name, body, group_id)
    assert status in {200, 202} or (400 <= status < 500 and state(stage) == before)


def status_of(stage: Stage, name: str, body: Any, group_id: str) -> int:
    try:
        return stage.call(name, body, server_id=next(iter(stage.project.servers)), security_group_id=group_id).status
    except ApiError as error:
        return error.status


@settings(max_examples=150, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(SHAPES)))
def test_one_object(data: st.DataObject, name: str) -> None:
    key, fields = SHAPES[name]
    stage = Stage()
    stage.server()
    body = {key: data.draw(st.dictionaries(st.sampled_from(fields), values, max_size=len(fields)))}
    answered(stage, name, body, group_id=data.draw(st.sampled_from([GROUP, WEB, NOWHERE, "\x00", ""])))


@settings(max_examples=100, deadline=None)
@given(
    nics=values
    | st.lists(st.dictionaries(st.sampled_from(["subnet_id", "ip_address", "security_groups", "id"]), values, max_size=4), max_size=3),
    name=st.sampled_from(["addInterfaces", "removeInterfaces"]),
)
def test_a_list_of_objects(nics: Any, name: str) -> None:
    stage = Stage()
    stage.server()
    answered(stage, name, {"nics": nics})
