"""Tasks whose buttons "Open in Encord" are looked at: files go in, labels come out, and some tasks fail."""

from __future__ import annotations

import datetime

from airflow.providers.common.compat.sdk import DAG, task

from airflow_provider_encord.agents import Task
from airflow_provider_encord.operators.agents import EncordAgentRunnerOperator
from airflow_provider_encord.operators.analytics import EncordExportAnalyticsOperator
from airflow_provider_encord.operators.datasets import (
    EncordAddDatasetUsersOperator,
    EncordGetDatasetOperator,
    EncordLinkItemsOperator,
    EncordRemoveDataRowsOperator,
)
from airflow_provider_encord.operators.labels import (
    EncordExportLabelsOperator,
    EncordExportLabelsPartitionOperator,
    EncordImportLabelsOperator,
    EncordPartitionLabelsOperator,
    EncordSnapshotLabelsOperator,
    EncordVerifyExportOperator,
)
from airflow_provider_encord.operators.media import EncordPullMediaOperator
from airflow_provider_encord.operators.projects import (
    EncordAddProjectUsersOperator,
    EncordCopyProjectOperator,
    EncordCreateProjectOperator,
    EncordGetProjectOperator,
    EncordListProjectsOperator,
    EncordSetProjectStatusOperator,
)
from airflow_provider_encord.operators.quality import EncordQualityGateBranchOperator, EncordQualityGateOperator
from airflow_provider_encord.operators.reports import EncordProjectReportOperator
from airflow_provider_encord.operators.storage import (
    EncordCreateFolderOperator,
    EncordRegisterCloudDataOperator,
    EncordSyncFolderOperator,
    EncordUpdateMetadataOperator,
    EncordUploadFilesOperator,
)
from airflow_provider_encord.operators.training import EncordBuildTrainingSetOperator
from airflow_provider_encord.operators.workflow import (
    EncordAddIssuesOperator,
    EncordAssignTasksOperator,
    EncordMoveTasksOperator,
    EncordPartitionTasksOperator,
    EncordProceedTasksOperator,
    EncordReleaseTasksOperator,
    EncordReopenTasksOperator,
    EncordRevertTasksOperator,
    EncordReviewTasksOperator,
    EncordSampleTasksOperator,
    EncordSetPriorityOperator,
    EncordSubmitTasksOperator,
)
from airflow_provider_encord.sensors.labels import EncordLabelsChangedSensor
from airflow_provider_encord.sensors.projects import EncordProjectProgressSensor, EncordProjectStatusSensor
from airflow_provider_encord.sensors.workflow import EncordTasksSensor

with DAG(dag_id="links_in_a_dag", schedule=None, render_template_as_native_obj=True) as dag:
    upload = EncordUploadFilesOperator.partial(task_id="upload", source="{{ params.source }}").expand(
        dataset_id=["{{ params.dataset }}", "{{ params.other_dataset }}"]
    )
    export = EncordExportLabelsOperator(
        task_id="export", project_id="{{ params.project }}", destination="{{ params.destination }}"
    )
    create_again = EncordCreateProjectOperator(task_id="create_again", title="{{ params.title }}")

with DAG(dag_id="links_of_failures", schedule=None) as dag_that_fails:
    EncordGetProjectOperator(task_id="not_there", project_id="00000000-0000-4000-8000-00000000abcd")
    EncordUploadFilesOperator(task_id="no_files", source="/no/such/file.png", dataset_id="{{ params.dataset }}")
    EncordExportLabelsOperator(task_id="no_room", project_id="{{ params.project }}", destination="/proc/nothing")
    EncordGetProjectOperator(task_id="no_id", project_id="not an id")

with DAG(
    dag_id="links_under_api_keys", schedule=None, default_args={"encord_conn_id": "encord_api_key"}
) as dag_under_api_keys:
    EncordGetProjectOperator(task_id="get_project")
    EncordGetDatasetOperator(task_id="get_dataset", encord_conn_id="encord_dataset_key")

with DAG(dag_id="links_of_lists", schedule=None) as dag_of_lists:
    EncordListProjectsOperator(task_id="several")
    EncordListProjectsOperator(task_id="none", title="There is no project of this title")

with DAG(dag_id="links_of_chores", schedule=None) as dag_of_chores:
    folder = EncordCreateFolderOperator(task_id="folder", title="Crossings")
    sync = EncordSyncFolderOperator(task_id="sync", folder_id="{{ params.synced }}")
    register = EncordRegisterCloudDataOperator(
        task_id="register",
        folder_id=folder.output,
        source="{{ params.manifest }}",
        integration="{{ params.integration }}",
    )
    metadata = EncordUpdateMetadataOperator(task_id="metadata", folder_id=folder.output, metadata={"a.png": {"n": 1}})
    link = EncordLinkItemsOperator(task_id="link", dataset_id="{{ params.dataset }}", folder_id=folder.output)
    register >> metadata >> link
    EncordRemoveDataRowsOperator(
        task_id="remove", dataset_id="{{ params.other_dataset }}", data_hashes="{{ params.row }}"
    )
    EncordAddDatasetUsersOperator(
        task_id="dataset_users", dataset_id="{{ params.dataset }}", user_emails="{{ params.user }}", role="user"
    )
    EncordAddProjectUsersOperator(
        task_id="project_users", project_id="{{ params.project }}", user_emails="{{ params.user }}", role="annotator"
    )
    EncordCopyProjectOperator(task_id="copy", project_id="{{ params.project }}", title="Street, again")
    EncordSetProjectStatusOperator(task_id="status", project_id="{{ params.project }}", status="completed")

