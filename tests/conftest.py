"""What all levels share: the fixtures of the laboratory."""

pytest_plugins = ["ecs_lab.pytest_plugin"]
