"""Writing and checking the generated files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ecs_operator.api.crds import CUSTOM_RESOURCES
from ecs_operator.api.generate import differing, generated_files, main
from ecs_operator.api.reasons import REASONS, Reason

_REPOSITORY = Path(__file__).parents[3]


def test_the_checked_in_files_are_up_to_date() -> None:
    assert differing(_REPOSITORY) == []


def test_writes_everything_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--directory", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == sorted(str(path) for path in generated_files())
    assert main(["--directory", str(tmp_path), "--check"]) == 0
    assert main(["--directory", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_check_names_what_differs_and_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--directory", str(tmp_path)])
    capsys.readouterr()
    edited, missing, left_over = (tmp_path / "crds" / f"{name}.yaml" for name in (_crd(0), _crd(1), "old"))
    edited.write_text("edited")
    missing.unlink()
    left_over.write_text("old")
    assert main(["--directory", str(tmp_path), "--check"]) == 1
    output = capsys.readouterr()
    assert output.out.split() == sorted(f"crds/{path.name}" for path in (edited, missing, left_over))
    assert "make generate" in output.err
    assert edited.read_text() == "edited"
    assert main(["--directory", str(tmp_path)]) == 0
    assert differing(tmp_path) == []
    assert not left_over.exists()


def _crd(index: int) -> str:
    return CUSTOM_RESOURCES[index].names.crd_name


def test_a_definition_reads_back_as_it_is() -> None:
    files = generated_files()
    for resource in CUSTOM_RESOURCES:
        assert yaml.safe_load(files[Path("crds") / f"{resource.names.crd_name}.yaml"]) == resource.definition()


def test_every_reason_is_documented() -> None:
    page = generated_files()[Path("docs/reference/reasons.md")]
    assert set(REASONS) == set(Reason)
    assert [reason for reason in Reason if f"| `{reason}` |" not in page] == []
    assert "| `Throttled` | False, Reconciling | Warning | " in page
    assert "| `Paused` | False | Normal | " in page


def test_a_page_shows_every_field_with_bounds_and_rules() -> None:
    page = generated_files()[Path("docs/reference/fields/ecsserver.md")]
    assert "| `rootVolume.sizeGiB` | integer, 1 to 1024 | Size in GiB" in page
    assert "| `dataVolumes[].sizeGiB` | integer, 10 to 32768, required |" in page
    assert "| `metadata` | map of string, up to 255, up to 9 |" in page
    assert "| `powerState` | `Running` or `Stopped` |" in page
    frozen = next(line for line in page.splitlines() if "cannot be changed yet once the server exists. Take the change back" in line)
    assert frozen.startswith("- `spec.dataVolumes`: ")
    assert "- **PUBLIC-IP** (`-o wide`): First public address" in page
