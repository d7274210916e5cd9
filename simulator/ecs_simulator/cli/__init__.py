"""The command ``ecs-simulator``."""

from ecs_simulator.cli.main import main

__all__ = ["main"]
