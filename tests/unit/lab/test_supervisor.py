import sys
from pathlib import Path

import pytest

from ecs_lab.cli import main, parser
from ecs_lab.errors import LaboratoryError
from ecs_lab.process import Process
from ecs_lab.supervisor import State, held, is_running
from ecs_lab.waiting import until


def test_a_directory_has_one_laboratory_at_a_time(tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    with held(tmp_path):
        assert is_running(tmp_path)
        with pytest.raises(LaboratoryError, match=r"runs in .* already"), held(tmp_path):
            pass
    assert not is_running(tmp_path)


async def test_a_killed_laboratory_leaves_its_directory_free(tmp_path: Path) -> None:
    holder = "import sys, pathlib, signal; from ecs_lab.supervisor import held\nwith held(pathlib.Path(sys.argv[1])): signal.pause()"
    process = Process("holder", [sys.executable, "-c", holder, str(tmp_path)], log_path=tmp_path / "log")
    process.start()
    try:

        async def running() -> bool:
            return is_running(tmp_path)

        await until(running, seconds=20, check=process.check_alive, what="nobody holds the directory")
    finally:
        await process.kill()

    assert not is_running(tmp_path)


def test_afresh_removes_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "control-plane" / "etcd").mkdir(parents=True)
    (tmp_path / "notes").mkdir()

    with held(tmp_path, afresh=True):
        pass

    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["lab.lock", "notes"]


def test_no_laboratory_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LaboratoryError, match="no laboratory runs"):
        State.read(tmp_path)

    assert main(["env", "--dir", str(tmp_path)]) == 1
    assert "start one with `ecs-lab up" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--dir", "x", "env"], ["env", "--dir", "x"]])
def test_the_directory_may_stand_before_or_after_the_command(arguments: list[str]) -> None:
    assert parser().parse_args(arguments).dir == Path("x")
