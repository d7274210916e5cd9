"""Where the API server is and how to speak to it: from a kubeconfig, or from the pod's own ServiceAccount."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class CredentialsError(Exception):
    """The kubeconfig or the pod's environment does not say how to reach the API server."""


@dataclass(frozen=True, slots=True)
class Access:
    """One reading of the sources. ``authority`` holds PEM certificates; None trusts the system's. ``token`` may be None for a proxy."""

    server: str
    authority: str | None
    token: str | None = field(repr=False)


class KubeconfigFile:
    """Reads one kubeconfig (its current context), again whenever it or the token file it names changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._token_file: Path | None = None

    def watched(self) -> tuple[Path, ...]:
        """The files whose change means that ``read`` gives something else."""
        return (self._path, self._token_file) if self._token_file else (self._path,)

    def read(self) -> Access:
        """Raises CredentialsError."""
        document = self._document()
        context = self._entry(document, "contexts", document.get("current-context"), "context")
        cluster = self._entry(document, "clusters", context.get("cluster"), "cluster")
        user = self._entry(document, "users", context.get("user"), "user")
        server = cluster.get("server")
        if not isinstance(server, str) or not server:
            raise CredentialsError(f"the kubeconfig {self._path} names no server")
        for unsupported in ("client-certificate", "client-certificate-data", "exec", "auth-provider", "username"):
            if unsupported in user:
                raise CredentialsError(f"the kubeconfig {self._path} logs in by {unsupported}; only token and tokenFile are supported")
        token = user.get("token")
        self._token_file = self._path.parent / user["tokenFile"] if user.get("tokenFile") else None
        if self._token_file:
            token = _text(self._token_file).strip()
        return Access(server=server.rstrip("/"), authority=self._authority(cluster), token=token or None)

    def _authority(self, cluster: Mapping[str, Any]) -> str | None:
        if data := cluster.get("certificate-authority-data"):
            try:
                return base64.b64decode(data, validate=True).decode("ascii")
            except (binascii.Error, UnicodeDecodeError) as error:
                raise CredentialsError(f"certificate-authority-data in {self._path} is not base64 of PEM") from error
        if file := cluster.get("certificate-authority"):
            return _text(self._path.parent / file)
        if cluster.get("insecure-skip-tls-verify"):
            raise CredentialsError(f"the kubeconfig {self._path} skips the verification of the server, which is not supported")
        return None

    def _entry(self, document: Mapping[str, Any], section: str, name: object, inner: str) -> Mapping[str, Any]:
        for each in document.get(section) or ():
            if isinstance(each, dict) and each.get("name") == name:
                found = each.get(inner)
                return found if isinstance(found, dict) else {}
        raise CredentialsError(f"the kubeconfig {self._path} has no {inner} named {name!r}")

    def _document(self) -> Mapping[str, Any]:
        try:
            document = yaml.safe_load(_text(self._path))
        except yaml.YAMLError:
            # Not the parser's own words: they quote the line, which may hold the token.
            raise CredentialsError(f"the kubeconfig {self._path} is not YAML") from None
        if not isinstance(document, dict):
            raise CredentialsError(f"the kubeconfig {self._path} is empty")
        return document


class ServiceAccountFiles:
    """The pod's own account, as the kubelet mounts and renews it."""

    def __init__(self, *, environment: Mapping[str, str], directory: Path = SERVICE_ACCOUNT) -> None:
        self._environment = environment
        self._directory = directory

    def watched(self) -> tuple[Path, ...]:
        """The files whose change means that ``read`` gives something else."""
        return (self._directory / "token", self._directory / "ca.crt")

    def read(self) -> Access:
        """Raises CredentialsError."""
        host, port = self._environment.get("KUBERNETES_SERVICE_HOST"), self._environment.get("KUBERNETES_SERVICE_PORT")
        if not host or not port:
            raise CredentialsError("not in a pod (KUBERNETES_SERVICE_HOST is not set); give --kubeconfig")
        bracketed = f"[{host}]" if ":" in host else host
        return Access(
            server=f"https://{bracketed}:{port}",
            authority=_text(self._directory / "ca.crt"),
            token=_text(self._directory / "token").strip() or None,
        )


Source = KubeconfigFile | ServiceAccountFiles


class Credentials:
    """The current access. Safe to be asked from any thread: reading is idempotent, and the last reading wins."""

    def __init__(self, source: Source) -> None:
        """Read once. Raises CredentialsError."""
        self._source = source
        self._access = source.read()
        self._stamp = self._stamps()

    def current(self) -> Access:
        """The access as the files say now; the last good one while they cannot be read (a file is just being replaced)."""
        before = self._stamps()
        if before != self._stamp:
            try:
                self._access = self._source.read()
            except CredentialsError:
                return self._access
            # The files as they were before the reading: a change during it is seen next time.
            after = self._stamps()
            self._stamp = before if len(before) == len(after) else after
        return self._access

    def _stamps(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_stamp(path) for path in self._source.watched())


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CredentialsError(f"cannot read {path}: {type(error).__name__}") from error
