"""The programs of the system that a cluster needs: where they are, and what to install if they are missing."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = {"redis-server": "redis-server", "initdb": "postgresql", "postgres": "postgresql"}
"""The Debian package of each program."""
_POSTGRES_VERSIONS = Path("/usr/lib/postgresql")  # Debian keeps them out of PATH
_USERS = ("postgres", "daemon")


class MissingProgramError(Exception):
    """A program is not installed; the text says how to install it."""


def find(name: str) -> Path | None:
    """A program of `PACKAGES`, in the newest version; None if it is not installed."""
    if found := shutil.which(name):
        return Path(found)
    versions = [one for one in _POSTGRES_VERSIONS.glob("*") if re.fullmatch(r"\d+", one.name)]
    for version in sorted(versions, key=lambda one: int(one.name), reverse=True):
        if (program := version / "bin" / name).exists():
            return program
    return None


def required(name: str) -> Path:
    """As `find`.

    :raises MissingProgramError: It is not installed.
    """
    if (found := find(name)) is None:
        raise MissingProgramError(missing())
    return found


def missing() -> str:
    """Which packages are missing, and how to install them; empty if all are there."""
    packages = sorted({package for name, package in PACKAGES.items() if find(name) is None})
    if not packages:
        return ""
    return f"Missing: {', '.join(packages)}. On Debian and Ubuntu: sudo apt-get install {' '.join(packages)}"


def install() -> None:
    """Install what is missing, as root on Debian.

    :raises MissingProgramError: Something is missing still.
    """
    packages = sorted({package for name, package in PACKAGES.items() if find(name) is None})
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        # Their services would take the usual ports; a cluster starts servers of its own.
        policy = Path("/usr/sbin/policy-rc.d")
        ours = not policy.exists()
        if ours:
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
        try:
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
                subprocess.run(["apt-get", "-qq", *arguments], env=environment, check=False, stdout=sys.stderr)
        finally:
            if ours:
                policy.unlink()
    if text := missing():
        raise MissingProgramError(text)


def database_user() -> str | None:
    """Who is to run PostgreSQL, which refuses root; None if that is who runs this.

    :raises MissingProgramError: This is root, and there is no user to become.
    """
    if os.geteuid() != 0:
        return None
    known = {one.pw_name for one in pwd.getpwall()}
    for name in _USERS:
        if name in known:
            return name
    raise MissingProgramError(f"PostgreSQL refuses to run as root, and there is no user {' or '.join(_USERS)}.")