with DAG(dag_id="links_of_labels", schedule=None) as dag_of_labels:
    about = {"project_id": "{{ params.project }}"}
    partition = EncordPartitionLabelsOperator(
        task_id="partition", destination="{{ params.destination }}/parts", rows_per_partition=2, **about
    )
    verify = EncordVerifyExportOperator(
        task_id="verify", manifest="{{ params.destination }}/parts", check="listing", on_error="report"
    )
    verify_files = EncordVerifyExportOperator(task_id="verify_files", manifest="{{ params.destination }}/parts")
    export = EncordExportLabelsPartitionOperator.partial(task_id="export_part").expand(partition=partition.output)
    export >> [verify, verify_files]
    EncordImportLabelsOperator(task_id="import", source="{{ params.prelabels }}", **about).set_upstream(verify)
    EncordSnapshotLabelsOperator(task_id="snapshot", snapshot_branch="frozen", if_late="mark", **about)
    limits = {"labels": "{{ params.destination }}/parts", "max_invalid_rows": 1, "if_empty": "pass", **about}
    export >> [
        EncordQualityGateOperator(task_id="gate", report="{{ params.destination }}/gate.jsonl", **limits),
        EncordQualityGateBranchOperator(task_id="branch", report="{{ params.destination }}/branch.jsonl", **limits),
    ]
    media = EncordPullMediaOperator(
        task_id="media", labels="{{ params.destination }}/parts", destination="{{ params.destination }}/media"
    )
    training = EncordBuildTrainingSetOperator(
        task_id="training",
        labels="{{ params.destination }}/parts",
        media="{{ params.destination }}/media/media.jsonl",
        destination="{{ params.destination }}/training",
        format="coco",
    )
    export >> media >> training
    EncordExportAnalyticsOperator(
        task_id="analytics",
        destination="{{ params.destination }}/analytics",
        start="2026-01-01",
        end="2026-01-02",
        **about,
    )
    EncordProjectReportOperator(
        task_id="progress", destination="{{ params.destination }}/progress.html", refresh=True, **about
    )

with DAG(dag_id="links_of_tasks", schedule=None) as dag_of_tasks:
    steps = [
        (EncordSetPriorityOperator, "prioritize", {"stage": "Annotate", "priority": 0.7}),
        (EncordAssignTasksOperator, "assign", {"stage": "Annotate", "assignee": "{{ params.user }}"}),
        (EncordAddIssuesOperator, "issues", {"stage": "Annotate", "comment": "Look again."}),
        (EncordReleaseTasksOperator, "release", {"stage": "Annotate"}),
        (EncordSubmitTasksOperator, "submit", {"stage": "Annotate"}),
        (EncordReviewTasksOperator, "review", {"stage": "Review", "verdict": "approve"}),
        (EncordReopenTasksOperator, "reopen", {"stage": "Complete"}),
        (EncordMoveTasksOperator, "move", {"stage": "Annotate", "to_stage": "Review"}),
        (EncordProceedTasksOperator, "proceed", {"stage": "Agent", "pathway": "yes"}),
    ]
    done = None
    for operator, name, arguments in steps:
        report = f"{{{{ params.destination }}}}/{name}.jsonl"
        step = operator(task_id=name, project_id="{{ params.project }}", report=report, **arguments)
        done = step if done is None else done >> step
    about = {"project_id": "{{ params.project }}", "stage": "Annotate"}

    @task.encord_agent(project_id="{{ params.project }}", stage="Agent")
    def agent(task_: Task) -> str:
        return "yes" if task_.data_title else "no"

    agent()
    EncordSampleTasksOperator(task_id="sample", size=1, report="{{ params.destination }}/sample.jsonl", **about)
    EncordPartitionTasksOperator(task_id="parts", destination="{{ params.destination }}/parts", **about)
    done >> EncordRevertTasksOperator(
        task_id="revert",
        source="{{ params.destination }}/move.jsonl",
        report="{{ params.destination }}/revert.jsonl",
    )

with DAG(dag_id="links_of_runners", schedule=None) as dag_of_runners:
    EncordAgentRunnerOperator(
        task_id="runner", runner="tests.airflow_layer.dags.prelabel_runner:runner", project_id="{{ params.project }}"
    )

with DAG(dag_id="links_of_sensors", schedule=None, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)) as (
    dag_of_sensors
):
    about = {"project_id": "{{ params.project }}", "timeout": 20, "poke_interval": 0.1}
    EncordTasksSensor(task_id="tasks", stage="Annotate", min_tasks=1, **about)
    EncordProjectProgressSensor(task_id="progress", stages="Annotate", **about)
    EncordProjectStatusSensor(task_id="status", statuses=["notStarted", "inProgress"], **about)
    EncordLabelsChangedSensor(task_id="labels", since="2026-01-01T00:00:00+00:00", **about)
