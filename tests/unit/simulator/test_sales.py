"""Where flavors are sold (table 5-41): by their extra specs and by hand, in 5.4.1 and in every creation."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from tests.unit.simulator.native_stage import native
from tests.unit.simulator.stage import Stage, request

A, B = "eu-west-0a", "eu-west-0b"


class Case(NamedTuple):
    """``sold`` tells of both zones whether servers can be had there; ``code`` is the refusal in the first."""

    name: str
    specs: dict[str, str]
    sold: tuple[bool, bool]
    code: str = "Ecs.0319"


CASES = [
    Case("nothing said", {}, (True, True)),
    Case("normal", {"cond:operation:status": "normal"}, (True, True)),
    Case("open beta", {"cond:operation:status": "obt"}, (True, True)),
    Case("promoted", {"cond:operation:status": "promotion"}, (True, True)),
    Case("sold out", {"cond:operation:status": "sellout"}, (False, False)),
    Case("open beta, sold out", {"cond:operation:status": "obt_sellout"}, (False, False)),
    Case("taken offline", {"cond:operation:status": "abandon"}, (False, False), "Ecs.0029"),
    Case("one zone differs", {"cond:operation:status": "abandon", "cond:operation:az": f"{B}(normal)"}, (False, True), "Ecs.0029"),
    Case("each zone of its own", {"cond:operation:az": f"{A}(sellout), {B}( obt )"}, (False, True)),
    Case("another zone", {"cond:operation:az": "eu-west-9z(sellout)"}, (True, True)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_where_it_is_sold(stage: Stage, case: Case) -> None:
    stage.world.flavors["s3.large.2"].specs.update(case.specs)
    for zone, sold in zip((A, B), case.sold, strict=True):
        listed = {flavor["id"] for flavor in stage.call("listFlavorsSold", query={"availability_zone": zone}).body["flavors"]}
        assert ("s3.large.2" in listed) is sold
    assert len(stage.call("listFlavorsSold").body["flavors"]) == 5
    if case.sold[0]:
        assert stage.call("createServers", request()).status == 200
    else:
        assert stage.code("createServers", request()) == (400, case.code)
    anywhere = request(availability_zone=None)
    if any(case.sold):
        (server_id,) = stage.call("createServers", anywhere).body["serverIds"]
        assert stage.project.servers[server_id].zone == (A if case.sold[0] else B)
    else:
        assert stage.code("createServers", anywhere) == (400, case.code)


def test_natively_only_what_is_offline_is_refused(stage: Stage) -> None:
    specs = stage.world.flavors["s3.large.2"].specs
    specs["cond:operation:status"] = "obt_sellout"
    reply = stage.call("createServer", native())
    stage.pass_time(600)
    assert stage.show(reply.body["server"]["id"])["status"] == "ERROR"
    specs["cond:operation:status"] = "abandon"
    assert stage.refused("createServer", native()).status == 400


def test_sold_out_by_hand_counts_most(stage: Stage) -> None:
    flavor = stage.world.flavors["s3.large.2"]
    flavor.specs["cond:operation:az"] = f"{A}(promotion)"
    stage.world.sell_out("s3.large.2", (A,))
    specs = stage.call("listFlavorExtraSpecs", flavor_id="s3.large.2").body["extra_specs"]
    assert (specs["cond:operation:az"], specs["cond:operation:status"]) == (f"{A}(sellout), {B}(normal)", "normal")
