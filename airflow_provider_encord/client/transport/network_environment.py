"""The network settings of this machine: its proxies, and the certificates that it trusts.

Both transports use the environment variables of `requests`: ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` (names,
addresses, networks), ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE``; without them, the authorities of `certifi`. `httpx`
reads other variables (``SSL_CERT_FILE``) and does not support networks in ``NO_PROXY``, so proxy and certificates are
passed to it.
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
    """URL of the proxy for a URL; None without a proxy. It may contain a password."""
    parts = urllib.parse.urlsplit(url)
    # The environment is read each time, as in `requests`. The result is cached, because computing it is slow.
    return _proxy_for(f"{parts.scheme}://{parts.netloc}", tuple(os.environ.get(name) for name in _OF_PROXIES))


@functools.lru_cache(maxsize=64)
def _proxy_for(origin: str, _settings: tuple[str | None, ...]) -> str | None:
    proxy = requests.utils.select_proxy(origin, requests.utils.get_environ_proxies(origin))
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy or None


def bundle(trusted: str | None) -> str:
    """Path of the certificates to trust.

    :param trusted: Path from the connection, if it has one.
    """
    of_machine = next((path for name in _OF_CERTIFICATES if (path := os.environ.get(name))), None)
    return trusted or of_machine or requests.utils.DEFAULT_CA_BUNDLE_PATH


def version_of(path: str) -> int:
    """A number that changes when the certificates at a path are replaced.

    :raises OSError: The path does not exist.
    """
    return pathlib.Path(path).stat().st_mtime_ns


def tls_context(path: str) -> ssl.SSLContext:
    """A TLS context that trusts only these certificates. It is slow to create, so it is cached until the file changes.

    :param path: Path of a file or directory.
    :raises OSError: The certificates cannot be read.
    """
    return _tls_context(path, version_of(path))


@functools.lru_cache(maxsize=8)
def _tls_context(path: str, _version: int) -> ssl.SSLContext:
    folder = pathlib.Path(path).is_dir()
    return ssl.create_default_context(cafile=None if folder else path, capath=path if folder else None)
