"""Building images without a daemon: buildah with chroot isolation, on a base that debootstrap made."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ecs_lab.process import child_environment
from ecs_lab.repository import cache_folder, repository_root

_BASE_NAME = "localhost/ecs-test-base:bookworm"
_BASE_PACKAGES = "python3,python3-venv,ca-certificates"
_HOST_CERTIFICATES = Path("/etc/ssl/certs")


class BuildError(Exception):
    """A command of the builder failed; the message ends with what it said."""


def why_not() -> str | None:
    """Why no image can be built on this machine; None when one can."""
    if shutil.which("buildah") is None:
        return "buildah is not installed (on Debian: apt-get install buildah debootstrap)"
    if "ECS_TEST_BASE_IMAGE" in os.environ:
        return None
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        return "no base image: set ECS_TEST_BASE_IMAGE to one with Python 3.11 or newer, or run as root with debootstrap installed"
    return None


async def run(*command: str | Path, seconds: float = 600) -> str:
    """Run a command and return its output; raises BuildError when it fails."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=child_environment(),
    )
    try:
        async with asyncio.timeout(seconds):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = output.decode(errors="replace")
    if process.returncode != 0:
        raise BuildError(f"{command[0]} ended with {process.returncode}:\n{text[-3000:]}")
    return text.strip()


@dataclass(frozen=True, kw_only=True)
class Builder:
    """buildah with a store of its own in ``folder``."""

    folder: Path

    def command(self, *arguments: str | Path) -> tuple[str | Path, ...]:
        """The command line of buildah."""
        store = ("--root", self.folder / "store", "--runroot", self.folder / "run", "--storage-driver", "vfs")
        return (shutil.which("buildah") or "buildah", *store, *arguments)

    async def __call__(self, *arguments: str | Path) -> str:
        """Run buildah."""
        return await run(*self.command(*arguments))

    async def base(self) -> str:
        """Name of an image with Python: the one that is named by ECS_TEST_BASE_IMAGE, else one made of Debian's packages."""
        named = os.environ.get("ECS_TEST_BASE_IMAGE")
        if named:
            return named
        container = await self("from", "scratch")
        await self("add", "--quiet", container, await _root_file_system(), "/")
        await self("commit", "--quiet", "--rm", container, _BASE_NAME)
        return _BASE_NAME

    async def build(self, *, base: str, target: str, tag: str) -> None:
        """Build one target of the Dockerfile. Packages come from where pip of this machine gets them."""
        index = os.environ.get("PIP_INDEX_URL")
        certificate = _HOST_CERTIFICATES / "ca-certificates.crt"
        lines = ["[global]", *([f"index-url = {index}"] if index else []), *([f"cert = {certificate}"] if certificate.exists() else [])]
        pip = self.folder / "pip.conf"
        pip.write_text("\n".join(lines) + "\n")
        trust = ("--volume", f"{_HOST_CERTIFICATES}:{_HOST_CERTIFICATES}:ro") if certificate.exists() else ()
        arguments = ("--build-arg", f"BASE_IMAGE={base}", "--build-arg", "REVISION=0123abc", "--secret", f"id=pip,src={pip}")
        await self("build", "--isolation", "chroot", *arguments, *trust, "--target", target, "--tag", tag, repository_root())


async def _root_file_system() -> Path:
    """A Debian with Python as one archive, made once and kept in the user's cache."""
    kept = cache_folder() / "test-base" / "bookworm.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        folder, unfinished = kept.with_name("bookworm"), kept.with_name(".bookworm.tar")
        shutil.rmtree(folder, ignore_errors=True)
        await run("debootstrap", "--variant=minbase", f"--include={_BASE_PACKAGES}", "bookworm", folder, seconds=900)
        await run("tar", "--create", "--file", unfinished, "--directory", folder, "--exclude=./var/cache/apt/archives/*.deb", ".")
        shutil.rmtree(folder)
        unfinished.replace(kept)
    return kept
