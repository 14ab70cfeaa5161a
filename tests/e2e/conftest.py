"""A browser, an account on the emulator, a whole Airflow of each line whose form differs, the web server of others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.lines import LINES, NEWEST
from tests.client.network import plain_network
from tests.deployment.processes import DAG_PROCESSOR, SCHEDULER, WEB, Deployment
from tests.e2e.browser import Visit, chromium, started
from tests.e2e.forms import Form, Form2, Form3

__all__ = ["plain_network"]

ROOT = Path(__file__).parents[2]
PYTHONS = {line: ROOT / f".venvs/airflow-{line}/bin/python" for line in LINES} | {NEWEST: ROOT / ".venv/bin/python"}
PROJECT_DAG = ROOT / "tests/e2e/dags/project_report_in_a_dag.py"
FORMS: dict[str, type[Form]] = {"3.3": Form3, "2.11": Form2}


def _missing(what: str) -> None:
    """Skip; in CI nothing may be missing."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(autouse=True)
def _plain_network(plain_network: None) -> None:
    """`plain_network` for every test here."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; it starts once."""
    executable = chromium()
    if executable is None:
        _missing("There is no chromium on the PATH. On Debian: apt-get install chromium")
    with started(str(executable)) as browser:
        yield browser


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: a folder of the tests, or the one that ``SCREENSHOTS`` names."""
    named = os.environ.get("SCREENSHOTS")
    folder = Path(named).absolute() if named else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def _emulator() -> Iterator[Emulator]:
    with Emulator.start() as emulator:
        yield emulator


@pytest.fixture
def emulator(_emulator: Emulator) -> Iterator[Emulator]:
    """The emulator of all tests here, without faults and with real time."""
    yield _emulator
    _emulator.clear_faults()
    _emulator.clock(now=None)


@pytest.fixture
def account(emulator: Emulator) -> Account:
    """A new account."""
    return Account(emulator)


@pytest.fixture(scope="session", params=[NEWEST, "2.11"])
def airflow(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A whole Airflow of each line, with the example DAGs, started once."""
    home = tmp_path_factory.mktemp(f"airflow-{request.param}")
    shutil.copytree(ROOT / "example_dags", home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT_DAG, home / "dags")
    components = (WEB, SCHEDULER, DAG_PROCESSOR)  # no example defers, so nothing needs a triggerer
    with _deployment(request.param, home, components) as deployment:
        yield deployment


@pytest.fixture(scope="session", params=["3.1", "3.2"])
def web_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Only the web server of the lines between, with the DAG of `PROJECT_DAG`; ``dags test`` runs it."""
    home = tmp_path_factory.mktemp(f"airflow-{request.param}")
    (home / "dags").mkdir()
    shutil.copy(PROJECT_DAG, home / "dags")
    with _deployment(request.param, home, (WEB,)) as deployment:
        yield deployment


def _deployment(line: str, home: Path, components: Sequence[str]) -> Deployment:
    """An Airflow with a history, which has not started."""
    python = PYTHONS[line]
    if not python.exists():
        _missing(f"There is no {python.relative_to(ROOT)}: `make e2e` makes it.")
    return Deployment(python, home, home / "dags", components, {"AIRFLOW__ENCORD__HISTORY": str(home / "history")})


@pytest.fixture
def line(airflow: Deployment) -> str:
    """Which line of Airflow it is: ``"3.3"``."""
    return "{}.{}".format(*airflow.version)


@pytest.fixture
def visit(browser: Browser, pictures: Path) -> Iterator[Visit]:
    """A visitor; its page may ask for nothing that is not on this machine."""
    visit = Visit.begin(browser, pictures)
    yield visit
    visit.end()
    assert visit.elsewhere == []


@pytest.fixture(scope="module")
def lasting_form(browser: Browser, pictures: Path, airflow: Deployment) -> Iterator[Form]:
    """As `form`, of one visitor for all tests of a module, who logs in and loads Airflow's page once."""
    visit = Visit.begin(browser, pictures)
    form = FORMS["{}.{}".format(*airflow.version)](visit, airflow)
    form.enter()
    yield form
    visit.end()
    assert visit.elsewhere == []


@pytest.fixture
def form(visit: Visit, airflow: Deployment, line: str) -> Form:
    """The connection form, for a user who has come in."""
    form = FORMS[line](visit, airflow)
    form.enter()
    return form
