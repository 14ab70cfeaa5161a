"""Where the vendor's SDKs live: one Python environment per version, in this checkout, apart from Airflow's.

The SDKs are run as they were released; nothing of them is imported here. `make test` builds the environments from
`requirements-<version>.txt` beside this file. A missing one is a failure, never a skip: without a referee the
emulator could drift from what the SDKs accept, unnoticed.
"""

from pathlib import Path

SSH_SDK = "0.1.211"
"""The newest release: SSH keys and bearer tokens."""

API_KEY_SDK = "0.1.145"
"""The last release that knows API keys."""

VERSIONS = (SSH_SDK, API_KEY_SDK)

_CHECKOUT = Path(__file__).resolve().parents[2]


class MissingEnvironment(AssertionError):  # noqa: N818  a failed assertion, by intention: the suite must turn red
    """An SDK's interpreter is not there."""


def requirements(version: str) -> Path:
    """The pinned packages of one SDK environment, as `name==version` lines."""
    return Path(__file__).with_name(f"requirements-{version}.txt")


def environment(version: str) -> Path:
    """The directory of one SDK environment, whether or not it exists."""
    return _CHECKOUT / ".venvs" / f"sdk-{version}"


def interpreter(version: str) -> Path:
    """The Python of one SDK environment.

    :param version: One of :data:`VERSIONS`.
    :raises MissingEnvironment: If it has not been built.
    """
    python = environment(version) / "bin" / "python"
    if not python.exists():
        raise MissingEnvironment(
            f"The environment of the Encord SDK {version} is missing ({python.relative_to(_CHECKOUT)}). "
            "Run `make test`, which builds it."
        )
    return python
