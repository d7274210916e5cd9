from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecs_operator.kube.credentials import Access, Credentials, CredentialsError, KubeconfigFile, ServiceAccountFiles
from tests.unit.kube.stage import kubeconfig

PEM = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"


def with_cluster(path: Path, **cluster: Any) -> Path:
    kubeconfig(path, server="https://k:6443/", token="t")
    document = yaml.safe_load(path.read_text())
    document["clusters"][0]["cluster"] |= cluster
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_kubeconfig_is_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(PEM)
    inline = with_cluster(tmp_path / "inline", **{"certificate-authority-data": base64.b64encode(PEM.encode()).decode()})
    by_name = with_cluster(tmp_path / "by-name", **{"certificate-authority": "ca.pem"})
    wanted = Access(server="https://k:6443", authority=PEM, token="t")
    assert KubeconfigFile(inline).read() == KubeconfigFile(by_name).read() == wanted
    assert KubeconfigFile(kubeconfig(tmp_path / "plain", server="http://p:1")).read() == Access("http://p:1", None, None)
    assert "token" not in repr(wanted)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", "is empty"),
        ("{a: hunter2: b}", "is not YAML"),
        ("{}", "has no context named None"),
        ("{current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}]}", "has no cluster named 'k'"),
    ],
    ids=["empty", "broken", "no context", "no cluster"],
)
def test_a_bad_kubeconfig_is_told_without_its_content(content: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(content)
    with pytest.raises(CredentialsError, match=text) as raised:
        KubeconfigFile(path).read()
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("user", [{"exec": {}}, {"client-certificate": "x"}, {"client-certificate-data": "x"}, {"username": "x"}])
def test_other_ways_to_log_in_are_refused_by_name(user: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match=next(iter(user))):
        KubeconfigFile(kubeconfig(tmp_path / "k", server="https://k", **user)).read()


@pytest.mark.parametrize("cluster", [{"insecure-skip-tls-verify": True}, {"certificate-authority-data": "%"}, {"server": ""}])
def test_what_would_not_be_safe_is_refused(cluster: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(CredentialsError):
        KubeconfigFile(with_cluster(tmp_path / "k", **cluster)).read()


def test_a_changed_file_is_read_again_and_a_broken_one_is_waited_out(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "k", server="https://k", token="one")
    credentials = Credentials(KubeconfigFile(path))
    assert credentials.current() is credentials.current()
    path.write_text("")
    assert credentials.current().token == "one"
    kubeconfig(path, server="https://k", token="three")
    assert credentials.current().token == "three"
    (tmp_path / "token").write_text("four\n")
    kubeconfig(path, server="https://k", tokenFile="token")
    assert credentials.current().token == "four"
    (tmp_path / "token").write_text("five\n")
    os.utime(tmp_path / "token", (1, 1))
    assert credentials.current().token == "five"


def test_the_pods_account_is_read(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t\n")
    (tmp_path / "ca.crt").write_text(PEM)
    environment = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}
    assert ServiceAccountFiles(environment=environment, directory=tmp_path).read() == Access("https://10.0.0.1:443", PEM, "t")
    six = {**environment, "KUBERNETES_SERVICE_HOST": "fd00::1"}
    assert ServiceAccountFiles(environment=six, directory=tmp_path).read().server == "https://[fd00::1]:443"
    with pytest.raises(CredentialsError, match="--kubeconfig"):
        ServiceAccountFiles(environment={}, directory=tmp_path).read()
    (tmp_path / "token").unlink()
    with pytest.raises(CredentialsError, match="token"):
        ServiceAccountFiles(environment=environment, directory=tmp_path).read()
