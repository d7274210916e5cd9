"""The state of a simulated cloud and its rules, without HTTP."""

from ecs_simulator.world.project import Project
from ecs_simulator.world.refusal import Absent, Refusal
from ecs_simulator.world.world import World

__all__ = ["Absent", "Project", "Refusal", "World"]
