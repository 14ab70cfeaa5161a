"""What a list costs that is made in this process: seconds, CPU, memory that it keeps, and the most while it was made.

Standard library alone, for it runs in the vendor SDK's environment, too. Memory is that of the process (Linux), after
the allocator gave back what it could: a profiler would slow down what is measured.
"""

import ctypes
import gc
import json
import pathlib
import time
from collections.abc import Callable, Sized

_PROCESS = pathlib.Path("/proc/self")


def weigh(make: Callable[[], Sized]) -> None:
    """Make a list, and print what it costs per row.

    :param make: Gives the list; called once, so warm up before.
    """
    before = _settled()
    (_PROCESS / "clear_refs").write_text("5")  # forget the most so far
    started, cpu = time.perf_counter(), time.process_time()
    rows = make()
    took, cpu = time.perf_counter() - started, time.process_time() - cpu
    most, kept, number = _memory("VmHWM"), _settled(), len(rows)
    costs = {
        "rows": number,
        "seconds": took,
        "cpu_us_per_row": 1e6 * cpu / number,
        "kept_bytes_per_row": (kept - before) / number,
        "most_bytes_per_row": (most - before) / number,
    }
    print(json.dumps(costs))


def _settled() -> int:
    """Bytes in use when all that can be given back is."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return _memory("VmRSS")


def _memory(which: str) -> int:
    lines = (_PROCESS / "status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(which))
