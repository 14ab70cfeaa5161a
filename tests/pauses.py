"""The time that Encord asked to wait, passed at once."""

from __future__ import annotations

import os

from airflow_provider_encord.client.transport.pacing import shared_file, shared_name


def end_pauses(base_url: str) -> None:
    """Let the tasks of this machine forget that Encord refused requests, as if enough time had passed.

    :param base_url: Address of the emulator.
    """
    name = shared_name(base_url, "")
    file = shared_file(name)
    assert file is not None
    for kept in file.parent.glob(f"{name.rpartition('-')[0]}-*"):
        os.truncate(kept, 0)
