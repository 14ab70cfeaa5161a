"""What each part uses: CPU time, and memory at its highest."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Mapping

import psutil

from tests.cluster.watching import PartsWatcher


@dataclasses.dataclass
class Used:
    """What a part used, with all processes that stem from it; also before it was killed and started again.

    :param cpu: Seconds.
    :param memory: Megabytes, at its highest; memory that processes share counts in equal parts for each.
    """

    cpu: float = 0.0
    memory: float = 0.0


class Usage(PartsWatcher):
    """Looks at all parts every few seconds, from `__enter__` to `__exit__`."""

    seconds_between_looks = 5.0

    def __init__(self, parts: Callable[[], Mapping[str, int]]) -> None:
        super().__init__(parts)
        self._cpu: dict[tuple[str, int], float] = {}
        self._memory: dict[str, float] = {}

    def parts(self) -> dict[str, Used]:
        """What each part used so far."""
        used: dict[str, Used] = {}
        for (name, _), cpu in list(self._cpu.items()):
            used.setdefault(name, Used(memory=self._memory.get(name, 0.0))).cpu += cpu
        return used

    def _look(self, name: str, process_id: int) -> None:
        cpu = memory = 0.0
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(process_id)
            for one in [root, *root.children(recursive=True)]:
                with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    times = one.cpu_times()
                    cpu += times.user + times.system + times.children_user + times.children_system
                    memory += one.memory_full_info().pss / 2**20
        key = (name, process_id)
        self._cpu[key] = max(cpu, self._cpu.get(key, 0.0))
        self._memory[name] = max(memory, self._memory.get(name, 0.0))
