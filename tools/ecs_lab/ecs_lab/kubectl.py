"""Running kubectl against one kubeconfig, and no other."""

import asyncio
import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ecs_lab.errors import KubectlError
from ecs_lab.process import child_environment


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """The program, the kubeconfig it uses and the folder for its discovery cache."""

    program: Path
    kubeconfig: Path
    cache: Path

    async def __call__(
        self, *args: str, stdin: str | None = None, namespace: str | None = None, accept: Collection[int] = (0,), seconds: float = 120
    ) -> str:
        """Run it and return its standard output.

        Raises KubectlError when it ends with anything but an accepted code, or does not end in time (then with returncode -9).
        """
        scope = ("--namespace", namespace) if namespace else ()
        process = await asyncio.create_subprocess_exec(
            self.program,
            *("--kubeconfig", self.kubeconfig, "--cache-dir", self.cache, *scope),
            *args,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=child_environment(),
        )
        command = f"kubectl {' '.join(args)}"
        try:
            async with asyncio.timeout(seconds):
                stdout, stderr = await process.communicate(None if stdin is None else stdin.encode())
        except TimeoutError:
            raise KubectlError(command, returncode=-9, stderr=f"no end after {seconds:g} s") from None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode not in accept:
            raise KubectlError(command, returncode=process.returncode or -1, stderr=stderr.decode(errors="replace"))
        return stdout.decode()
