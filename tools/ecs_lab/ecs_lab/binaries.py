"""The programs of the control plane: found, or built once and kept in the user's cache folder."""

import asyncio
import fcntl
import hashlib
import os
import platform
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ecs_lab.errors import LaboratoryError
from ecs_lab.process import Process
from ecs_lab.progress import OnProgress, silent
from ecs_lab.repository import cache_folder, made, repository_root
from ecs_lab.toolchain import Go, find_go, version_numbers

# Part of the cache key: raise it when the way of building changes.
_RECIPE = "1"
_GO_VARIABLES = ("GOPROXY", "GOSUMDB", "GONOSUMDB", "GONOSUMCHECK", "GOPRIVATE", "GOMODCACHE", "GOCACHE", "GOPATH", "GOMAXPROCS")
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """Paths of the programs, and the folder they share."""

    folder: Path
    etcd: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kubectl: Path
    helm: Path


@dataclass(frozen=True, kw_only=True)
class Versions:
    """What the go.mod files pin, with a leading v."""

    kubernetes: str
    etcd: str
    helm: str
    go: str


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program to build: its file name, the folder of its module, its package and the linker's flags."""

    name: str
    module: str
    package: str
    flags: str


NAMES = ("etcd", "kubectl", "kube-apiserver", "kube-controller-manager", "helm")


def _required(text: str, module: str) -> str:
    found = re.search(rf"^\s*(?:require\s+)?{re.escape(module)}\s+(v\S+)", text, flags=re.MULTILINE)
    if found is None:
        raise LaboratoryError(f"{module} is not required by the go.mod of tools/control-plane")
    return found.group(1)


def pinned_versions(sources: Path) -> Versions:
    """The versions that the modules in tools/control-plane require."""
    main = (sources / "go.mod").read_text()
    helm = (sources / "helm" / "go.mod").read_text()
    go = re.search(r"^go (\S+)", main, flags=re.MULTILINE)
    return Versions(
        kubernetes=_required(main, "k8s.io/kubernetes"),
        etcd=_required(main, "go.etcd.io/etcd/server/v3"),
        helm=_required(helm, "helm.sh/helm/v4"),
        go=go.group(1) if go else "1.26",
    )


def cache_key(sources: Path) -> str:
    """Names the cache folder: readable versions, the platform and a digest of everything that decides what is built."""
    digest = hashlib.sha256(_RECIPE.encode())
    for name in ("go.mod", "go.sum", "helm/go.mod", "helm/go.sum"):
        digest.update(name.encode() + b"\0" + (sources / name).read_bytes())
    versions = pinned_versions(sources)
    return f"kubernetes-{versions.kubernetes}-{sys.platform}-{platform.machine()}-{digest.hexdigest()[:12]}"


