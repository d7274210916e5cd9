"""Interfaces and the public address of a server that is there: added and removed at once, never twice, and never what others put there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from ecs_operator.api.reasons import Reason
from ecs_operator.cloud import Meaning, NewInterface, Outcome
from tests.unit.resources.server.fake_cloud import lost, refusal
from tests.unit.resources.server.rows import back, changes_since, converge, edit, killed_around_every_effect, there
from tests.unit.resources.server.stage import KEY, SETTLE, SPEC, Stage, pause_of
from tests.unit.resources.server.test_changes import WEB_GROUP, running, server

SUBNET, OTHER = SPEC["networkInterfaces"][0]["subnetId"], "2a3b4c5d-1111-4222-8333-944455566677"
ETH0, ETH1, ETH2 = ({"name": name, "subnetId": SUBNET} for name in ("eth0", "eth1", "eth2"))
FIXED = {**ETH1, "ipAddress": "192.168.0.77"}
MOVED = {**ETH1, "subnetId": OTHER}
ONE, TWO = "a2b4c6d8-1111-4222-8333-944455566677", "b2b4c6d8-1111-4222-8333-944455566677"
IPS = {ONE: "80.158.1.1", TWO: "80.158.1.2"}


def nics(*interfaces: Mapping[str, Any]) -> dict[str, Any]:
    return {"networkInterfaces": list(interfaces)}


async def networked(**changes: Any) -> Stage:
    stage = Stage(spec={**SPEC, **changes})
    for address_id, ip in IPS.items():
        stage.network.own(address_id, ip)
    await stage.until_ready()
    return stage


def shown(stage: Stage) -> dict[str, Any]:
    alive = server(stage)
    return {
        "subnets": [each.subnet for each in stage.network.ports(alive.id)],
        "public": sorted(each.ip for each in stage.network.floating.values() if each.instance_id == alive.id),
        "locked": alive.locked,
        "status": alive.status,
    }


def recorded(stage: Stage) -> dict[str, str]:
    return {each["name"]: each["portId"] for each in stage.status["applied"]["interfaces"]}


def by_others(stage: Stage) -> None:
    """Somebody else adds an interface in the same subnet."""
    stage.network.make(server(stage).id, SUBNET)


@dataclass(frozen=True)
class Row:
    """One row of the cost table: from one spec to another."""

    name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    effects: tuple[str, ...]
    check: Callable[[dict[str, Any]], bool]


ROWS = [
    Row("one more", nics(ETH0), nics(ETH0, ETH1), ("add_interface",), lambda s: s["subnets"] == [SUBNET, SUBNET]),
    Row("one less", nics(ETH0, ETH1), nics(ETH0), ("remove_interface",), lambda s: s["subnets"] == [SUBNET]),
    Row(
        "two more, one less",
        nics(ETH0, MOVED),
        nics(ETH0, ETH2, FIXED),
        ("remove_interface", "add_interface", "add_interface"),
        lambda s: s["subnets"] == [SUBNET] * 3,
    ),
    Row(
        "another subnet",
        nics(ETH0, ETH1),
        nics(ETH0, MOVED),
        ("remove_interface", "add_interface"),
        lambda s: s["subnets"] == [SUBNET, OTHER],
    ),
    Row(
        "one more on a locked server",
        {**nics(ETH0), "locked": True},
        {**nics(ETH0, ETH1), "locked": True},
        ("unlock", "add_interface", "lock"),
        lambda s: (len(s["subnets"]), s["locked"]) == (2, True),
    ),
    Row(
        "one more on a stopped server",
        {**nics(ETH0), "powerState": "Stopped"},
        {**nics(ETH0, ETH1), "powerState": "Stopped"},
        ("add_interface",),
        lambda s: (len(s["subnets"]), s["status"]) == (2, "SHUTOFF"),
    ),
    Row(
        "one more and a start",
        {**nics(ETH0), "powerState": "Stopped"},
        {**nics(ETH0, ETH1), "powerState": "Running"},
        ("start", "add_interface"),
        lambda s: (len(s["subnets"]), s["status"]) == (2, "ACTIVE"),
    ),
    Row("a public address", {}, {"publicIp": {"id": ONE}}, ("bind",), lambda s: s["public"] == [IPS[ONE]]),
    Row("no public address", {"publicIp": {"id": ONE}}, {"publicIp": None}, ("unbind",), lambda s: s["public"] == []),
    Row(
        "another public address",
        {"publicIp": {"id": ONE}},
        {"publicIp": {"id": TWO}},
        ("unbind", "bind"),
        lambda s: s["public"] == [IPS[TWO]],
    ),
    Row(
        "what becomes of the address",
        {"publicIp": {"id": ONE}},
        {"publicIp": {"id": ONE, "deleteWithServer": True}},
        (),
        lambda s: s["public"] == [IPS[ONE]],
    ),
]
ROW_IDS = [row.name for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_a_change_there_and_back(row: Row) -> None:
    before = shown(await networked(**row.before))
    stage = await there(lambda: networked(**row.before), row.after, row.effects)
    assert row.check(shown(stage)), shown(stage)
    await back(stage, row.before)
    assert shown(stage) == before
    assert "interfaceChange" not in stage.status


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_the_operator_is_killed_around_every_effect_of_a_change(row: Row) -> None:
    def check(stage: Stage, reference: Stage, _: int) -> None:
        assert len(stage.network.added) == len(reference.network.added), "never added twice"
        assert "interfaceChange" not in stage.status
        stage.exactly_one()

    await killed_around_every_effect(lambda: networked(**row.before), row.after, shown=shown, check=check)


@pytest.mark.parametrize("row", ROWS, ids=ROW_IDS)
async def test_in_steady_state_nothing_is_written_nor_read(row: Row) -> None:
    stage = await networked(**row.before)
    edit(stage, **row.after)
    await converge(stage)
    # A list of the very moment of the change may be as it was before.
    stage.clock.advance(400)
    await stage.once()
    writes, reads, position = stage.store.status_writes, stage.network.reads, len(stage.effects.log)
    for _ in range(4):
        stage.clock.advance(pause_of(await stage.once()))
    assert (stage.store.status_writes, stage.network.reads) == (writes, reads)
    assert changes_since(stage, position) == ()


# What others put there


async def test_interfaces_of_others_stay() -> None:
    stage = await networked(**nics(ETH0, ETH1))
    alive = server(stage)
    theirs = stage.network.make(alive.id, SUBNET)
    stage.clock.advance(400)
    await stage.once()
    for wanted in (nics(ETH0), nics(ETH0, ETH1), nics(ETH0, ETH2), nics(ETH0)):
        edit(stage, **wanted)
        await converge(stage)
        assert theirs in stage.network.ports(alive.id)
    assert theirs.id not in stage.network.removed
    assert recorded(stage) == {"eth0": "port-fa:16:3e:00:00:01"}


async def test_an_interface_that_others_removed_is_added_again() -> None:
    stage = await networked(**nics(ETH0, ETH1))
    alive = server(stage)
    stage.network.drop(alive.id, recorded(stage)["eth1"])
    stage.clock.advance(400)
    await stage.until(lambda: len(stage.network.ports(alive.id)) == 2 and stage.ready.get("status") == "True")
    assert recorded(stage)["eth1"] == stage.network.ports(alive.id)[1].id


async def test_one_with_an_mtu_cannot_be_added_again() -> None:
    stage = await networked(**nics(ETH0, {**ETH1, "mtu": 1400}))
    stage.network.drop(server(stage).id, recorded(stage)["eth1"])
    stage.clock.advance(400)
    await stage.until(lambda: stage.reason == Reason.INVALID_CONFIGURATION)
    assert "the server lacks eth1" in stage.message
    assert stage.network.added == []
    edit(stage, **nics(ETH0))
    await converge(stage)


async def test_a_list_without_the_primary_interface_proves_nothing() -> None:
    stage = await networked(**nics(ETH0, ETH1))
    alive = server(stage)
    whole = stage.network.ports(alive.id)[:]
    stage.network._ports[alive.id].clear()
    stage.cloud.set(alive.id, addresses=())
    stage.clock.advance(400)
    for _ in range(5):
        stage.clock.advance(pause_of(await stage.once()))
    assert stage.network.added == []
    stage.network._ports[alive.id][:] = whole


async def test_while_others_add_one_the_job_tells_which_is_ours() -> None:
    stage = await networked()
    alive = server(stage)
    stage.effects.hooks["cloud.add_interface"] = lambda: by_others(stage)
    edit(stage, **nics(ETH0, ETH1))
    await converge(stage)
    theirs, ours = (each.id for each in stage.network.ports(alive.id)[1:])
    assert recorded(stage)["eth1"] == ours
    edit(stage, **nics(ETH0))
    await converge(stage)
    assert stage.network.removed == [ours]
    assert [each.id for each in stage.network.ports(alive.id)[1:]] == [theirs]


async def test_two_new_ones_after_an_answer_that_was_lost_are_both_left_alone() -> None:
    stage = await networked()
    alive = server(stage)
    stage.effects.hooks["cloud.add_interface"] = lambda: by_others(stage)
    stage.effects.plan("cloud.add_interface", "after", lost("addInterfaces"))
    edit(stage, **nics(ETH0, ETH1))
    await stage.until(lambda: "Stalled" in stage.types())
    assert stage.reason == Reason.OPERATION_FAILED
    theirs, ours = stage.network.ports(alive.id)[1:]
    assert theirs.id in stage.message
    assert ours.id in stage.message
    for _ in range(5):
        stage.clock.advance(pause_of(await stage.once()))
    stage.annotate(**{"reconcile-requested-at": "now"})
    await stage.once()
    assert len(stage.network.added) == 1
    edit(stage, **nics(ETH0, {**ETH1, "ipAddress": ours.ip}))
    await converge(stage)
    assert recorded(stage)["eth1"] == ours.id
    assert (len(stage.network.added), stage.network.removed) == (1, [])


async def test_an_address_of_others_is_neither_taken_nor_released() -> None:
    stage = await networked()
    alive = server(stage)
    stage.network.put(ONE, alive.id)
    stage.clock.advance(400)
    await stage.once()
    edit(stage, publicIp={"id": ONE})
    await converge(stage)
    assert stage.status["applied"]["publicIp"] == {"id": ONE, "address": IPS[ONE], "found": True}
    edit(stage, publicIp=None)
    await converge(stage)
    assert shown(stage)["public"] == [IPS[ONE]]
    edit(stage, publicIp={"id": TWO, "deleteWithServer": True})
    await converge(stage)
    stage.delete()
    await stage.until_gone()
    assert [each["delete_public_ip"] for each in stage.cloud.deletions] == [False], "one of the two is not ours"


async def test_an_address_that_another_server_uses_is_waited_for() -> None:
    stage = await networked(publicIp={"id": ONE})
    stage.network.floating[TWO] = stage.network.floating[TWO].model_copy(update={"instance_id": "s-9", "fixed_ip": "192.168.7.7"})
    edit(stage, publicIp={"id": TWO}, description="new")
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_DEPENDENCY)
    assert "server s-9 uses" in stage.message
    assert (shown(stage)["public"], server(stage).description) == ([IPS[ONE]], "new"), "the old one stays meanwhile"
    stage.network.own(TWO, IPS[TWO])
    await converge(stage)
    assert shown(stage)["public"] == [IPS[TWO]]


async def test_an_address_that_is_not_there_is_waited_for() -> None:
    stage = await networked()
    edit(stage, publicIp={"id": "c2b4c6d8"})
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_DEPENDENCY)
    assert "the cloud has none of this id" in stage.message


@pytest.mark.parametrize("before", [{}, {"publicIp": {"id": ONE}}], ids=["set", "removed"])
async def test_an_endpoint_without_the_calls_needs_another_server(before: dict[str, Any]) -> None:
    stage = await networked(**before)
    first = server(stage).id
    stage.network.has_addresses = False
    after = None if before else {"id": ONE}
    edit(stage, publicIp=after)
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    assert [(each["path"], each["cost"]) for each in stage.status["plan"]["changes"]] == [("spec.publicIp", "Replace")]
    edit(stage, publicIp=before.get("publicIp"))
    await converge(stage)
    assert server(stage).id == first
    edit(stage, publicIp=after, disruption={"allow": "Replace"})
    await converge(stage)
    assert server(stage).id != first
    assert shown(stage)["public"] == ([] if before else [IPS[ONE]])
    assert stage.effects.count("cloud.bind") + stage.effects.count("cloud.unbind") == 0


async def test_what_others_took_off_is_no_reason_for_another_server() -> None:
    stage = await networked(publicIp={"id": ONE}, disruption={"allow": "Replace"})
    first = server(stage).id
    stage.network.take(ONE)
    stage.network.has_addresses = False
    stage.clock.advance(400)
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_DEPENDENCY)
    assert "no calls that put one on a server" in stage.message
    for _ in range(3):
        stage.clock.advance(400)
        await stage.once()
    assert server(stage).id == first


async def test_an_address_that_others_took_off_is_put_back() -> None:
    stage = await networked(publicIp={"id": ONE})
    stage.network.take(ONE)
    stage.clock.advance(400)
    await stage.until(lambda: shown(stage)["public"] == [IPS[ONE]])


@pytest.mark.parametrize(("flag", "released"), [({}, False), ({"deleteWithServer": False}, False), ({"deleteWithServer": True}, True)])
async def test_the_flag_counts_when_the_server_is_deleted(flag: dict[str, bool], *, released: bool) -> None:
    stage = await networked(publicIp={"id": ONE})
    edit(stage, publicIp={"id": ONE, **flag})
    await converge(stage)
    stage.delete()
    await stage.until_gone()
    assert [each["delete_public_ip"] for each in stage.cloud.deletions] == [released]


# Answers that are lost or bad


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("kind", ["add", "remove"])
async def test_an_answer_that_is_lost(kind: str, when: Any) -> None:
    more, less = nics(ETH0, ETH1), nics(ETH0)
    stage = await networked(**(less if kind == "add" else more))
    stage.effects.plan(f"cloud.{kind}_interface", when, lost(f"{kind}Interfaces"))
    edit(stage, **(more if kind == "add" else less))
    began = stage.clock.now()
    await converge(stage)
    assert len(shown(stage)["subnets"]) == (2 if kind == "add" else 1)
    assert len(stage.network.added) + len(stage.network.removed) == 1
    if (kind, when) == ("add", "before"):
        assert (stage.clock.now() - began).total_seconds() >= SETTLE, "a late request could have arrived until then"


async def test_an_addition_that_arrives_late_is_not_made_twice() -> None:
    stage = await networked()
    alive = server(stage)
    stage.effects.plan("cloud.add_interface", "before", lost("addInterfaces"))
    edit(stage, **nics(ETH0, ETH1))
    await stage.until(lambda: stage.effects.count("cloud.add_interface") == 1)
    stage.clock.advance(SETTLE / 2)
    stage.network.arrive(alive.id, NewInterface(subnet_id=SUBNET))
    await converge(stage)
    assert (len(stage.network.added), len(stage.network.ports(alive.id))) == (1, 2)


async def test_an_addition_taken_back_while_its_outcome_is_unknown_leaves_nothing() -> None:
    stage = await networked()
    stage.effects.plan("cloud.add_interface", "after", lost("addInterfaces"))
    edit(stage, **nics(ETH0, ETH1))
    await stage.until(lambda: stage.effects.count("cloud.add_interface") == 1)
    edit(stage, **nics(ETH0))
    await converge(stage)
    assert len(shown(stage)["subnets"]) == 1


async def test_jobs_that_do_not_name_the_port() -> None:
    stage = await networked()
    stage.network.names_ports = False
    edit(stage, **nics(ETH0, ETH1, ETH2))
    await converge(stage)
    assert len(set(recorded(stage).values())) == len(shown(stage)["subnets"]) == 3


async def test_a_job_that_fails_in_passing_is_tried_again() -> None:
    stage = await networked()
    stage.network.next_failure = ("Ecs.9999", "nobody knows")
    edit(stage, **nics(ETH0, ETH1))
    await converge(stage)
    assert (len(stage.network.added), len(shown(stage)["subnets"])) == (2, 2)


async def test_a_job_that_fails_for_good_says_why_and_waits() -> None:
    stage = await networked()
    stage.network.next_failure = ("Ecs.0319", "no capacity")
    edit(stage, **nics(ETH0, ETH1))
    await stage.until(lambda: "Stalled" in stage.types())
    assert (stage.reason, "no capacity" in stage.message) == (Reason.OPERATION_FAILED, True)
    for _ in range(5):
        stage.clock.advance(pause_of(await stage.once()))
    assert len(stage.network.added) == 1
    stage.annotate(**{"reconcile-requested-at": "now"})
    await converge(stage)
    assert len(shown(stage)["subnets"]) == 2


async def test_more_than_the_flavor_takes_is_rejected() -> None:
    stage = await networked(**nics(*({"name": f"eth{number}", "subnetId": SUBNET} for number in range(4))))
    edit(stage, **nics(*({"name": f"eth{number}", "subnetId": SUBNET} for number in range(5))))
    await stage.until(lambda: stage.reason == Reason.REJECTED)
    assert "the flavor takes 4" in stage.message
    assert "Stalled" in stage.types()
    calls, writes = stage.effects.count("cloud.add_interface"), stage.store.status_writes
    for _ in range(5):
        stage.clock.advance(pause_of(await stage.once()))
    assert (stage.effects.count("cloud.add_interface"), stage.store.status_writes) == (calls, writes)
    edit(stage, **nics(*({"name": f"eth{number}", "subnetId": SUBNET} for number in (0, 2, 3, 4))), description="x")
    await converge(stage)
    assert set(recorded(stage)) == {"eth0", "eth2", "eth3", "eth4"}


async def test_a_subnet_that_is_no_id_of_the_cloud_is_rejected() -> None:
    stage = await networked()
    edit(stage, **nics(ETH0, {"name": "eth1", "subnetId": "mine"}))
    await stage.until(lambda: stage.reason == Reason.REJECTED)
    assert "nics[].subnet_id" in stage.message
    edit(stage, **nics(ETH0))
    await converge(stage)


async def test_a_server_is_deleted_while_an_interface_is_added() -> None:
    stage = await networked()
    edit(stage, **nics(ETH0, ETH1))
    await stage.until(lambda: len(stage.network.added) == 1)
    stage.delete()
    await stage.until_gone()
    stage.none_left()


async def test_a_subnet_without_room_is_tried_again_by_itself() -> None:
    stage = await networked()
    stage.network.refused["add_interface"] = refusal(
        "addInterfaces", meaning=Meaning.QUOTA, outcome=Outcome.REFUSED, status=400, code="Ecs.0012", message="no free address"
    )
    edit(stage, **nics(ETH0, ETH1))
    await stage.until(lambda: stage.reason == Reason.QUOTA_EXCEEDED)
    assert "no free address" in stage.message
    stage.network.refused.clear()
    await converge(stage)


async def test_security_groups_go_before_and_with_an_interface() -> None:
    stage = await networked(securityGroupIds=["507ca48f-814c-4293-8706-300564d54620"])
    position = len(stage.effects.log)
    edit(stage, securityGroupIds=[WEB_GROUP], **nics(ETH0, ETH1))
    await converge(stage)
    assert changes_since(stage, position) == ("add_group", "remove_group", "add_interface")
    assert stage.network.ports(server(stage).id)[1].groups == (WEB_GROUP,)


async def test_an_interface_does_not_wait_for_consent_to_something_else() -> None:
    stage = await networked()
    edit(stage, flavor="s3.large.2", **nics(ETH0, ETH1))
    await stage.until(lambda: stage.reason == Reason.WAITING_FOR_APPROVAL)
    assert (len(shown(stage)["subnets"]), server(stage).flavor_id) == (2, "s3.small.1")
    assert stage.status["plan"]["changes"][0]["path"] == "spec.flavor"
    stage.annotate(**{"approve-plan": stage.status["plan"]["hash"]})
    await converge(stage)


async def test_a_server_of_before_this_was_recorded() -> None:
    stage = await networked(publicIp={"id": ONE}, **nics(ETH0, ETH1))
    applied = {key: value for key, value in stage.status["applied"].items() if key not in {"interfaces", "publicIp"}}
    stage.store.objects[KEY].status["applied"] = applied  # type: ignore[index]
    stage.restart()
    await stage.once()
    assert set(recorded(stage)) == {"eth0", "eth1"}
    assert stage.status["applied"]["publicIp"] == {"id": ONE, "address": IPS[ONE]}
    edit(stage, publicIp=None, **nics(ETH0))
    await converge(stage)
    assert (shown(stage)["public"], shown(stage)["subnets"]) == ([], [SUBNET])


async def test_while_an_interface_is_added_the_power_is_left_alone() -> None:
    stage = await running(powerState="Running")
    edit(stage, **nics(ETH0, ETH1))
    await stage.until(lambda: len(stage.network.added) == 1)
    edit(stage, powerState="Stopped")
    await stage.until(lambda: stage.reason == Reason.STOPPED_AS_DESIRED)
    assert stage.effects.count("cloud.stop.soft") == 1
    assert len(shown(stage)["subnets"]) == 2
