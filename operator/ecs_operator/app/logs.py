"""Log lines: JSON or text, each with the object and the pass it belongs to. Nothing secret may reach them, so nothing is masked here."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal, TextIO

from ecs_operator.engine.correlation import CURRENT_PASS

CLOUD_REQUEST_ID = "cloud_request_id"
"""``extra`` with this name puts the cloud's request id into the line."""

_QUIET = ("kopf", "kopf.objects", "httpx", "httpcore", "aiohttp.access", "asyncio")
"""They tell every event or every request."""


class _Correlate(logging.Filter):
    """Adds the object's key and the pass's id where the line is written: a formatter may run in another context."""

    def filter(self, record: logging.LogRecord) -> bool:
        current = CURRENT_PASS.get()
        record.object_key = str(current.key) if current else None
        record.reconcile_id = current.reconcile_id if current else None
        return True


class _Tame(logging.Filter):
    """kopf tells a failed request as an error, with the answer's body. It is tried again, and no body may be logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("kopf"):
            head, arrow, answer = record.getMessage().partition(" -> ")
            record.msg, record.args = head + arrow + answer.partition("(")[0], ()
            record.levelno = min(record.levelno, logging.WARNING)
            record.levelname = logging.getLevelName(record.levelno)
        return True


def _fields(record: logging.LogRecord) -> dict[str, str]:
    named = {
        "object": getattr(record, "object_key", None),
        "reconcileId": getattr(record, "reconcile_id", None),
        "cloudRequestId": getattr(record, CLOUD_REQUEST_ID, None),
    }
    return {name: str(value) for name, value in named.items() if value}


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without its end."""
        line = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """For people: time, level, message, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without its end; a traceback follows on lines of its own."""
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{_time(record)} {record.levelname:<7} {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def set_up(*, form: Literal["json", "text"], level: str, stream: TextIO | None = None) -> None:
    """Send all logging of the process to ``stream`` (standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    handler.addFilter(_Correlate())
    handler.addFilter(_Tame())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # kopf warns that it takes no signals in its thread; that is what the thread is for.
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
