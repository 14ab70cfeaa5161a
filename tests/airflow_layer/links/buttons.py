"""A run of a DAG, and what the buttons of its tasks lead to as Airflow's web server is asked."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.airflow_layer.bench import in_its_folder
from tests.airflow_layer.links.test_link_addresses import IN_AIRFLOW, NAME

try:
    from airflow.serialization.serialized_objects import DagSerialization
except ImportError:  # before Airflow 3.2
    from airflow.serialization.serialized_objects import SerializedDAG as DagSerialization


def as_the_web_server_has_it(dag: Any) -> Any:
    """The DAG as it is after it went through the database."""
    return DagSerialization.from_dict(DagSerialization.to_dict(dag))


@dataclasses.dataclass(frozen=True)
class Looked:
    """What came of a run.

    :param states: State of each task instance, by task id and map index.
    :param links: Where its button leads, as Airflow's web server is asked; empty if it leads nowhere.
    :param results: What it returned.
    :param pages: Where its button for the page in Airflow leads, if it has one.
    """

    states: dict[str, str]
    links: dict[str, str]
    results: dict[str, Any]
    pages: dict[str, str] = dataclasses.field(default_factory=dict)


def look_at(dag: Any, **params: Any) -> Looked:
    """Run a DAG in this process, then look at its buttons from the side of the web server."""
    with in_its_folder(dag):
        run = dag.test(run_conf=params or None)
    shown = as_the_web_server_has_it(dag)
    looked = Looked({}, {}, {})
    for instance in run.get_task_instances():
        name = instance.task_id + (f"[{instance.map_index}]" if instance.map_index >= 0 else "")
        task = shown.get_task(instance.task_id)
        looked.states[name] = str(instance.state)
        looked.results[name] = instance.xcom_pull(task_ids=instance.task_id, map_indexes=instance.map_index)
        if NAME in task.extra_links:
            looked.links[name] = task.get_extra_links(instance, NAME)
        if IN_AIRFLOW in task.extra_links:
            looked.pages[name] = task.get_extra_links(instance, IN_AIRFLOW)
    return looked
