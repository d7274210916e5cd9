"""What others changed, in numbers."""

from __future__ import annotations

from ecs_operator.engine.counters import DriftCounters


def test_what_stands_is_counted_by_object_and_field() -> None:
    counters = DriftCounters()
    counters.stands("a", "servers", ["spec.tags", "spec.tags", "spec.name"])
    counters.stands("b", "servers", ["spec.tags"])
    counters.stands("c", "servers", [])
    assert dict(counters.current()) == {("servers", "spec.tags"): 2, ("servers", "spec.name"): 1}
    counters.stands("a", "servers", [])
    counters.forget("b")
    counters.forget("b")
    assert not counters.current()
