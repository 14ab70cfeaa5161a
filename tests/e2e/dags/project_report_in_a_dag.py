"""A task that works on a project and needs no account: it writes the report of a project from its history."""

import os
import uuid
from pathlib import Path

from airflow.providers.common.compat.sdk import DAG

from airflow_provider_encord.operators.reports import EncordProjectReportOperator

with DAG(dag_id="project_report_in_a_dag", schedule=None, params={"project_id": str(uuid.UUID(int=1))}) as dag:
    EncordProjectReportOperator(
        task_id="report",
        project_id="{{ params.project_id }}",
        destination=str(Path(os.environ["AIRFLOW_HOME"]) / "report.html"),
    )
