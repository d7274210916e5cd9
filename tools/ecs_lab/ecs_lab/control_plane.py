"""A real Kubernetes control plane as processes on this machine: etcd, kube-apiserver, kube-controller-manager."""

import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from ecs_lab.binaries import Binaries, find_binaries
from ecs_lab.certificates import Credentials, credentials
from ecs_lab.kubeconfig import render_kubeconfig, write_private
from ecs_lab.kubectl import Kubectl
from ecs_lab.ports import free_ports
from ecs_lab.process import Process
from ecs_lab.progress import OnProgress, silent
from ecs_lab.repository import made
from ecs_lab.waiting import until

# What Helm, Argo CD and our own kinds need of the controller-manager; there are no nodes, so nothing ever runs in a pod.
CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "deployment-controller",
    "disruption-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "replicaset-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "validatingadmissionpolicy-status-controller",
)
_READY_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The ports of one control plane, all on 127.0.0.1."""

    etcd: int
    etcd_peer: int
    apiserver: int
    controller_manager: int


def etcd_command(binaries: Binaries, *, data: Path, ports: Ports) -> tuple[str | Path, ...]:
    """How etcd is started. It does not wait for the disk: only the loss of the machine, not of the process, loses writes."""
    client, peer = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd_peer}"
    return (
        binaries.etcd,
        f"--data-dir={data}",
        "--unsafe-no-fsync",
        "--log-level=warn",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--quota-backend-bytes=8589934592",
    )


def apiserver_command(binaries: Binaries, *, files: Credentials, token_file: Path, ports: Ports) -> tuple[str | Path, ...]:
    """How the API server is started: RBAC, the default admission plugins, tokens of ServiceAccounts, one static token for the admin."""
    return (
        binaries.kube_apiserver,
        f"--etcd-servers=http://127.0.0.1:{ports.etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={ports.apiserver}",
        # The endpoints of the service "kubernetes" may not be loopback addresses, and nobody looks them up here.
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.96.0.0/16",
        f"--tls-cert-file={files.serving_certificate}",
        f"--tls-private-key-file={files.serving_key}",
        f"--token-auth-file={token_file}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={files.account_public_key}",
        f"--service-account-signing-key-file={files.account_private_key}",
        "--profiling=false",
        "--shutdown-delay-duration=0s",
    )


def controller_manager_command(binaries: Binaries, *, files: Credentials, kubeconfig: Path, ports: Ports) -> tuple[str | Path, ...]:
    """How the controller-manager is started: as the admin, without leader election."""
    return (
        binaries.kube_controller_manager,
        f"--kubeconfig={kubeconfig}",
        "--bind-address=127.0.0.1",
        f"--secure-port={ports.controller_manager}",
        f"--controllers={','.join(CONTROLLERS)}",
        "--leader-elect=false",
        f"--service-account-private-key-file={files.account_private_key}",
        f"--root-ca-file={files.authority}",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--profiling=false",
    )


class ControlPlane:
    """A running control plane. Belongs to no event loop; made by `control_plane()`."""

    def __init__(self, *, directory: Path, binaries: Binaries, ports: Ports) -> None:
        self.directory = directory
        self.binaries = binaries
        self.server = f"https://127.0.0.1:{ports.apiserver}"
        self.admin_kubeconfig = directory / "admin.kubeconfig"
        self.admin_token = secrets.token_urlsafe(24)
        self._files = credentials(directory / "credentials")
        self.ca_file = self._files.authority
        self.kubectl = Kubectl(program=binaries.kubectl, kubeconfig=self.admin_kubeconfig, cache=directory / "kubectl-cache")
        token_file = directory / "credentials" / "tokens.csv"
        write_private(token_file, f"{self.admin_token},admin,admin,system:masters\n")
        self.write_kubeconfig(self.admin_kubeconfig, token=self.admin_token)
        logs = directory / "logs"
        self.etcd = Process("etcd", etcd_command(binaries, data=directory / "etcd", ports=ports), log_path=logs / "etcd.log")
        self.apiserver = Process(
            "kube-apiserver",
            apiserver_command(binaries, files=self._files, token_file=token_file, ports=ports),
            log_path=logs / "kube-apiserver.log",
        )
        self.controller_manager = Process(
            "kube-controller-manager",
            controller_manager_command(binaries, files=self._files, kubeconfig=self.admin_kubeconfig, ports=ports),
            log_path=logs / "kube-controller-manager.log",
        )

    def write_kubeconfig(self, path: Path, *, token: str, namespace: str = "default", server: str | None = None) -> Path:
        """Write a kubeconfig for this control plane. `server` replaces its address, e.g. by that of a proxy (plain http: no authority)."""
        address = server or self.server
        authority = self.ca_file.read_bytes() if address.startswith("https:") else None
        return write_private(path, render_kubeconfig(server=address, token=token, authority=authority, namespace=namespace))

    async def start(self, *, on_progress: OnProgress = silent) -> None:
        """Start everything and wait until objects can be created."""
        on_progress("starting etcd and kube-apiserver")
        self.etcd.start()
        await self.start_apiserver()
        on_progress("starting kube-controller-manager")
        self.controller_manager.start()
        await self._wait_healthy()

    async def start_apiserver(self) -> None:
        """Start the API server on its port and wait until it is ready."""
        self.apiserver.start()
        await self.wait_ready()

    async def kill_apiserver(self) -> None:
        """SIGKILL the API server; its port then refuses connections."""
        await self.apiserver.kill()

    async def restart_apiserver(self) -> None:
        """Kill the API server and start it again on the same port. etcd and the objects in it stay."""
        await self.kill_apiserver()
        await self.start_apiserver()

    async def wait_ready(self) -> None:
        """Wait until the API server says that it is ready."""
        trust = ssl.create_default_context(cafile=str(self.ca_file))
        headers = {"Authorization": f"Bearer {self.admin_token}"}

        def still_there() -> None:
            self.etcd.check_alive()
            self.apiserver.check_alive()

        async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=5, headers=headers) as client:

            async def ready() -> bool:
                return await _answers(client, f"{self.server}/readyz")

            await until(
                ready, seconds=_READY_SECONDS, check=still_there, what=lambda: f"kube-apiserver is not ready:\n{self.apiserver.log_tail()}"
            )

    async def _wait_healthy(self) -> None:
        """Wait until the controller-manager works: the namespace `default` has got its ServiceAccount."""

        async def account_made() -> bool:
            names = await self.kubectl("get", "serviceaccounts", "--ignore-not-found", "-o", "name", "default", namespace="default")
            return bool(names.strip())

        what = "kube-controller-manager has not made the ServiceAccount of the namespace default"
        await until(account_made, seconds=_READY_SECONDS, check=self.controller_manager.check_alive, what=what)

    async def stop(self) -> None:
        """Stop everything, in the one order that does not hang: an API server waits for its controller-manager, and for etcd."""
        try:
            await self.controller_manager.stop(grace_seconds=3)
        finally:
            try:
                await self.apiserver.stop(grace_seconds=5)
            finally:
                await self.etcd.stop(grace_seconds=5)


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == 200
    except httpx.TransportError:
        return False


@asynccontextmanager
async def control_plane(
    *, directory: Path, on_progress: OnProgress = silent, binaries: Binaries | None = None
) -> AsyncIterator[ControlPlane]:
    """A control plane of its own with data, credentials and logs in `directory`; the programs are built first if need be.

    A directory that was used before is continued: its objects are still there. Raises LaboratoryError when it does not start.
    """
    found = binaries or await find_binaries(on_progress=on_progress)
    etcd, etcd_peer, apiserver, manager = free_ports(4)
    ports = Ports(etcd=etcd, etcd_peer=etcd_peer, apiserver=apiserver, controller_manager=manager)
    running = ControlPlane(directory=made(directory), binaries=found, ports=ports)
    try:
        await running.start(on_progress=on_progress)
        yield running
    finally:
        await running.stop()
