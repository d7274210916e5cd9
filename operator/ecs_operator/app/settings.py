"""What the process can be told: flags of ``ecs-operator run``, each also an environment variable ``ECS_OPERATOR_…``."""

from __future__ import annotations

import argparse
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

_PREFIX = "ECS_OPERATOR_"
_TRUE, _FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"", "0", "false", "no", "off"})
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All times are seconds."""

    kubeconfig: Path | None = None
    """None: the pod's own ServiceAccount."""
    namespace: str = "ecs-operator-system"
    watch_namespaces: tuple[str, ...] = ()
    """Empty: all of them."""
    identity: str = ""
    lease_duration: float = 30.0
    allow_http: bool = False
    probe_host: str = "127.0.0.1"
    probe_port: int = 8080
    log_format: Literal["json", "text"] = "json"
    log_level: str = "INFO"
    create_deadline: float = 60.0
    gateway_timeout: float = 60.0
    list_lag: float = 30.0
    details_period: float = 3600.0
    orphan_age: float = 1800.0
    workers: int = 16


def add_flags(parser: argparse.ArgumentParser, *, environment: Mapping[str, str]) -> None:
    """Add the flags of ``run``. A flag goes before its environment variable, that one before the default."""
    defaults = Settings(identity=socket.gethostname())
    add = _Adder(parser, environment)
    add("--kubeconfig", Path, None, "kubeconfig to use; without it the ServiceAccount of the pod")
    add("--namespace", str, defaults.namespace, "the operator's own namespace, for its lease and identity")
    parser.add_argument(
        "--watch-namespace",
        dest="watch_namespaces",
        action="append",
        metavar="NS",
        default=_split(environment.get(f"{_PREFIX}WATCH_NAMESPACE", "")),
        help="look after objects in this namespace only; may be repeated (in the environment: separated by commas)",
    )
    add("--identity", str, defaults.identity, "holder of the lease; a restart with the same one takes its lease back at once")
    add("--lease-duration", _seconds(20), defaults.lease_duration, "seconds a rival waits after the last renewal; a change needs 10")
    parser.add_argument(
        "--allow-http",
        action=argparse.BooleanOptionalAction,
        default=_boolean(f"{_PREFIX}ALLOW_HTTP", environment),
        help="accept endpoints of the cloud without TLS (for tests)",
    )
    add("--probe-host", str, defaults.probe_host, "address of /livez and /readyz")
    add("--probe-port", _whole(0, 65535), defaults.probe_port, "port of /livez and /readyz")
    add("--log-format", str, defaults.log_format, "json or text", choices=("json", "text"))
    add("--log-level", str.upper, defaults.log_level, "DEBUG, INFO, WARNING or ERROR", choices=_LEVELS)
    add("--create-deadline", _seconds(1), defaults.create_deadline, "seconds until a create request is given up")
    add("--gateway-timeout", _seconds(0), defaults.gateway_timeout, "seconds the cloud's gateway may hold a request back")
    add("--list-lag", _seconds(0), defaults.list_lag, "seconds until a new server is certainly in the cloud's list")
    text = "seconds in which one detail of each server is read again that no list shows; 0: never"
    add("--details-period", _seconds(0), defaults.details_period, text)
    add("--orphan-age", _seconds(0), defaults.orphan_age, "seconds a server must be old to be reported when its object is gone")
    add("--workers", _whole(1, 256), defaults.workers, "objects worked on at the same time")


def from_flags(options: argparse.Namespace) -> Settings:
    """The settings of a parsed command line."""
    given = {name: value for name, value in vars(options).items() if name in Settings.__dataclass_fields__}
    # A repeated flag adds to the list of the environment; the same namespace twice would be watched twice.
    return Settings(**{**given, "watch_namespaces": tuple(dict.fromkeys(given["watch_namespaces"]))})


class _Adder:
    """Adds flags whose default comes from the environment."""

    def __init__(self, parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
        self._parser, self._environment = parser, environment

    def __call__(self, flag: str, kind: Callable[[str], Any], default: object, text: str, *, choices: Sequence[str] | None = None) -> None:
        name = _PREFIX + flag.removeprefix("--").replace("-", "_").upper()
        given = self._environment.get(name)
        if given is not None and choices is not None and kind(given) not in choices:
            self._parser.error(f"{name}: invalid choice: {given!r} (choose from {', '.join(choices)})")
        # argparse converts a default that is a string like one from the command line.
        shown = default if given is None else given
        self._parser.add_argument(flag, type=kind, default=shown, choices=choices, help=f"{text} (${name}, default: {default})")


def _seconds(least: float) -> Callable[[str], float]:
    def seconds(text: str) -> float:
        value = float(text)
        if not least <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"must be at least {least:g}")
        return value

    return seconds


def _whole(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be from {least} to {most}")
        return value

    return number


def _boolean(name: str, environment: Mapping[str, str]) -> bool:
    text = environment.get(name, "").strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise SystemExit(f"{name}: {text!r} is neither true nor false")


def _split(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]
