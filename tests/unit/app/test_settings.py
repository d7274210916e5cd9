from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from ecs_operator.app.settings import Settings, add_flags, from_flags


def settings(*arguments: str, **environment: str) -> Settings:
    parser = argparse.ArgumentParser()
    add_flags(parser, environment={f"ECS_OPERATOR_{name}": value for name, value in environment.items()})
    return from_flags(parser.parse_args(arguments))


def test_the_defaults() -> None:
    found = settings()
    assert found.identity
    assert found == Settings(identity=found.identity)
    assert (found.kubeconfig, found.namespace, found.watch_namespaces) == (None, "ecs-operator-system", ())
    assert (found.create_deadline, found.gateway_timeout, found.list_lag, found.lease_duration) == (60, 60, 30, 30)


def test_all_flags() -> None:
    found = settings(
        *("--kubeconfig", "/k", "--namespace", "n", "--watch-namespace", "a", "--watch-namespace", "b", "--identity", "me"),
        *("--lease-duration", "25", "--allow-http", "--probe-host", "0.0.0.0", "--probe-port", "9000", "--log-format", "text"),
        *("--log-level", "debug", "--create-deadline", "1.5", "--gateway-timeout", "2", "--list-lag", "0", "--workers", "4"),
        *("--details-period", "600"),
        *("--orphan-age", "60"),
    )
    assert found == Settings(
        kubeconfig=Path("/k"),
        namespace="n",
        watch_namespaces=("a", "b"),
        identity="me",
        lease_duration=25.0,
        allow_http=True,
        probe_host="0.0.0.0",
        probe_port=9000,
        log_format="text",
        log_level="DEBUG",
        create_deadline=1.5,
        gateway_timeout=2.0,
        list_lag=0.0,
        details_period=600.0,
        orphan_age=60.0,
        workers=4,
    )


def test_each_flag_is_an_environment_variable_too_and_goes_before_it() -> None:
    environment = {
        "KUBECONFIG": "/k",
        "NAMESPACE": "n",
        "WATCH_NAMESPACE": "a, b,",
        "IDENTITY": "me",
        "LEASE_DURATION": "25",
        "ALLOW_HTTP": "true",
        "PROBE_HOST": "::",
        "PROBE_PORT": "9000",
        "LOG_FORMAT": "text",
        "LOG_LEVEL": "warning",
        "CREATE_DEADLINE": "10",
        "GATEWAY_TIMEOUT": "20",
        "LIST_LAG": "5",
        "WORKERS": "4",
    }
    found = settings(**environment)
    assert (found.kubeconfig, found.namespace, found.watch_namespaces, found.identity) == (Path("/k"), "n", ("a", "b"), "me")
    assert (found.lease_duration, found.allow_http, found.probe_host, found.probe_port) == (25.0, True, "::", 9000)
    assert (found.log_format, found.log_level, found.create_deadline) == ("text", "WARNING", 10.0)
    assert (found.gateway_timeout, found.list_lag, found.workers) == (20.0, 5.0, 4)
    given = settings("--namespace", "x", "--watch-namespace", "b", "--watch-namespace", "c", "--no-allow-http", **environment)
    assert (given.namespace, given.watch_namespaces, given.allow_http) == ("x", ("a", "b", "c"), False)


@pytest.mark.parametrize(
    ("arguments", "environment", "text"),
    [
        (("--workers", "0"), {}, "must be from 1 to 256"),
        (("--lease-duration", "19"), {}, "must be at least 20"),
        (("--lease-duration", "nan"), {}, "must be at least 20"),
        (("--probe-port", "70000"), {}, "must be from 0 to 65535"),
        (("--log-format", "xml"), {}, "invalid choice"),
        ((), {"LOG_LEVEL": "LOUD"}, "ECS_OPERATOR_LOG_LEVEL: invalid choice"),
        ((), {"WORKERS": "many"}, "--workers"),
        ((), {"LIST_LAG": "-1"}, "must be at least 0"),
    ],
)
def test_what_is_wrong_is_named(
    arguments: tuple[str, ...], environment: dict[str, str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        settings(*arguments, **environment)
    assert raised.value.code == 2
    assert text in capsys.readouterr().err


def test_a_truth_value_must_be_one() -> None:
    with pytest.raises(SystemExit, match="ECS_OPERATOR_ALLOW_HTTP: 'perhaps' is neither true nor false"):
        settings(ALLOW_HTTP="perhaps")
