"""The wheels installed as users do it: the provider alone, the provider with the emulator, the emulator alone.

Programs run far from the checkout and without PYTHONPATH, so that only what was installed can answer.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord import __version__
from encord_emulator import __version__ as emulator_version
from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.client import keys
from tests.docs.blocks import blocks_of
from tests.packaging.environments import ROOT, START_SECONDS, UV, Environment, uv
from tests.sdk import media

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]  # the first test of an environment waits until it is made
EXAMPLES = ROOT / "example_dags"
OPTIONAL = ("PIL", "encord", "encord_emulator")
OF_DEVELOPERS = ("pytest", "hypothesis", "mypy", "playwright", "sphinx")


def _json(environment: Environment, *arguments: str) -> Any:
    return json.loads(environment.output("airflow", *arguments, "--output", "json"))


def test_nothing_but_the_wheel_and_what_it_demands_is_installed(bare: Environment) -> None:
    code = f"""
        import importlib.util as util, json, airflow_provider_encord
        def here(name):
            try:
                return util.find_spec(name) is not None
            except ModuleNotFoundError:
                return False
        print(json.dumps([airflow_provider_encord.__file__, [n for n in {OPTIONAL + OF_DEVELOPERS!r} if here(n)]]))
    """
    file, surplus = json.loads(_python(bare, code))

    assert Path(file).is_relative_to(bare.folder)
    assert surplus == []


def _python(environment: Environment, code: str) -> str:
    lines = code.strip("\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    return environment.output("python", "-c", "\n".join(line[indent:] for line in lines)).splitlines()[-1]


def test_no_requirement_contradicts_another(on_each: Environment) -> None:
    assert "compatible" in uv("pip", "check", "--python", on_each.python)


def test_no_requirement_of_the_emulator_contradicts_another(with_emulator: Environment) -> None:
    assert "compatible" in uv("pip", "check", "--python", with_emulator.python)


def test_airflow_lists_the_provider(on_each: Environment) -> None:
    listed = {one["package_name"]: one["version"] for one in _json(on_each, "providers", "list")}

    assert listed["airflow-provider-encord"] == __version__


def test_airflow_shows_the_provider_in_full(bare: Environment) -> None:
    (shown,) = _json(bare, "providers", "get", "airflow-provider-encord", "--full")

    assert shown["versions"] == [__version__]
    assert [one["connection-type"] for one in shown["connection-types"]] == ["encord"]
    assert "`" not in shown["description"], "Airflow takes the markup of a link away"


def test_airflow_finds_the_hook_of_the_connection_type(on_each: Environment) -> None:
    (hook,) = (one for one in _json(on_each, "providers", "hooks") if one["connection_type"] == "encord")

    assert hook["class"] == "airflow_provider_encord.hooks.encord.EncordHook"
    assert (hook["package_name"], hook["hook_name"]) == ("airflow-provider-encord", "Encord")
    assert hook["conn_id_attribute_name"] == "encord_conn_id"


def test_the_example_dags_parse(on_each: Environment) -> None:
    folder = on_each.home / "dags"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    code = f"""
        import json
        try:
            from airflow.dag_processing.dagbag import DagBag
        except ImportError:  # Airflow 2.11
            from airflow.models.dagbag import DagBag
        bag = DagBag({str(folder)!r})
        print(json.dumps([sorted(bag.dags), bag.import_errors]))
    """
    dags, errors = json.loads(_python(on_each, code))

    assert errors == {}
    assert dags == sorted(file.stem for file in EXAMPLES.glob("*.py"))


def test_every_module_works_without_extras(bare: Environment) -> None:
    # But hooks/form.py: Airflow 2.11 alone has it imported, and brings what it needs. And modules that are imported
    # only after their extra was asked for.
    code = """
        import airflow_provider_encord as package, importlib, json, pkgutil
        left_out = tuple(f"airflow_provider_encord.{one}" for one in (
            "hooks.form", "exports.formats.shapes", "training.outlines", "training.forms"))
        names = [one.name for one in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
                 if not one.name.startswith(left_out)]
        for name in names:
            importlib.import_module(name)
        print(json.dumps(names))
    """
    names = json.loads(_python(bare, code))

    assert {"airflow_provider_encord.hooks.encord", "airflow_provider_encord.operators.labels"} <= set(names)


def test_the_smoke_command_runs_with_the_wheel_alone(on_each: Environment) -> None:
    with Emulator.start() as emulator:
        account = Account(emulator)
        account.project(rows=2, created=0.5)
        variables = {"AIRFLOW_CONN_ENCORD_DEFAULT": account.connection(), "NO_PROXY": "127.0.0.1"}
        done = on_each.run("python", "-m", "airflow_provider_encord.smoke", "--json", variables=variables)

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["versions"]["airflow-provider-encord"] == __version__
    assert report["versions"]["Encord SDK"] == "not installed"
    assert report["summary"]["as_expected"]


@pytest.fixture(scope="module")
def without_dependencies(bare: Environment, emulator_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A path with the emulator, and nothing that it depends on but what Airflow brings."""
    folder = tmp_path_factory.mktemp("emulator")
    uv("pip", "install", "--python", bare.python, "--target", folder, "--no-deps", emulator_wheel)
    return str(folder)


