"""Any edits of interfaces and address with any kills, lost answers and conflicts: in the end what the spec says, and nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.resources.server.stage import KEY, SPEC
from tests.unit.resources.server.test_any_mishaps import ERRORS, WHENS, Planned, drive
from tests.unit.resources.server.test_changes import server
from tests.unit.resources.server.test_network_changes import ETH0, ETH1, ETH2, FIXED, IPS, MOVED, ONE, TWO, networked

CALLS = ("cloud.add_interface", "cloud.remove_interface", "cloud.bind", "cloud.unbind", "cloud.job", "cloud.get", "cloud.sweep")
THEIRS = "9c3b4c5d-1111-4222-8333-944455566677"


@dataclass(frozen=True)
class Edit:
    """A spec, and how many passes it has before the next one comes."""

    interfaces: tuple[dict[str, Any], ...]
    address: str | None
    passes: int


planned = st.one_of(
    st.builds(Planned, st.sampled_from(CALLS), st.sampled_from(WHENS), st.sampled_from(("kill", "cloud")), st.integers(1, 3)),
    st.builds(Planned, st.just("kube.status"), st.sampled_from(WHENS), st.sampled_from(("kill", "kubernetes")), st.integers(1, 12)),
    st.builds(Planned, st.just("kube.status"), st.just("before"), st.just("conflict"), st.integers(1, 12)),
)
edits = st.builds(
    Edit,
    st.sampled_from(((), (ETH1,), (FIXED,), (MOVED,), (ETH2,), (ETH1, ETH2), (ETH2, MOVED))),
    st.sampled_from((None, ONE, TWO)),
    st.integers(0, 8),
)


@given(history=st.lists(edits, min_size=1, max_size=4), mishaps=st.lists(planned, max_size=5), names_ports=st.booleans())
@settings(max_examples=120, deadline=None, derandomize=True)
async def test_in_the_end_it_is_as_the_spec_says(history: list[Edit], mishaps: list[Planned], *, names_ports: bool) -> None:
    stage = await networked()
    alive = server(stage)
    stage.network.names_ports = names_ports
    theirs = stage.network.make(alive.id, THEIRS)
    for each in mishaps:
        stage.effects.plan(each.effect, each.when, ERRORS[each.trouble](), nth=each.nth)
    for edit in history:
        spec = {**SPEC, "networkInterfaces": [ETH0, *edit.interfaces], **({"publicIp": {"id": edit.address}} if edit.address else {})}
        stage.store.edit(KEY, spec=spec)
        await drive(stage, lambda: False, passes=edit.passes)

    def is_ready() -> bool:
        return (stage.ready.get("status"), stage.ready.get("observedGeneration")) == ("True", stage.obj.generation)

    assert await drive(stage, is_ready), stage.ready
    primary, *others = stage.network.ports(alive.id)
    assert theirs in others
    ours = [each for each in others if each is not theirs]
    wanted = history[-1].interfaces
    assert sorted(each.subnet for each in ours) == sorted(each["subnetId"] for each in wanted), "each once"
    assert {each["ipAddress"] for each in wanted if "ipAddress" in each} <= {each.ip for each in ours}
    recorded = {each["portId"] for each in stage.status["applied"]["interfaces"]}
    assert recorded == {primary.id, *(each.id for each in ours)}
    assert theirs.id not in stage.network.removed
    bound = {each.id for each in stage.network.floating.values() if each.instance_id == alive.id}
    assert bound == ({history[-1].address} if history[-1].address else set())
    assert set(IPS) == set(stage.network.floating)
    assert "interfaceChange" not in stage.status
