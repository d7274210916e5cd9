"""A terminal for what readers type."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ecs_lab.process import child_environment

ECS, IAM = "https://ecs.eu-west-0.example.com", "https://iam.eu-west-0.example.com"
NAMESPACE = "shop"
_ASSIGNMENT = re.compile(r"\w+='[^']*'")


@dataclass(frozen=True, kw_only=True)
class Shell:
    """A terminal in an empty folder, with kubectl's context set to the namespace of the pages."""

    folder: Path
    environment: Mapping[str, str]
    addresses: Mapping[str, str]
    """Addresses of this machine, and what stands for them in pages; the longer one first."""
    assigned: list[str] = field(default_factory=list)
    """Variables that were set."""

    def written(self, text: str) -> str:
        """What readers see, as it works here."""
        for address, shown in self.addresses.items():
            text = text.replace(shown, address)
        return text

    async def run(self, command: str) -> tuple[int, str]:
        """Exit code, and all that was written."""
        if _ASSIGNMENT.fullmatch(command):
            self.assigned.append(command)
            return 0, ""
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", self.written("\n".join([*self.assigned, command]))),
            cwd=self.folder,
            env=child_environment(self.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(120):
            output, _ = await process.communicate()
        return process.returncode or 0, output.decode()
