from __future__ import annotations

from importlib.metadata import version

import pytest
import yaml

from ecs_operator.app import main as app
from ecs_operator.app.settings import Settings
from ecs_operator.cli.main import main


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    assert capsys.readouterr().out.strip() == version("ecs-operator")


def test_the_definitions_are_printed_ready_to_apply(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crds"]) == 0
    printed = list(yaml.safe_load_all(capsys.readouterr().out))
    assert [each["kind"] for each in printed] == ["CustomResourceDefinition"] * 4
    assert {each["spec"]["names"]["plural"] for each in printed} == {"ecsprojects", "ecsservers", "ecsservergroups", "ecsvolumeattachments"}


def test_run_hands_its_settings_over_and_its_exit_code_back(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Settings] = []

    def run(settings: Settings) -> int:
        given.append(settings)
        return 7

    monkeypatch.setattr(app, "main", run)
    monkeypatch.setenv("ECS_OPERATOR_WORKERS", "3")
    assert main(["run", "--identity", "me", "--lease-duration", "20"]) == 7
    assert given == [Settings(identity="me", lease_duration=20.0, workers=3)]


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run", "--workers", "x"]])
def test_a_wrong_command_line_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    assert "usage: ecs-operator" in capsys.readouterr().err
