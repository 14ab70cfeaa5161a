"""The versions that a bug report needs."""

from __future__ import annotations

import importlib.metadata
import platform

from airflow_provider_encord import __version__

_PACKAGES = {
    "Airflow": ("apache-airflow", "apache-airflow-core"),
    "common-compat": ("apache-airflow-providers-common-compat",),
    "requests": ("requests",),
    "httpx": ("httpx",),
    "cryptography": ("cryptography",),
    "msgspec": ("msgspec",),
    "Encord SDK": ("encord",),
}


def versions() -> dict[str, str]:
    """Names and versions of packages and the platform. A missing package has the version ``not installed``."""
    return {
        "airflow-provider-encord": __version__,
        "Python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        **{name: _version(packages) for name, packages in _PACKAGES.items()},
    }


def _version(packages: tuple[str, ...]) -> str:
    for package in packages:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "not installed"
