"""What goes wrong on demand: rules that match requests, and what they do to them."""

from ecs_simulator.faults.book import FaultBook, Hit
from ecs_simulator.faults.rule import Effect, FaultError, Match, Rule, parse_rule

__all__ = ["Effect", "FaultBook", "FaultError", "Hit", "Match", "Rule", "parse_rule"]
