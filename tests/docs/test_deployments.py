"""The deployments that the documentation shows: valid, the same as each other, and with options that there are."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from airflow_provider_encord.get_provider_info import get_provider_info
from tests.docs.blocks import DOCS
from tests.docs.plain_english import ROOT

FOLDER = DOCS / "deployments"
COMPOSE, VALUES, POD = (FOLDER / name for name in ("docker-compose.yaml", "values.yaml", "pod-template.yaml"))
CHART_NAMES = {
    "api-server": "apiServer",
    "dag-processor": "dagProcessor",
    "scheduler": "scheduler",
    "triggerer": "triggerer",
    "worker": "workers",
}
OPTION = re.compile(r"AIRFLOW__([A-Z_]+?)__([A-Z_]+)")


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load(COMPOSE.read_text())


@pytest.fixture(scope="module")
def values() -> Any:
    return yaml.safe_load(VALUES.read_text())


@pytest.fixture(scope="module")
def pod() -> Any:
    return yaml.safe_load(POD.read_text())


def _options(compose: Any) -> dict[tuple[str, str], str]:
    """The options of Airflow that the containers have, by section and name."""
    variables = compose["x-airflow"]["environment"]
    found = [(OPTION.fullmatch(name), value) for name, value in variables.items()]
    return {(match[1].lower(), match[2].lower()): value for match, value in found if match}


def _options_of_pod(pod: Any) -> dict[tuple[str, str], str]:
    (base,) = pod["spec"]["containers"]
    found = [(OPTION.fullmatch(variable["name"]), variable["value"]) for variable in base["env"]]
    return {(match[1].lower(), match[2].lower()): value for match, value in found if match}


def _replicas(service: Any) -> int:
    return int(service.get("deploy", {}).get("replicas", 1))


def test_compose_is_valid() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_start_the_same_number_of_each_component(compose: Any, values: Any) -> None:
    services = {name: _replicas(compose["services"][name]) for name in CHART_NAMES}
    assert services == {name: values[chart]["replicas"] for name, chart in CHART_NAMES.items()}


def test_both_set_the_same_options(compose: Any, values: Any) -> None:
    options = _options(compose)
    chart = {(section, name): value for section, names in values["config"].items() for name, value in names.items()}
    assert set(chart) <= set(options)
    differing = {key for key, value in chart.items() if options[key] != value}
    assert differing == {("encord", "rate_limit_redis_url")}  # the host of the Redis server
    assert options["core", "executor"] == values["executor"]


def test_the_pod_is_one_that_kubernetes_executor_takes(pod: Any) -> None:
    assert (pod["apiVersion"], pod["kind"]) == ("v1", "Pod")
    assert [one["name"] for one in pod["spec"]["containers"]] == ["base"], (
        "Airflow starts the attempt in this container"
    )
    assert pod["spec"]["restartPolicy"] == "Never"


def test_a_pod_keeps_nothing_for_the_next_one(pod: Any) -> None:
    """As in tests/pods: temporary files are on a disk that is empty at first, and goes with the pod."""
    (volume,) = pod["spec"]["volumes"]
    assert set(volume) == {"name", "emptyDir"}
    (base,) = pod["spec"]["containers"]
    (mount,) = base["volumeMounts"]
    temporary = [one["value"] for one in base["env"] if one["name"] == "TMPDIR"]
    assert (mount["name"], [mount["mountPath"]]) == (volume["name"], temporary)


def test_the_pod_and_the_chart_agree(pod: Any, values: Any) -> None:
    options, chart = _options_of_pod(pod), values["config"]
    differing = [key for key, value in options.items() if chart.get(key[0], {}).get(key[1]) != value]
    assert differing == [("core", "execution_api_server_url")]  # the chart sets it itself
    image = values["images"]["airflow"]
    (base,) = pod["spec"]["containers"]
    assert base["image"] == f"{image['repository']}:{image['tag']}"
    assert pod["spec"]["terminationGracePeriodSeconds"] == values["workers"]["terminationGracePeriodSeconds"]


def test_the_options_are_options_of_airflow_or_the_provider(compose: Any, pod: Any) -> None:
    from airflow.configuration import conf

    ours = {("encord", name) for name in get_provider_info()["config"]["encord"]["options"]}
    theirs = conf.configuration_description
    unknown = [
        (section, name)
        for section, name in (*_options(compose), *_options_of_pod(pod))
        if (section, name) not in ours
        and name not in theirs.get(section, {}).get("options", {})
        and section != "celery"
    ]
    assert unknown == []


def test_all_name_the_airflow_that_is_tested(values: Any) -> None:
    pinned = re.search(r"^apache-airflow==(.+)$", (ROOT / "constraints/airflow-3.3.txt").read_text(), re.MULTILINE)
    assert pinned is not None
    named = set(re.findall(r"\b3\.\d+\.\d+\b", (FOLDER / "Dockerfile").read_text()))
    assert {*named, *(values[name] for name in ("airflowVersion", "defaultAirflowTag"))} == {pinned[1]}
    assert values["images"]["airflow"]["tag"] == pinned[1]


def test_no_secret_is_written_in_them(compose: Any) -> None:
    for name, value in compose["x-airflow"]["environment"].items():
        if re.search("KEY|SECRET|PASSWORD", name):
            assert value.startswith("${"), name
