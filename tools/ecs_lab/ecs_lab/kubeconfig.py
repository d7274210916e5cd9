"""Kubeconfig files with one cluster, one user and one context."""

import base64
from pathlib import Path

import yaml


def render_kubeconfig(*, server: str, token: str, authority: bytes | None, namespace: str = "default", name: str = "ecs-lab") -> str:
    """The text of a kubeconfig. `authority` is the PEM of the server's authority; None for a plain http server, e.g. a local proxy."""
    cluster: dict[str, str] = {"server": server}
    if authority is not None:
        cluster["certificate-authority-data"] = base64.b64encode(authority).decode("ascii")
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
    }
    return yaml.safe_dump(document, sort_keys=False)


def write_private(path: Path, text: str) -> Path:
    """Write a file that only the user may read, in one step; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(text, encoding="utf-8")
    return unfinished.replace(path)
