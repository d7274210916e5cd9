"""What must not grow without end, and what must not cost more the more there is. Counted, not timed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from ecs_simulator.auth import tokens as token_store
from ecs_simulator.auth.tokens import TokenStore
from ecs_simulator.requestlog import MAX_PATH, Entry, RequestLog
from ecs_simulator.routes import server_rows
from ecs_simulator.simulator import MAX_SNAPSHOTS, Simulator
from ecs_simulator.world import codec, oblivion
from ecs_simulator.world.project import TokenMemory
from tests.unit.simulator.stage import Stage, ids, request

HOUR, DAY = 3600.0, 86400.0


def entry(path: str = "/v1/p") -> Entry:
    return Entry(0.0, "GET", path, None, None, None, "req", None, None)


@pytest.mark.parametrize(("count", "since", "numbers"), [(3, 0, [1, 2, 3]), (3, 2, [3]), (9, 0, [6, 7, 8, 9]), (9, 7, [8, 9]), (9, 9, [])])
def test_the_request_log_keeps_the_newest(count: int, since: int, numbers: list[int]) -> None:
    log = RequestLog(capacity=4)
    for _ in range(count):
        log.add(entry())
    assert log.total == count
    assert [item.seq for item in log.select(since=since)] == numbers
    assert [item.seq for item in log.after(since, limit=2)] == numbers[:2]


def test_the_request_log_goes_on_counting_after_it_was_cleared() -> None:
    log = RequestLog()
    log.add(entry())
    log.clear()
    assert (log.select(), log.after(0, limit=5)) == ([], [])
    log.add(entry())
    assert [item.seq for item in log.after(1, limit=5)] == [2]


def test_an_endless_path_is_cut_in_the_log() -> None:
    log = RequestLog()
    log.add(entry("/" + "x" * 60_000))
    (kept,) = log.select()
    assert len(kept.path) == MAX_PATH + 1


def test_tokens_make_room_for_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_store, "MAX_TOKENS", 3)
    store = TokenStore()
    issued = [store.issue(user_id="u", project_id="p", now=float(number)) for number in range(5)]
    assert [store.find(token.value, now=5.0) is not None for token in issued] == [False, False, True, True, True]
    assert len(store) == 3


def test_jobs_are_forgotten_whether_or_not_anybody_asks() -> None:
    stage = Stage()
    server = stage.server()
    for _ in range(3):
        for name, body in (
            ("stopServers", {"os-stop": {"servers": ids(server)}}),
            ("startServers", {"os-start": {"servers": ids(server)}}),
        ):
            stage.ended(stage.call(name, body))
    assert len(stage.world.jobs) == 7
    stage.pass_time(DAY - 2 * HOUR)
    late = stage.call("stopServers", {"os-stop": {"servers": ids(server)}}).body["job_id"]
    assert len(stage.world.jobs) == 8
    stage.pass_time(3 * HOUR)
    assert list(stage.world.jobs) == [late]
    assert stage.job(late)["status"] == "SUCCESS"


def test_a_running_job_is_not_forgotten() -> None:
    stage = Stage()
    stage.world.durations.change({"create_server": 3 * DAY})
    job = stage.call("createServers", request()).body["job_id"]
    stage.pass_time(2 * DAY)
    assert stage.job(job)["status"] == "RUNNING"
    stage.pass_time(DAY + HOUR)
    assert stage.job(job)["status"] == "SUCCESS"
    stage.pass_time(DAY + HOUR)
    assert stage.world.jobs == {}


def test_client_tokens_are_forgotten_in_the_end() -> None:
    stage = Stage()
    memory = TokenMemory(at=stage.world.now(), digest="", job_id="")
    stage.project.tokens["a"] = memory
    stage.pass_time(oblivion.CLIENT_TOKEN_SECONDS - HOUR)
    assert stage.project.tokens == {"a": memory}
    stage.pass_time(2 * HOUR)
    assert stage.project.tokens == {}


def test_snapshots_make_room_for_one_another() -> None:
    simulator = Simulator()
    made = [simulator.snapshot() for _ in range(MAX_SNAPSHOTS + 2)]
    assert simulator.snapshot_ids() == made[2:]
    simulator.restore(made[-1])
    with pytest.raises(KeyError):
        simulator.restore(made[0])


@pytest.mark.parametrize(("query", "rows"), [({"limit": "10"}, 10), ({}, 25), ({"limit": "5", "name": "-00"}, 5)])
def test_a_page_makes_only_its_own_rows(query: dict[str, str], rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    stage.create(count=60)
    made = 0
    row = server_rows.detailed

    def counted(*arguments: Any) -> dict[str, Any]:
        nonlocal made
        made += 1
        return row(*arguments)

    monkeypatch.setattr(server_rows, "detailed", counted)
    marker = list(stage.project.servers)[-3]
    for more in ({}, {"marker": marker}):
        made = 0
        found = stage.call("listServersDetails", query=query | more).body["servers"]
        assert len(found) == made == rows


@dataclass(slots=True)
class Leaf:
    name: str
    weight: float = 0.5
    note: str | None = None


@dataclass(slots=True)
class Tree:
    leaf: Leaf
    one: Leaf | None = None
    leaves: list[Leaf] = field(default_factory=list)
    by_name: dict[str, Leaf] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    pairs: dict[str, str] = field(default_factory=dict)
    lists: dict[str, list[list[float]]] = field(default_factory=dict)
    anything: dict[str, Any] = field(default_factory=dict)
    flag: bool = False


def test_records_become_json_and_come_back() -> None:
    tree = Tree(
        leaf=Leaf("a"),
        one=Leaf("b", note="n"),
        leaves=[Leaf("c")],
        by_name={"d": Leaf("d", 1.0)},
        names=["x"],
        pairs={"k": "v"},
        lists={"l": [[1.0, 2.0]]},
        anything={"deep": {"er": [1, None, True]}},
        flag=True,
    )
    kept = codec.dump(tree)
    assert kept["leaf"] == {"name": "a", "weight": 0.5, "note": None}
    assert codec.load(Tree, kept) == tree
    # What is kept shares nothing with what lives on.
    for change in (
        lambda: tree.names.append("y"),
        lambda: tree.pairs.update(k="w"),
        lambda: tree.lists["l"][0].append(3.0),
        lambda: tree.anything["deep"]["er"].append(2),
    ):
        change()
    assert (kept["names"], kept["pairs"], kept["lists"]) == (["x"], {"k": "v"}, {"l": [[1.0, 2.0]]})
    assert kept["anything"] == {"deep": {"er": [1, None, True]}}


def test_a_record_of_one_plain_field_or_none() -> None:
    @dataclass
    class One:
        name: str

    @dataclass
    class Nothing:
        pass

    assert codec.dump([One("a"), Nothing(), ("b", 1)]) == [{"name": "a"}, {}, ["b", 1]]
    with pytest.raises(TypeError):
        codec.dump({"a": object()})
