"""What ends a start, and with which exit code. The rest of the process's life is in tests/e2e/test_informer.py."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from ecs_operator.app.main import main
from ecs_operator.app.settings import Settings
from tests.unit.kube.stage import kubeconfig


def told(capsys: pytest.CaptureFixture[str]) -> str:
    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert line["level"] == "CRITICAL"
    return str(line["message"])


def test_a_kubeconfig_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(Settings(kubeconfig=tmp_path / "absent", identity="me")) == 2
    assert told(capsys) == f"cannot start: cannot read {tmp_path / 'absent'}: FileNotFoundError"


def test_not_in_a_pod_and_no_kubeconfig(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert main(Settings(identity="me")) == 2
    assert "give --kubeconfig" in told(capsys)


def test_the_probes_port_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(kubeconfig=kubeconfig(tmp_path / "k", server="http://127.0.0.1:9", token="t"), identity="me", probe_port=port)
        assert main(settings) == 2
    assert told(capsys).startswith(f"cannot start: cannot listen on 127.0.0.1:{port}: ")
