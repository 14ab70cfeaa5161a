"""The signed URLs that an emulator handed out for uploads with an SSH key, worked out afterwards.

They are secret, so they are not kept. A signature depends on the object, the method and the second in which it was
made. Objects and seconds are in the journal, and the key to sign with is in the emulator's database.
"""

from __future__ import annotations

import hmac
import math
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

STORE = "/object-store/"
_VALID_SECONDS = 3600


def handed_out(database: Path, journal: Sequence[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Path and query of each signed upload URL that may have been used; for each object, one of them was.

    :param database: The emulator's.
    :param journal: The emulator's.
    """
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        ((secret,),) = opened.execute("SELECT value FROM settings WHERE name = 'object_store_secret'")
    asked = [entry for entry in journal if entry["path"].endswith("/presigned-urls")]
    expiries = sorted({second + _VALID_SECONDS for entry in asked for second in _seconds(entry)})
    paths = sorted({entry["path"] for entry in journal if entry["path"].startswith(STORE)})
    for path in paths:
        for expires in expiries:
            text = f"PUT\n{path.removeprefix(STORE)}\n{expires}"
            signature = hmac.new(bytes.fromhex(secret), text.encode(), "sha256").hexdigest()
            yield path, f"expires={expires}&signature={signature}"


def _seconds(entry: dict[str, Any]) -> range:
    """The seconds that a request touched."""
    ended = datetime.fromisoformat(entry["time"]).timestamp()
    return range(math.floor(ended - entry["duration_ms"] / 1000), math.floor(ended) + 1)
