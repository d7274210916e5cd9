import base64
from pathlib import Path

import yaml

from ecs_lab.kubeconfig import render_kubeconfig, write_private


def test_one_context_with_address_authority_token_and_namespace() -> None:
    text = render_kubeconfig(server="https://127.0.0.1:6443", token="t0ken", authority=b"PEM", namespace="shop")

    assert yaml.safe_load(text) == {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "ecs-lab",
        "clusters": [
            {
                "name": "ecs-lab",
                "cluster": {"server": "https://127.0.0.1:6443", "certificate-authority-data": base64.b64encode(b"PEM").decode()},
            }
        ],
        "users": [{"name": "ecs-lab", "user": {"token": "t0ken"}}],
        "contexts": [{"name": "ecs-lab", "context": {"cluster": "ecs-lab", "user": "ecs-lab", "namespace": "shop"}}],
    }


def test_a_plain_proxy_needs_no_authority() -> None:
    text = render_kubeconfig(server="http://127.0.0.1:8001", token="t0ken", authority=None)

    assert yaml.safe_load(text)["clusters"][0]["cluster"] == {"server": "http://127.0.0.1:8001"}


def test_files_with_tokens_are_for_the_user_only(tmp_path: Path) -> None:
    path = write_private(tmp_path / "deep" / "kubeconfig", "first")
    write_private(path, "second")

    assert path.read_text() == "second"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["kubeconfig"]