def programs(versions: Versions) -> tuple[Program, ...]:
    """What to build, quickest first."""
    major, minor = version_numbers(versions.kubernetes)[:2]
    stamps = {"gitVersion": versions.kubernetes, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    kubernetes = " ".join(["-s -w", *(f"-X {package}.{name}={value}" for package in packages for name, value in stamps.items())])
    helm = f"-s -w -X helm.sh/helm/v4/internal/version.version={versions.helm} -X helm.sh/helm/v4/internal/version.gitTreeState=clean"
    package_of = {
        "etcd": "go.etcd.io/etcd/server/v3",
        "kubectl": "k8s.io/kubernetes/cmd/kubectl",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    }
    built = (Program(name=name, module=".", package=package, flags=kubernetes) for name, package in package_of.items())
    return (*built, Program(name="helm", module="helm", package="helm.sh/helm/v4/cmd/helm", flags=helm))


def binaries_in(folder: Path) -> Binaries:
    """The programs in a folder; raises LaboratoryError and names those it has not."""
    missing = [name for name in NAMES if not os.access(folder / name, os.X_OK)]
    if missing:
        raise LaboratoryError(f"{folder} has no {', '.join(missing)}")
    etcd, kubectl, kube_apiserver, kube_controller_manager, helm = (folder / name for name in NAMES)
    return Binaries(
        folder=folder,
        etcd=etcd,
        kube_apiserver=kube_apiserver,
        kube_controller_manager=kube_controller_manager,
        kubectl=kubectl,
        helm=helm,
    )


def lookup(*, assets: str | None, cached: Path) -> Binaries | None:
    """The programs named by `KUBEBUILDER_ASSETS`, else those in the cache; None when they must be built.

    A folder that is named but incomplete is an error: other versions would be run in silence.
    """
    if assets:
        try:
            return binaries_in(Path(assets).resolve())
        except LaboratoryError as error:
            raise LaboratoryError(f"KUBEBUILDER_ASSETS: {error}; unset it to use the versions this project pins") from error
    try:
        return binaries_in(cached)
    except LaboratoryError:
        return None


def cached_folder(sources: Path) -> Path:
    """The cache folder of these versions; it exists only once something was built."""
    return cache_folder() / "control-plane" / cache_key(sources)


async def find_binaries(*, on_progress: OnProgress = silent) -> Binaries:
    """The programs of the control plane, in this order: `KUBEBUILDER_ASSETS`, the cache, a build (about 7 minutes on two cores)."""
    sources = repository_root() / "tools" / "control-plane"
    cached = cached_folder(sources)
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    found = lookup(assets=assets, cached=cached)
    if found is not None:
        return found
    async with _builder_lock(cached, on_progress=on_progress):
        return lookup(assets=None, cached=cached) or await _build(sources, cached, on_progress=on_progress)


@asynccontextmanager
async def _builder_lock(cached: Path, *, on_progress: OnProgress) -> AsyncIterator[None]:
    """One builder at a time per user and version; the kernel frees the lock when its holder ends."""
    cached.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with cached.with_name(f"{cached.name}.lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                on_progress(f"waiting for another build of the control plane: {time.monotonic() - started:.0f} s")
                await asyncio.sleep(2)
        yield


async def _build(sources: Path, cached: Path, *, on_progress: OnProgress) -> Binaries:
    """Build what is missing in the cache folder. A program appears there only when it is complete."""
    versions = pinned_versions(sources)
    go = find_go(minimum=version_numbers(versions.go)[:2], on_progress=on_progress)
    made(cached)
    todo = [program for program in programs(versions) if not (cached / program.name).exists()]
    on_progress(
        f"building the control plane: Kubernetes {versions.kubernetes}, etcd {versions.etcd}, Helm {versions.helm}, once, about 7 minutes"
    )
    for number, program in enumerate(todo, start=1):
        label = f"building {program.name} ({number} of {len(todo)})"
        await _build_one(program, go=go, sources=sources, cached=cached, label=label, on_progress=on_progress)
    return binaries_in(cached)


async def _build_one(program: Program, *, go: Go, sources: Path, cached: Path, label: str, on_progress: OnProgress) -> None:
    unfinished = cached / f".{program.name}.unfinished"
    log = cached / f"{program.name}.build.log"
    log.unlink(missing_ok=True)
    compile_it: list[str | Path] = [
        go.program,
        "-C",
        sources / program.module,
        "build",
        "-v",
        "-mod=readonly",
        "-trimpath",
        "-buildvcs=false",
    ]
    process = Process(
        f"the build of {program.name}",
        [*compile_it, "-ldflags", program.flags, "-o", unfinished, program.package],
        log_path=log,
        env=_go_environment(go),
    )
    started = time.monotonic()
    on_progress(label)
    process.start()
    try:
        while await process.wait(seconds=5) is None:
            lines = log.read_text(errors="replace").splitlines()
            fetched = sum(line.startswith("go: downloading") for line in lines)
            on_progress(f"{label}: {time.monotonic() - started:.0f} s, {fetched} modules fetched, {len(lines) - fetched} packages compiled")
    finally:
        await process.kill()
    if process.returncode != 0:
        raise LaboratoryError(f"{label} failed; the end of {log}:\n{process.log_tail()}")
    unfinished.replace(cached / program.name)


def _go_environment(go: Go) -> dict[str, str]:
    """Settings of the user that say where modules come from and go to; everything that changes the result is ours."""
    kept = {name: os.environ[name] for name in (*_GO_VARIABLES, *_PROXY_VARIABLES) if name in os.environ}
    ours = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"}
    return kept | ours | ({"GOROOT": str(go.root)} if go.root else {})
