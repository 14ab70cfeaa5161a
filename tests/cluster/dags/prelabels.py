"""Pre-labels of a bucket imported into one project by mapped tasks."""

import datetime

from airflow.sdk import DAG, Param, task

from airflow_provider_encord.operators.labels import EncordImportLabelsOperator

with DAG(
    "prelabels",
    schedule=None,
    default_args={"retries": 60, "retry_delay": datetime.timedelta(seconds=3)},
    params={"project": "", "reports": "", "name": "", "sources": Param([], type="array")},
) as dag:

    @task
    def sources(params: dict) -> list[str]:
        """The files of pre-labels, one for each mapped task."""
        return params["sources"]

    EncordImportLabelsOperator.partial(
        task_id="import_labels",
        project_id="{{ params.project }}",
        if_exists="merge",
        report="{{ params.reports }}/{{ params.name or run_id }}/{{ ti.map_index }}.jsonl",
    ).expand(source=sources())
