"""The command ``ecs-operator``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

import yaml

from ecs_operator.api.crds import CUSTOM_RESOURCES
from ecs_operator.app import main as app
from ecs_operator.app.settings import add_flags, from_flags


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="ecs-operator", description="Manages Elastic Cloud Servers as custom resources of Kubernetes.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run the operator", description="Run the operator until SIGTERM.")
    add_flags(run, environment=os.environ)
    commands.add_parser("crds", help="print the CustomResourceDefinitions, for kubectl apply -f -")
    commands.add_parser("version", help="print the version")
    options = parser.parse_args(arguments)
    match options.command:
        case "run":
            return app.main(from_flags(options))
        case "crds":
            print(yaml.safe_dump_all([each.definition() for each in CUSTOM_RESOURCES], sort_keys=False), end="")
        case _:
            print(version("ecs-operator"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
