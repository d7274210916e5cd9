"""Saying what takes long while it does.

Long-running functions take an `OnProgress`: a callable for one line of text, `step` or `step: detail`.
Lines of the same step follow each other and may replace each other on a terminal.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status

OnProgress = Callable[[str], None]


# Where lines cannot replace each other, one step says something this often.
_PLAIN_SECONDS = 15.0


def silent(_line: str) -> None:
    """For callers that do not look."""


class Reporter:
    """Shows progress on a console: a spinner on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        self._step = ""
        self._since = 0.0
        self._printed = 0.0

    def __call__(self, line: str) -> None:
        """Show one line of progress."""
        step, now = line.split(": ", 1)[0], time.monotonic()
        is_new = step != self._step
        if is_new:
            self._finish_step()
            self._step, self._since = step, now
        if self._status is not None:
            self._status.update(line)
        elif is_new or now - self._printed >= _PLAIN_SECONDS:
            self._printed = now
            self._console.print(f"... {line}", highlight=False, markup=False, soft_wrap=True)

    def _finish_step(self) -> None:
        if self._step and self._status is not None:
            self._console.print(f"[green]✓[/green] {self._step} [dim]({time.monotonic() - self._since:.1f} s)[/dim]", highlight=False)
        self._step = ""

    @contextmanager
    def shown(self) -> Iterator["Reporter"]:
        """Show a spinner, on a terminal, for as long as the block runs."""
        if not self._console.is_terminal:
            yield self
            return
        with self._console.status("starting") as status:
            self._status = status
            try:
                yield self
                self._finish_step()
            finally:
                self._status = None
