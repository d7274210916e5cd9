"""Calls to the admin API of a running simulator."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from typing import Any, TypeAlias

Answer: TypeAlias = dict[str, Any]

DEFAULT_ADMIN = "http://127.0.0.1:8775"
TIMEOUT_SECONDS = 30


class RemoteError(Exception):
    """The call was refused (exit status 1), makes no sense (2), or nobody answered (3)."""

    def __init__(self, message: str, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = exit_status


class Remote:
    """The admin API under one URL."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise RemoteError(f"--admin {url}: is no URL; give one such as {DEFAULT_ADMIN}", 2)
        self._url = url.rstrip("/")
        # Never by a proxy: the simulator is on this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, method: str, path: str, body: object = None, *, query: Mapping[str, str | int | None] | None = None) -> Answer:
        """Do one call and return its JSON object; RemoteError if it is refused or nobody answers."""
        data = None if body is None else json.dumps(body).encode()
        with self._answer(method, path, data, query) as answer:
            content: Answer = json.load(answer)
        return content

    def lines(self, path: str) -> Generator[str, None, None]:
        """Yield the lines of an answer that does not end, until the simulator does."""
        with self._answer("GET", path, None, None, seconds=None) as answer:
            for line in answer:
                yield line.decode(errors="replace").rstrip("\r\n")

    @contextmanager
    def _answer(
        self,
        method: str,
        path: str,
        data: bytes | None,
        query: Mapping[str, str | int | None] | None,
        *,
        seconds: float | None = TIMEOUT_SECONDS,
    ) -> Generator[HTTPResponse, None, None]:
        given = {name: str(value) for name, value in (query or {}).items() if value is not None}
        url = f"{self._url}/_sim/{urllib.parse.quote(path)}" + (f"?{urllib.parse.urlencode(given)}" if given else "")
        request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})  # noqa: S310
        try:
            with self._opener.open(request, timeout=seconds) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            with error:
                raise RemoteError(_text(error.read()) or f"the simulator answered {error.code}", 1) from error
        except (OSError, ValueError, HTTPException) as error:
            reason = getattr(error, "reason", error)
            way_out = "start one with `ecs-simulator serve`, or name its admin port with --admin"
            raise RemoteError(f"no simulator answers at {self._url} ({reason}); {way_out}", 3) from error


def show(answer: Answer) -> int:
    """Print an answer as JSON and return the exit status of success."""
    print(json.dumps(answer, indent=2, ensure_ascii=sys.stdout.encoding.lower() != "utf-8"))
    return 0


def _text(raw: bytes) -> str:
    try:
        return str(json.loads(raw)["error"])
    except (ValueError, LookupError, TypeError):
        return ""
