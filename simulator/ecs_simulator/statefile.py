"""The world in a file, so that it survives a restart. Written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

FORMAT = 1


class StateError(ValueError):
    """The file cannot be used; the text says why."""


def write_atomically(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Replace a file by a text: a reader sees the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
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
