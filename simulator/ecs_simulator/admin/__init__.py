"""Steering the simulation: the ``/_sim/…`` API on a port of its own."""

from ecs_simulator.admin.app import admin_application

__all__ = ["admin_application"]
