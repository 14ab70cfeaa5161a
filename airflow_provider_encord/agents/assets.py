"""Copies of files on this machine, for the time that a function needs them."""

from __future__ import annotations

import contextlib
import pathlib
import tempfile
import time
from collections.abc import Iterator

from airflow_provider_encord.client.errors import UnavailableError
from airflow_provider_encord.client.transport.settings import Settings

_ATTEMPTS = 3
_BLOCK = 2**20
_GATEWAY = (408, 429, 500, 502, 503, 504)


class DownloadError(Exception):
    """A file cannot be downloaded. The message does not contain the URL."""


@contextlib.contextmanager
def local_copy(url: str, name: str, settings: Settings) -> Iterator[pathlib.Path]:
    """Download a file into a temporary directory, which is deleted afterwards.

    :param url: A signed URL. It is a secret.
    :param name: Name of the file; only its last part is used.
    :raises DownloadError: The file cannot be downloaded.
    """
    with tempfile.TemporaryDirectory(prefix="encord-agent-") as directory:
        path = pathlib.Path(directory) / (pathlib.PurePosixPath(name.replace("\\", "/")).name or "asset")
        _download(url, path, settings)
        yield path


def _download(url: str, path: pathlib.Path, settings: Settings) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _attempt(url, path, settings)
        except UnavailableError as error:
            if attempt == _ATTEMPTS:
                raise DownloadError(error.message) from None
            time.sleep(attempt)
        else:
            return


def _attempt(url: str, path: pathlib.Path, settings: Settings) -> None:
    """:raises UnavailableError: Another attempt may succeed."""
    import requests

    from airflow_provider_encord.client.transport import network_environment
    from airflow_provider_encord.client.transport.sync import NoCredentials

    timeout = (settings.connect_timeout, settings.read_timeout)
    trusted = network_environment.bundle(settings.ca_bundle)
    try:
        # Without `auth`, requests would add what a .netrc file has for the host.
        with requests.get(url, auth=NoCredentials(), stream=True, timeout=timeout, verify=trusted) as response:
            if response.status_code in _GATEWAY:
                raise UnavailableError(f"the file could not be downloaded: status {response.status_code}")
            if response.status_code != 200:
                raise DownloadError(f"the file could not be downloaded: status {response.status_code}")
            with path.open("wb") as file:
                for block in response.iter_content(_BLOCK):
                    file.write(block)
    except requests.RequestException as error:  # its text contains the URL
        raise UnavailableError(f"the file could not be downloaded: {type(error).__name__}") from None
