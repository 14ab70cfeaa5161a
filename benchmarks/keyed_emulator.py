"""An emulator with a key, for what is measured and for what prepares it."""

from __future__ import annotations

import pathlib

from benchmarks.calls import EMAIL
from demo.environment import KeyPair
from encord_emulator.process import Emulator


class KeyedEmulator:
    """One emulator, and a key for it.

    :param folder: Where the key is stored.
    """

    def __init__(self, emulator: Emulator, folder: pathlib.Path):
        self.emulator, self.folder = emulator, folder
        pair = KeyPair.generate()
        self.key_file = folder / "key"
        self.key_file.write_text(pair.private)
        self.key_file.chmod(0o600)
        emulator.authorize(pair.public, email=EMAIL)
