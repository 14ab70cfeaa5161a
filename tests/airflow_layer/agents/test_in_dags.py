"""``@task.encord_agent`` in DAGs: found by Airflow, mapped, retried; and what a DAG processor refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_encord.agents import LabelRowJson, Task
from airflow_provider_encord.operators.literals import InvalidLiteralError
from tests.airflow_layer.agent_stage import AgentStage, numbers
from tests.airflow_layer.bench import run_dag
from tests.airflow_layer.dags import agents_in_a_dag as dags
from tests.airflow_layer.package.test_import_cost import CHEAP

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database")]


@pytest.fixture
def params(stage: AgentStage) -> dict[str, Any]:
    return {"project_id": stage.project_id, "directory": str(stage.directory)}


def test_mapped_over_shards_each_task_is_handled_once(stage: AgentStage, params: dict[str, Any]) -> None:
    run = run_dag(dags.over_shards, **params)
    assert (run.state, run.results["total"]) == ("success", 4)
    assert stage.counts() == {"Complete": 4}
    assert stage.objects() == [1, 1, 1, 1]
    lines = [line for shard in range(3) for line in stage.lines(f"{shard}.jsonl")]
    assert sorted(line["id"] for line in lines) == sorted(task.uuid for task in stage.tasks)


def test_mapped_over_batches_of_an_event(stage: AgentStage, params: dict[str, Any]) -> None:
    run = run_dag(dags.over_batches, **params)
    assert run.state == "success"
    assert [numbers(run.results[f"route[{number}]"]) for number in range(2)] == [
        {"tasks": 1, "moved": 1},
        {"tasks": 3, "moved": 3},
    ]
    assert stage.counts() == {"Annotate": 4}


def test_a_retry_handles_only_what_is_left(stage: AgentStage, params: dict[str, Any]) -> None:
    run = run_dag(dags.with_retry, **params)
    assert (run.state, run.tries["flaky"]) == ("success", 2)
    assert numbers(run.results["flaky"]) == {"tasks": 1, "moved": 1, "labels_saved": 1}
    assert len((stage.directory / "calls").read_text().splitlines()) == 5
    assert stage.objects() == [1, 1, 1, 1]
    assert [line["outcome"] for line in stage.lines("report.jsonl")] == ["updated"] * 4


def test_a_task_that_fails_takes_the_pathway_of_the_params(stage: AgentStage, params: dict[str, Any]) -> None:
    run = run_dag(dags.with_retry, **params, way_out="unsure")
    assert (run.state, run.tries["flaky"]) == ("success", 1)
    assert stage.counts() == {"Annotate": 1, "Complete": 3}


def _no_annotation(row) -> None:  # type: ignore[no-untyped-def]
    """Asks for nothing."""


def _other_type(row: dict[str, Any]) -> None:
    """Asks for a type that is not known."""


def _unreadable(row: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821
    """Asks for a type that cannot be found."""


def _two(row: LabelRowJson | Task) -> None:
    """Asks for one of two types."""


def _by_position(task: Task, /) -> None:
    """Can only be called by position."""


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (_no_annotation, "row: this parameter of the function gets no value, because it has no annotation. Annotate"),
        (_other_type, r"row: .* its annotation .*dict.* is not one .* one of Task, LabelRowJson, EditableLabels"),
        (_unreadable, r"row: .* its annotation 'Nowhere' cannot be read \(NameError"),
        (_two, "row: "),
        (_by_position, "task: parameters of the function are passed by name"),
    ],
)
def test_a_function_that_cannot_be_called_is_refused_while_the_dag_is_parsed(
    function: Callable[..., Any], problem: str
) -> None:
    with DAG("refused", schedule=None), pytest.raises(InvalidLiteralError, match=problem):
        task.encord_agent(project_id="p", stage="s")(function)()


@pytest.mark.parametrize(
    ("argument", "value"),
    [("batch_size", 0), ("commit_every", 501), ("max_concurrency", -1), ("shards", 0), ("report", "report.jsonl")],
)
def test_a_wrong_literal_is_refused_while_the_dag_is_parsed(argument: str, value: Any) -> None:
    with DAG("refused", schedule=None), pytest.raises(InvalidLiteralError, match=f"^{argument}: "):
        task.encord_agent(task_id="agent", project_id="p", stage="s", **{argument: value})(lambda: None)()


def test_importing_the_decorator_and_the_types_of_results_loads_nothing_heavy() -> None:
    program = (
        "import json, sys; from airflow.providers.common.compat.sdk import task, DAG, DecoratedOperator;"
        "before = set(sys.modules); import airflow_provider_encord.decorators.agent;"
        "from airflow_provider_encord.agents import AgentResult, LabelRowJson, LocalAsset, SignedUrl;"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "airflow_provider_encord.decorators.agent" in loaded
    assert not {name.partition(".")[0] for name in loaded} & {"requests", "msgspec", "httpx", "cryptography", "fsspec"}
    ours = {name.partition(".")[2] for name in loaded if name.startswith("airflow_provider_encord.client")}
    assert ours <= CHEAP
