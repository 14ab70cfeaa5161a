"""What the machine is set up with: its proxies, and the certificates that it trusts.

Read the way `requests` reads it, for both transports: ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` (names,
addresses, networks), ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE``; else the authorities of `certifi`.
`httpx` reads others (``SSL_CERT_FILE``), and knows no networks in ``NO_PROXY``, so both are passed to it.
"""

from __future__ import annotations

import functools
import os
import pathlib
import ssl
import urllib.parse

import requests.utils

_OF_PROXIES = tuple(
    spelling for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy") for spelling in (name, name.upper())
)
_OF_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def proxy_for(url: str) -> str | None:
    """URL of the proxy by which something is reached; it may hold a password."""
    parts = urllib.parse.urlsplit(url)
    # The environment is read each time, as `requests` does; what follows from it is kept, as that takes longer.
    return _proxy_for(f"{parts.scheme}://{parts.netloc}", tuple(os.environ.get(name) for name in _OF_PROXIES))


@functools.lru_cache(maxsize=64)
def _proxy_for(origin: str, _settings: tuple[str | None, ...]) -> str | None:
    proxy = requests.utils.select_proxy(origin, requests.utils.get_environ_proxies(origin))
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy or None


def bundle(trusted: str | None) -> str:
    """Path of the certificates to trust.

    :param trusted: What the connection names, if it does.
    """
    of_machine = next((path for name in _OF_CERTIFICATES if (path := os.environ.get(name))), None)
    return trusted or of_machine or requests.utils.DEFAULT_CA_BUNDLE_PATH


def state_of(path: str) -> int:
    """What changes when the certificates at a path are replaced.

    :raises OSError: There are none.
    """
    return pathlib.Path(path).stat().st_mtime_ns


def tls_context(path: str) -> ssl.SSLContext:
    """A context that trusts these certificates and no others. Made once for each state of the file: it takes a while.

    :param path: Of a file or directory.
    :raises OSError: They cannot be read.
    """
    return _tls_context(path, state_of(path))


@functools.lru_cache(maxsize=8)
def _tls_context(path: str, _state: int) -> ssl.SSLContext:
    folder = pathlib.Path(path).is_dir()
    return ssl.create_default_context(cafile=None if folder else path, capath=path if folder else None)
