"""Copies of files on this machine, for the time that a function needs them."""

from __future__ import annotations

import contextlib
import pathlib
import tempfile
from collections.abc import Iterator

from airflow_provider_encord.client.call import Download
from airflow_provider_encord.client.client import EncordClient


@contextlib.contextmanager
def local_copy(client: EncordClient, url: str, name: str) -> Iterator[pathlib.Path]:
    """Download a file into a temporary directory, which is deleted afterwards.

    :param url: A signed URL. It is a secret.
    :param name: Name of the file; only its last part is used.
    :raises EncordError: The file cannot be downloaded. The message does not contain the URL.
    """
    with tempfile.TemporaryDirectory(prefix="encord-agent-") as directory:
        path = pathlib.Path(directory) / (pathlib.PurePosixPath(name.replace("\\", "/")).name or "asset")
        client.download(Download(url, lambda: path.open("wb"), name))
        yield path
