import io

from rich.console import Console

from ecs_lab.progress import Reporter


def _shown(*lines: str) -> list[str]:
    output = io.StringIO()
    with Reporter(Console(file=output, force_terminal=False, width=40)).shown() as report:
        for line in lines:
            report(line)
    return output.getvalue().splitlines()


def test_without_a_terminal_every_step_is_a_line() -> None:
    assert _shown("starting etcd", "starting the operator") == ["... starting etcd", "... starting the operator"]


def test_without_a_terminal_a_step_does_not_repeat_itself_all_the_time() -> None:
    assert _shown("building helm", "building helm: 5 s", "building helm: 10 s", "starting etcd") == [
        "... building helm",
        "... starting etcd",
    ]


def test_long_lines_stay_whole() -> None:
    line = "waiting: " + "x" * 200

    assert _shown(line) == [f"... {line}"]
