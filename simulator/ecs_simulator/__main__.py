"""``python -m ecs_simulator``."""

import sys

from ecs_simulator.cli import main

if __name__ == "__main__":
    sys.exit(main())
