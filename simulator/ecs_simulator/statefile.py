"""The world in a file, so that it survives a restart. Written whole or not at all, and by one simulator at a time."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMAT = 1


class StateError(ValueError):
    """The file cannot be used; the text says why."""


def write_atomically(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace a file by a text: a reader sees the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path))
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def save(path: Path, content: dict[str, Any]) -> None:
    """Write a state file. It holds passwords and keys, so only its owner may read it."""
    write_atomically(path, json.dumps({"format": FORMAT, **content}, separators=(",", ":")))


def load(path: Path) -> dict[str, Any] | None:
    """Read a state file, None if there is none yet; StateError if it is none of ours."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"{path}: cannot be read: {error}") from error
    try:
        content = json.loads(text)
    except ValueError as error:
        raise StateError(f"{path}: is no state file (not JSON); move it away to start afresh") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise StateError(f"{path}: is no state file of format {FORMAT}; move it away to start afresh")
    return content


@dataclass(frozen=True, slots=True)
class Claim:
    """A state file that only this process writes, and the descriptor that says so."""

    path: Path
    handle: int


@contextmanager
def claimed(path: Path) -> Generator[Claim, None, None]:
    """Keep a state file to this process while the context lasts; StateError if another simulator has it, or it cannot be written.

    What a simulator that was killed left half written is removed. The lock beside the file stays: removing it would be a race.
    """
    if path.is_dir():
        raise StateError(f"{path}: is a folder; name a file in it")
    lock = path.with_name(f"{_prefix(path)}lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StateError(f"{path}: cannot be written: {error}") from error
    try:
        _lock(handle, path)
        for leftover in path.parent.glob(f"{_prefix(path)}*"):
            if leftover != lock:
                leftover.unlink(missing_ok=True)
        yield Claim(path, handle)
    finally:
        os.close(handle)


def _prefix(path: Path) -> str:
    return f".{path.name}."


def _lock(handle: int, path: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl  # noqa: PLC0415 -- not on every system

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StateError(f"{path}: another simulator keeps its world there; end it, or name another file") from error
