from pathlib import Path

import pytest

from ecs_lab.binaries import NAMES, Versions, cache_key, lookup, pinned_versions, programs
from ecs_lab.errors import LaboratoryError
from ecs_lab.repository import cache_folder, repository_root

_MAIN = """module example/control-plane

go 1.26.0

require (
	go.etcd.io/etcd/server/v3 v3.6.8 // indirect
	k8s.io/kubernetes v1.36.3 // indirect
)

replace k8s.io/api => k8s.io/api v0.36.3
"""
_HELM = "module example/helm\n\ngo 1.26.0\n\nrequire helm.sh/helm/v4 v4.3.1\n"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    (folder / "helm").mkdir(parents=True)
    for name, text in {"go.mod": _MAIN, "go.sum": "a", "helm/go.mod": _HELM, "helm/go.sum": "b"}.items():
        (folder / name).write_text(text)
    return folder


def _programs(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).touch(mode=0o755)
    return folder


def test_versions_come_from_the_modules(sources: Path) -> None:
    assert pinned_versions(sources) == Versions(kubernetes="v1.36.3", etcd="v3.6.8", helm="v4.3.1", go="1.26.0")


def test_a_module_that_does_not_pin_a_program_is_refused(sources: Path) -> None:
    (sources / "go.mod").write_text(_MAIN.replace("k8s.io/kubernetes v", "k8s.io/other v"))

    with pytest.raises(LaboratoryError, match=r"k8s\.io/kubernetes is not required"):
        pinned_versions(sources)


@pytest.mark.parametrize("name", ["go.mod", "go.sum", "helm/go.mod", "helm/go.sum"])
def test_every_file_of_the_modules_changes_the_key(sources: Path, name: str) -> None:
    before = cache_key(sources)

    with (sources / name).open("a") as file:
        file.write("// changed\n")

    assert cache_key(sources) != before
    assert cache_key(sources).startswith("kubernetes-v1.36.3-")


def test_the_kubernetes_programs_say_their_version() -> None:
    versions = Versions(kubernetes="v1.36.3", etcd="v3.6.8", helm="v4.3.1", go="1.26.0")

    flags = {program.name: program.flags for program in programs(versions)}

    assert set(flags) == set(NAMES)
    assert "k8s.io/component-base/version.gitVersion=v1.36.3" in flags["kube-apiserver"]
    assert "k8s.io/component-base/version.gitMinor=36" in flags["kubectl"]
    assert "helm.sh/helm/v4/internal/version.version=v4.3.1" in flags["helm"]


def test_the_named_folder_comes_before_the_cache(tmp_path: Path) -> None:
    named, cached = _programs(tmp_path / "named", *NAMES), _programs(tmp_path / "cached", *NAMES)

    found = lookup(assets=str(named), cached=cached)

    assert found is not None
    assert found.kubectl == named / "kubectl"


def test_a_named_folder_that_is_not_complete_is_an_error(tmp_path: Path) -> None:
    named, cached = _programs(tmp_path / "named", "etcd", "kube-apiserver", "kubectl"), _programs(tmp_path / "cached", *NAMES)

    with pytest.raises(LaboratoryError, match=r"KUBEBUILDER_ASSETS: .* has no kube-controller-manager, helm; unset it"):
        lookup(assets=str(named), cached=cached)


@pytest.mark.parametrize("present", [(), ("etcd",), NAMES[:-1]])
def test_a_cache_that_is_not_complete_is_built(tmp_path: Path, present: tuple[str, ...]) -> None:
    assert lookup(assets=None, cached=_programs(tmp_path / "cached", *present)) is None


def test_a_program_that_cannot_be_run_does_not_count(tmp_path: Path) -> None:
    cached = _programs(tmp_path / "cached", *NAMES)
    (cached / "helm").chmod(0o644)

    assert lookup(assets=None, cached=cached) is None


def test_the_cache_is_outside_of_the_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert cache_folder() == tmp_path / "ecs-operator"
    assert not cache_folder().is_relative_to(repository_root())


def test_the_pinned_modules_of_this_repository_belong_together() -> None:
    sources = repository_root() / "tools" / "control-plane"
    staging = pinned_versions(sources).kubernetes.replace("v1.", "v0.")

    replaced = [line.split() for line in (sources / "go.mod").read_text().splitlines() if "=>" in line]

    assert len(replaced) > 30
    assert {line[-1] for line in replaced} == {staging}
