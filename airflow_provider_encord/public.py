"""The public API: the modules and names that users may import, and the commands that they may run.

Other names may change in any version. README, docs and examples import only the names in `MODULES`; a test checks that.
``docs/reference/public.md`` is generated from this table.
"""

from __future__ import annotations

import dataclasses

from airflow_provider_encord import agents, client

PACKAGE = "airflow_provider_encord"
EMULATOR = "encord_emulator"


@dataclasses.dataclass(frozen=True)
class PublicModule:
    """A public module.

    :param module: Dotted name, without the package; empty for the package itself.
    :param names: The public names in it.
    :param about: Description.
    :param package: The package that it is in.
    """

    module: str
    names: tuple[str, ...]
    about: str
    package: str = PACKAGE

    @property
    def path(self) -> str:
        """The full dotted name."""
        return f"{self.package}.{self.module}" if self.module else self.package


MODULES = (
    PublicModule("", ("__version__",), "The version of the installed package."),
    PublicModule(
        "operators.projects",
        (
            "EncordAddProjectUsersOperator",
            "EncordAttachDatasetsOperator",
            "EncordCopyProjectOperator",
            "EncordCreateProjectOperator",
            "EncordDetachDatasetsOperator",
            "EncordGetProjectOperator",
            "EncordListProjectsOperator",
            "EncordSetProjectStatusOperator",
        ),
        "Operators on projects.",
    ),
    PublicModule(
        "operators.datasets",
        (
            "EncordAddDatasetUsersOperator",
            "EncordCreateDatasetOperator",
            "EncordGetDatasetOperator",
            "EncordLinkItemsOperator",
            "EncordListDatasetsOperator",
            "EncordRemoveDataRowsOperator",
        ),
        "Operators on datasets.",
    ),
    PublicModule(
        "operators.ontologies",
        ("EncordCreateOntologyOperator", "EncordGetOntologyOperator"),
        "Operators on ontologies.",
    ),
    PublicModule(
        "operators.storage",
        (
            "EncordCreateFolderOperator",
            "EncordPartitionObjectsOperator",
            "EncordRegisterCloudDataOperator",
            "EncordSetMetadataSchemaOperator",
            "EncordSyncFolderOperator",
            "EncordUpdateMetadataOperator",
            "EncordUploadFilesOperator",
        ),
        "Operators on files, cloud objects and storage folders.",
    ),
    PublicModule(
        "operators.labels",
        (
            "EncordExportLabelsOperator",
            "EncordExportLabelsPartitionOperator",
            "EncordImportLabelsOperator",
            "EncordPartitionLabelsOperator",
            "EncordSnapshotLabelsOperator",
            "EncordVerifyExportOperator",
        ),
        "Operators on label rows.",
    ),
    PublicModule(
        "operators.workflow",
        (
            "EncordAddIssuesOperator",
            "EncordAssignTasksOperator",
            "EncordMoveTasksOperator",
            "EncordPartitionTasksOperator",
            "EncordProceedTasksOperator",
            "EncordReleaseTasksOperator",
            "EncordReopenTasksOperator",
            "EncordRevertTasksOperator",
            "EncordReviewTasksOperator",
            "EncordSampleTasksOperator",
            "EncordSetPriorityOperator",
            "EncordSubmitTasksOperator",
        ),
        "Operators on workflow tasks.",
    ),
    PublicModule(
        "operators.media",
        ("EncordPullMediaOperator",),
        "Operators on the files behind data units.",
    ),
    PublicModule(
        "operators.training",
        ("EncordBuildTrainingSetOperator",),
        "Training sets of labels and media.",
    ),
    PublicModule(
        "operators.quality",
        ("EncordQualityGateBranchOperator", "EncordQualityGateOperator"),
        "Quality gates: operators that decide about labels by numbers.",
    ),
    PublicModule(
        "operators.agents",
        ("EncordAgentRunnerOperator",),
        "The operator for runners of the library encord-agents.",
    ),
    PublicModule("operators.analytics", ("EncordExportAnalyticsOperator",), "Operators on analytics."),
    PublicModule("operators.reports", ("EncordProjectReportOperator",), "Reports on projects."),
    PublicModule(
        "operators.base",
        ("EncordBaseOperator", "airflow_errors"),
        "For your own operators and tasks: a base class, and the conversion to Airflow's errors.",
    ),
    PublicModule("sensors.labels", ("EncordLabelsChangedSensor",), "Sensors on label rows."),
    PublicModule(
        "sensors.projects", ("EncordProjectProgressSensor", "EncordProjectStatusSensor"), "Sensors on projects."
    ),
    PublicModule("sensors.workflow", ("EncordTasksSensor",), "Sensors on workflow stages."),
    PublicModule("triggers.jobs", ("EncordJobTrigger",), "The trigger of the deferrable operators."),
    PublicModule("triggers.waits", ("EncordWaitTrigger",), "The trigger of the deferrable sensors."),
    PublicModule(
        "triggers.pauses",
        ("EncordPauseTrigger",),
        "The trigger of tasks that wait while Encord asks for fewer requests.",
    ),
    PublicModule(
        "triggers.events",
        ("EncordLabelsEventTrigger", "EncordTasksEventTrigger"),
        "Triggers of asset watchers, which start runs when there is work.",
    ),
    PublicModule(
        "events",
        ("label_batches", "received", "task_batches"),
        "What the events of a run announce, for the DAG that they started.",
    ),
    PublicModule(
        "decorators.agent",
        ("encord_agent_task",),
        "The task decorator ``@task.encord_agent``, for type checkers, which do not know it by that name.",
    ),
    PublicModule(
        "agents",
        tuple(agents.__all__),
        "What the function of ``@task.encord_agent`` can ask for, and what it returns.",
    ),
    PublicModule("retries", ("encord_retry_policy",), "A retry policy that keeps the times that Encord asks for."),
    PublicModule("hooks.encord", ("EncordHook",), "The hook, which creates a client from an Airflow connection."),
    PublicModule(
        "assets",
        (
            "dataset_asset",
            "dataset_uri",
            "folder_asset",
            "folder_uri",
            "labels_asset",
            "labels_uri",
            "project_asset",
            "project_uri",
            "stage_asset",
            "stage_uri",
        ),
        "Airflow assets for resources in Encord, and their URIs.",
    ),
    PublicModule(
        "links",
        (
            "EncordLink",
            "EncordProjectPageLink",
            "dataset_url",
            "folder_url",
            "label_editor_url",
            "ontology_url",
            "project_url",
            "queue_url",
        ),
        "Links to Encord's web app.",
    ),
    PublicModule("exports", ("Manifest", "ManifestError", "read", "read_manifest"), "Reading exports of label rows."),
    PublicModule(
        "reports",
        ("OUTCOMES", "ReportLine", "SCHEMA_VERSION"),
        "The fields of the lines in reports, and the words for outcomes.",
    ),
    PublicModule(
        "schemas",
        ("NAMES", "TABLE_SCHEMAS", "read_schema", "read_table_schema"),
        "JSON Schemas of reports, manifests and annotations, and the table of annotations for warehouses.",
    ),
    PublicModule(
        "",
        ("Emulator", "EmulatorError", "SeededProject"),
        "A local server that behaves like Encord, for tests. A distribution of its own, `encord-emulator`.",
        package=EMULATOR,
    ),
    PublicModule("client", tuple(client.__all__), "Encord's HTTP API without Airflow."),
)

COMMANDS = {
    "encord-emulator": "The emulator as a server.",
    f"python -m {PACKAGE}.smoke": "Read-only checks with your own connection, and a report for an issue.",
    "airflow encord smoke": "The same command, on Airflow 3.2 and newer.",
}
FIXTURES = {"encord_emulator": "A new emulator for one test, in pytest."}

PROVISIONAL = f"{PACKAGE}.client.api"
"""The API operations in this package may be imported, but they may change in a minor version."""
