"""Looking at every part of a deployment at intervals, in a thread of its own."""

from __future__ import annotations

import abc
import contextlib
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import ClassVar, Self


class PartsWatcher(abc.ABC):
    """Looks at all parts, from `__enter__` to `__exit__`.

    :param parts: Gives the process id of each part that runs now, by name.
    """

    seconds_between_looks: ClassVar[float]

    def __init__(self, parts: Callable[[], Mapping[str, int]]) -> None:
        self._parts = parts
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=type(self).__name__, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self._thread.join(30)

    def _watch(self) -> None:
        while not self._ends.wait(self.seconds_between_looks):
            with contextlib.suppress(Exception):  # a part that is being killed has no process to ask
                for name, process_id in self._parts().items():
                    self._look(name, process_id)

    @abc.abstractmethod
    def _look(self, name: str, process_id: int) -> None:
        """Look at a part."""
