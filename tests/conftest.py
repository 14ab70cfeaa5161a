"""Airflow reads its home once, when it is first imported; so the tests' own home is set here, before anything is.

Nothing that the machine is set up with (Airflow's options, connections, Encord's keys) reaches a test.
"""

from __future__ import annotations

import base64
import gc
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from tests.forks.client import Forks
from tests.forks.emulators import start_emulator_forks

# The same examples on every run: a suite that fails once in ten runs blocks any change, not the one that wrote the bug.
# `make coverage` tries twice as many, and `HYPOTHESIS_PROFILE=explore make test` others each time.
_SAME_EACH_TIME: dict[str, Any] = {"derandomize": True, "database": None, "deadline": None}
hypothesis.settings.register_profile("quick", max_examples=50, **_SAME_EACH_TIME)
hypothesis.settings.register_profile("steady", max_examples=100, **_SAME_EACH_TIME)
hypothesis.settings.register_profile("explore", max_examples=1000, deadline=None)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

_KEPT = ("ENCORD_EMULATOR_PYTHON", "ENCORD_SDK_PYTHON")  # say where things are installed, not how a test comes out


def _settle() -> str:
    for name in [*os.environ]:
        if name.startswith(("AIRFLOW", "ENCORD_", "_AIRFLOW")) and name not in _KEPT:
            del os.environ[name]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # every subprocess would compile Airflow again
    home = tempfile.mkdtemp(prefix="airflow-home-")
    os.environ["AIRFLOW_HOME"] = home
    # Else each process would make one, unless it finds the file in which another has written it.
    os.environ["AIRFLOW__CORE__FERNET_KEY"] = base64.urlsafe_b64encode(os.urandom(32)).decode()
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
    os.environ["AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY"] = "0"  # a failing task fails now, not in five minutes
    os.environ["AIRFLOW__CORE__DAGS_FOLDER"] = os.path.join(home, "dags")  # noqa: PTH118 - the variable is text
    return home


# What takes longest begins first, so that no process is still at it when the others have ended. Before all, histories
# and moves: their attempts are forks of the test's process, which is slow once other tests have made that large.
_FIRST = (
    *(
        "tests/histories/",
        "tests/pods/",
        "tests/moves/test_matrix.py",
        "tests/moves/test_in_dags.py",
        "tests/deployment/",
        "tests/airflow_layer/connection/test_no_secrets_stored.py",
    ),
    *("tests/leaks/test_deployment.py", "tests/test_demo.py", "tests/docs/test_blocks.py", "tests/packaging/"),
)

# Files of tests go to the processes as a whole, for the sake of what their tests share. Not so those in which each one
# is long and shares nothing, nor the deployments, of which each process would start its own.
_ONE_BY_ONE = (
    "tests/test_demo.py::",
    "tests/docs/test_blocks.py::test_every_block",
    "tests/docs/guides/test_guides_again.py::",
)
_LINE_OF_A_DEPLOYMENT = re.compile(r"tests/(deployment|e2e)/.*?\[(here|[\d.]+)[]-]")

_TOO_LATE = "airflow" in sys.modules
_HOME = _settle()


def pytest_configure() -> None:
    if _TOO_LATE:
        raise pytest.UsageError("A pytest plugin imported airflow before tests/conftest.py could set AIRFLOW_HOME.")


# Airflow and the collected tests are objects that stay. Python would look through them for cycles again and again: half
# of the time before the first test, and more than a sixth of the time after it.
_OBJECTS_BETWEEN_COLLECTIONS = 20_000


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect the tests without the collector of garbage, and leave what is there by then to itself."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        nodeid = item.nodeid  # it is put together each time
        return next((n for n, place in enumerate(_FIRST) if nodeid.startswith(place)), len(_FIRST))

    items.sort(key=rank)


def _together(nodeid: str) -> str:
    """The tests for which this is the same run in one process."""
    if nodeid.startswith(_ONE_BY_ONE):
        return nodeid
    if deployed := _LINE_OF_A_DEPLOYMENT.match(nodeid):
        return f"tests/{deployed[1]}[{deployed[2]}]"
    return nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _together(nodeid)

    return Scheduling(config, log)


@pytest.fixture(autouse=True)
def _written_files_fit_their_schemas(request: pytest.FixtureRequest) -> Iterator[None]:
    """See `tests.written_files`."""
    directory = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    if directory is not None:
        from tests.written_files import misfits

        assert misfits(directory) == []


@pytest.fixture(autouse=True)
def _nothing_masked() -> None:
    """Airflow's masker knows no secrets of other tests."""
    if "airflow" in sys.modules:
        from tests.airflow_layer.masker import forget_masked_secrets

        forget_masked_secrets()


@pytest.fixture(scope="session")
def emulator_forks() -> Iterator[Forks]:
    """The process that emulators of single tests are forks of."""
    with start_emulator_forks() as forks:
        yield forks


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)
