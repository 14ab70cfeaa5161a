"""No process outlives the one that started it, also if that is killed: a watcher beside it ends what is left.

Some components leave their session or their parent, and PostgreSQL is another user's. So the watcher notes all
processes that stem from the one it watches as long as that lives, and finds the rest by a variable that all inherit.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

MARK = "STARTED_BY"
SECONDS_BETWEEN_LOOKS = 1.0


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """Watch this process: whenever it ends, by whatever, nothing that it started from here on is left."""
    mark = secrets.token_hex(8)
    # Without the second one, programs that set their title overwrite their variables with it.
    os.environ |= {MARK: mark, "SPT_NOENV": "1"}
    watcher = subprocess.Popen(
        [sys.executable, "-m", "tests.deployment.orphans", str(os.getpid()), mark],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,  # its end is how the watcher learns of ours
        start_new_session=True,  # Ctrl+C is not for it
    )
    try:
        yield
    finally:
        assert watcher.stdin is not None
        watcher.stdin.close()
        watcher.wait(60)
        del os.environ[MARK]


def main() -> None:
    """Watch a process until standard input ends, then kill all that it has started."""
    root, mark = int(sys.argv[1]), sys.argv[2]
    noted: set[psutil.Process] = set()
    while not select.select([0], [], [], SECONDS_BETWEEN_LOOKS)[0]:
        noted = {one for one in noted | _children(root) if one.is_running()}
    for _ in range(3):  # a process may be starting another one just now
        for one in noted | _marked(mark):
            for each in (one, *_children(one.pid)):
                if each.pid != os.getpid():
                    with contextlib.suppress(psutil.Error):
                        each.kill()  # by id and time of its start, so never another process of the same id
        psutil.wait_procs(noted, timeout=1)


def _children(process_id: int) -> set[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return {one for one in psutil.Process(process_id).children(recursive=True) if one.pid != os.getpid()}
    return set()


def _marked(mark: str) -> set[psutil.Process]:
    found = set()
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if one.environ().get(MARK) == mark and one.pid not in (os.getpid(), os.getppid()):
                found.add(one)
    return found


if __name__ == "__main__":
    main()
