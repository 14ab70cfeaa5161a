"""The wheel, as users get it: built, and installed where nothing of this checkout can be imported."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
CONSTRAINTS = ROOT / "constraints"
START_SECONDS = 180  # a first start compiles all of Airflow


def uv(*arguments: str | Path) -> str:
    """Run uv; what it says.

    It keeps the variables of this process, which may say where packages come from, but not those that name an
    environment.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    kept.setdefault("UV_CACHE_DIR", str(ROOT / ".work" / "cache" / "uv"))  # as in the Makefile
    done = subprocess.run([UV, *arguments], env=kept, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def _take_what_is_compiled(there: Path, here: Path) -> None:
    """Link what another environment has compiled of the same sources, as to compile Airflow takes long.

    Python takes it only if it fits the source's time and size, which are those of uv's cache in both.
    """
    for compiled in there.glob("lib/*/site-packages/**/*.pyc"):
        source = here / compiled.relative_to(there).parents[1] / f"{compiled.name.split('.')[0]}.py"
        wanted = here / compiled.relative_to(there)
        if source.exists() and not wanted.exists():
            wanted.parent.mkdir(exist_ok=True)
            with contextlib.suppress(OSError):  # on another file system
                os.link(compiled, wanted)


@dataclasses.dataclass(frozen=True)
class Environment:
    """An environment of its own, with a home of its own.

    :param folder: Of the environment.
    :param home: Where programs run, far from the checkout.
    :param constraint: The file with the versions that it takes.
    """

    folder: Path
    home: Path
    constraint: Path

    @classmethod
    def create(cls, place: Path, *requirements: str | Path, line: str = "3.3") -> Environment:
        """Make one and install into it, as somebody would who follows Airflow's advice to use constraints.

        :param line: Of Airflow.
        """
        environment = cls(place / "environment", place / "home", CONSTRAINTS / f"airflow-{line}.txt")
        environment.home.mkdir()
        uv("venv", "--quiet", "--python", sys.executable, environment.folder)
        uv("pip", "install", "--python", environment.python, "--constraint", environment.constraint, *requirements)
        _take_what_is_compiled(ROOT / ".venv", environment.folder)
        _take_what_is_compiled(ROOT / ".venvs" / f"airflow-{line}", environment.folder)
        return environment

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def variables(self, **more: str) -> dict[str, str]:
        """The variables of a program that runs here: nothing of this process, so no PYTHONPATH."""
        return {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.defpath}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "AIRFLOW_HOME": str(self.home / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PYTHONSAFEPATH": "1",
            **more,
        }

    def run(
        self, program: str, *arguments: str | Path, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of this environment."""
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            cwd=self.home,
            env=self.variables(**(variables or {})),
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    def output(self, program: str, *arguments: str | Path, variables: Mapping[str, str] | None = None) -> str:
        """Run a program that must succeed; what it writes."""
        done = self.run(program, *arguments, variables=variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
