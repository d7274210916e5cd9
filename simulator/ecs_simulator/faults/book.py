"""The rules in force, in the order they were added."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from ecs_simulator.faults.rule import Effect, Moment, Rule, parse_rule


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that strikes a request: what happens to it, and when."""

    rule_id: str
    when: Moment
    effect: Effect


class FaultBook:
    """Rules and the chance they are drawn by. The first rule that matches and is due strikes; the rules after it do not see the request."""

    def __init__(self, *, seed: int = 0) -> None:
        self._rules: dict[str, Rule] = {}
        self._next = 1
        # Chance is seeded, so that a run with faults can be repeated.
        self._random = random.Random(seed)  # noqa: S311

    def __bool__(self) -> bool:
        return bool(self._rules)

    def add(self, data: object) -> Rule:
        """Add a rule at the end; FaultError if it says something impossible."""
        rule = parse_rule(f"fault-{self._next}", data)
        self._next += 1
        self._rules[rule.id] = rule
        return rule

    def remove(self, rule_id: str) -> bool:
        """Remove a rule; False if there is none of that id."""
        return self._rules.pop(rule_id, None) is not None

    def clear(self) -> int:
        """Remove all rules and return how many there were."""
        count = len(self._rules)
        self._rules.clear()
        return count

    def to_json(self) -> list[dict[str, Any]]:
        """Return the rules in order with their counters."""
        return [rule.to_json() for rule in self._rules.values()]

    def strike(self, *, name: str | None, section: str | None, method: str, target: str, project: str | None) -> Hit | None:
        """Return what a request has to suffer, None for nothing. Called once a request; it moves the counters."""
        for rule in self._rules.values():
            if rule.spent or not rule.match.covers(name=name, section=section, method=method, target=target, project=project):
                continue
            rule.seen += 1
            if self._due(rule):
                rule.hits += 1
                return Hit(rule_id=rule.id, when=rule.when, effect=rule.effect)
        return None

    def _due(self, rule: Rule) -> bool:
        match = rule.match
        if match.nth is not None and rule.seen != match.nth:
            return False
        if match.every is not None and rule.seen % match.every:
            return False
        return match.probability is None or self._random.random() < match.probability