def test_the_emulator_without_what_it_depends_on_names_it(bare: Environment, without_dependencies: str) -> None:
    variables = {"PYTHONPATH": without_dependencies}
    refused = bare.run("python", "-m", "encord_emulator", "serve", "--port", "0", variables=variables)

    assert refused.returncode != 0
    assert refused.stderr.startswith("encord-emulator: the module PIL is missing. Install what the emulator depends on")
    assert refused.stderr.count("\n") == 1, "a message, no traceback"
    assert refused.stdout == ""


@pytest.fixture(scope="module")
def pytest_beside(bare: Environment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables that put pytest beside the wheel, while the environment stays as it is."""
    folder = tmp_path_factory.mktemp("pytest")
    uv("pip", "install", "--python", bare.python, "--constraint", bare.constraint, "--target", folder, "pytest")
    return {"PYTHONPATH": str(folder)}


def _write_test(environment: Environment, name: str, body: str) -> Path:
    (environment.home / "pytest.ini").touch()  # or pytest looks in the folders above for one
    file = environment.home / f"test_{name}.py"
    file.write_text(body)
    return file


def test_the_fixture_without_what_the_emulator_depends_on_names_it(
    bare: Environment, pytest_beside: dict[str, str], without_dependencies: str
) -> None:
    file = _write_test(bare, "fixture", "def test_it(encord_emulator):\n    pass\n")
    paths = f"{pytest_beside['PYTHONPATH']}:{without_dependencies}"

    done = bare.run("python", "-m", "pytest", file, variables={"PYTHONPATH": paths})

    assert done.returncode == 1
    assert "encord-emulator: the module PIL is missing" in done.stdout
    assert "process.py" not in done.stdout, "no traceback through our code"


def test_other_tests_do_not_notice_that_something_is_missing(
    bare: Environment, pytest_beside: dict[str, str], without_dependencies: str
) -> None:
    file = _write_test(bare, "own", "def test_addition():\n    assert 1 + 1 == 2\n")
    paths = f"{pytest_beside['PYTHONPATH']}:{without_dependencies}"

    done = bare.run("python", "-m", "pytest", "-W", "error", file, variables={"PYTHONPATH": paths})

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"encord-emulator-{emulator_version}" in done.stdout, "the plugin was loaded"
    assert "1 passed" in done.stdout


def test_the_vendors_sdk_works_with_the_emulator_alone(emulator_alone: Environment) -> None:
    """The example of the emulator's README."""
    (example,) = (block.text for block in blocks_of(ROOT / "emulator" / "README.md") if block.language == "python")
    done = emulator_alone.run("python", "-m", "pytest", _write_test(emulator_alone, "sdk", example))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
    listed = uv("pip", "list", "--python", emulator_alone.python)
    assert "encord-emulator" in listed
    assert "airflow" not in listed


def test_the_fixture_works_with_the_extra(with_emulator: Environment) -> None:
    body = "def test_it(encord_emulator):\n    assert encord_emulator.state()['projects'] == 0\n"
    done = with_emulator.run("python", "-m", "pytest", _write_test(with_emulator, "fixture", body))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def emulator(with_emulator: Environment) -> Iterator[Emulator]:
    """The emulator that the installed command started."""
    process = subprocess.Popen(
        [with_emulator.folder / "bin" / "encord-emulator", "serve", "--port", "0"],
        cwd=with_emulator.home,
        env=with_emulator.variables(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("encord-emulator listening on ")
        yield Emulator(line.rpartition(" ")[2].strip())
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def test_an_example_dag_runs_through(with_emulator: Environment, emulator: Emulator) -> None:
    key = keys.new_key()
    emulator.authorize(keys.public_line(key), email="me@example.com")
    pictures = with_emulator.home / "pictures"
    pictures.mkdir()
    for number in range(2):
        (pictures / f"{number}.png").write_bytes(media.png(32 + number, 24))
    connection = {"conn_type": "encord", "host": emulator.url, "extra": {"private_key": keys.openssh(key)}}
    dags = with_emulator.home / "dags"
    dags.mkdir()
    shutil.copy(EXAMPLES / "example_encord_intake.py", dags)
    variables = {
        "AIRFLOW_CONN_ENCORD_DEFAULT": json.dumps(connection),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
    }
    params = {"title": "From a wheel", "source": f"{pictures}/*.png"}
    with_emulator.output("airflow", "db", "migrate", variables=variables)
    run = ("dags", "test", "example_encord_intake", "2026-11-01", "--conf", json.dumps(params))
    with_emulator.output("airflow", *run, variables=variables)

    state = emulator.state()
    assert (state["projects"], state["datasets"], state["data_rows"]) == (1, 1, 2)


def test_a_type_checker_sees_the_types_of_the_installed_package(with_emulator: Environment) -> None:
    file = with_emulator.home / "typed.py"
    file.write_text("from airflow_provider_encord.client.errors import EncordError\nreveal_type(EncordError)\n")
    checked = subprocess.run(
        [UV.with_name("mypy"), "--python-executable", with_emulator.python, "--config-file=", file],
        cwd=with_emulator.home,
        env=with_emulator.variables(),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout
    assert "errors.EncordError" in checked.stdout
