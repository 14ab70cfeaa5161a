"""A harness that is killed leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.deployment.polling import poll

HARNESS = """
import signal, subprocess, sys, time
from tests.deployment.orphans import watched

SLEEP = [sys.executable, "-c", "import time; time.sleep(300)"]
ORPHAN = '''
import subprocess, sys
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
print(subprocess.Popen(sys.argv[1:], start_new_session=True, **quiet).pid, flush=True)
'''
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by what a shell starts in the background
with watched():
    child = subprocess.Popen(SLEEP, start_new_session=True)
    parent = subprocess.run([sys.executable, "-c", ORPHAN, *SLEEP], capture_output=True, text=True)
    print(child.pid, parent.stdout.strip(), flush=True)
    time.sleep(float(sys.argv[1]))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, None])
def test_nothing_is_left_of_a_harness_however_it_ends(how: signal.Signals | None) -> None:
    """One process is its child in a session of its own, the other one has lost its parent already."""
    seconds = "300" if how else "0"
    harness = subprocess.Popen(
        [sys.executable, "-c", HARNESS, seconds],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert harness.stdout is not None
    started = [int(number) for number in harness.stdout.readline().split()]
    assert len(started) == 2
    if how:
        os.kill(harness.pid, how)
    harness.wait(60)
    poll(lambda: None if any(_runs(one) for one in started) else True, "the processes to end", 30, every=0.1)


def _runs(process_id: int) -> bool:
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
