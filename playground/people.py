"""People at work while the playground is open: the emulator's annotators, a few tasks at a time."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping

from encord_emulator.process import Emulator, EmulatorError
from playground.projects import ARCHIVE, DASHCAM, PARKING, PEOPLE

SECONDS_BETWEEN = 4.0
_WORK_ON = {PARKING: 5, DASHCAM: 1, ARCHIVE: 3}
"""The projects that people label, and how often each is chosen. The other two are left to the visitor."""


class People:
    """Label until they are asked to stop.

    :param projects: Ids by title.
    """

    def __init__(self, emulator: Emulator, projects: Mapping[str, str]):
        self._emulator, self._projects = emulator, projects
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="people", daemon=True)

    def __enter__(self) -> People:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)

    def _work(self) -> None:
        dice = random.Random(1)
        turn = 0
        while not self._stop.wait(SECONDS_BETWEEN):
            turn += 1
            title = dice.choices(list(_WORK_ON), weights=list(_WORK_ON.values()))[0]
            try:
                self._emulator.annotate(
                    self._projects[title],
                    count=dice.randint(1, 3),
                    objects_per_row=dice.randint(1, 4),
                    email=dice.choice(PEOPLE),
                    advance="complete" if dice.random() < 0.3 else "submit",
                    seed=turn,
                )
            except (EmulatorError, OSError):  # the emulator ends with the playground
                if self._stop.wait(SECONDS_BETWEEN):
                    return
