"""Calls to the admin API of a running simulator."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import argparse

# What ``add_subparsers`` returns; its class has no public name.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
Answer: TypeAlias = dict[str, Any]

DEFAULT_ADMIN = "http://127.0.0.1:8775"
TIMEOUT_SECONDS = 30


class RemoteError(Exception):
    """The call was refused (exit status 1) or nobody answered (3)."""

    def __init__(self, message: str, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class Remote:
    """The admin API under one URL."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise RemoteError(f"{url} is no http URL", 2)
        self._url = url.rstrip("/")
        # Never by a proxy: the simulator is on this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: object = None, *, query: Mapping[str, str | int | None] | None = None) -> Answer:
        """Do one call and return its JSON object; RemoteError if it is refused or nobody answers."""
        given = {name: str(value) for name, value in (query or {}).items() if value is not None}
        url = f"{self._url}/_sim/{urllib.parse.quote(path)}" + (f"?{urllib.parse.urlencode(given)}" if given else "")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})  # noqa: S310
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                content: Answer = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise RemoteError(_text(error.read()) or f"the simulator answered {error.code}", 1) from error
        except (OSError, ValueError) as error:
            raise RemoteError(f"no simulator answers at {self._url} ({error}); start one with `ecs-simulator serve`", 3) from error
        return content


def show(answer: Answer) -> int:
    """Print an answer as JSON and return the exit status of success."""
    print(json.dumps(answer, indent=2, ensure_ascii=sys.stdout.encoding.lower() != "utf-8"))
    return 0


def _text(raw: bytes) -> str:
    try:
        return str(json.loads(raw)["error"])
    except (ValueError, LookupError, TypeError):
        return ""
