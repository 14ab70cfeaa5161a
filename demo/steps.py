"""What was done, as lines with the time since the start; on a terminal with a bar below them."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class Steps:
    """The steps of something that takes a while.

    :param title: What takes a while.
    :param count: How many steps it has.
    """

    def __init__(self, title: str, count: int):
        self._title, self._count = title, count
        self._started = time.monotonic()
        self._bar: Progress | None = None

    def __enter__(self) -> Steps:
        if sys.stdout.isatty():
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn

            text = "[progress.description]{task.description}"
            self._bar = Progress(SpinnerColumn(), text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._bar.add_task(self._title, total=self._count)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def finish(self) -> None:
        """Take the bar away; the lines stay."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def done(self, text: str) -> None:
        """Print what was done in a step."""
        line = f"[{time.monotonic() - self._started:5.1f} s] {text}"
        if self._bar is None:
            print(line, flush=True)
            return
        self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        for task in self._bar.task_ids:
            self._bar.advance(task)
