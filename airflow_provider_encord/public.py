"""What is public: the modules and names that users may import, and the commands that they may run.

Names that are not in `MODULES` may change in any version. README, docs and examples import nothing else; a test checks
that. ``docs/reference/public.md`` is made from this table.
"""

from __future__ import annotations

import dataclasses

from airflow_provider_encord import client

PACKAGE = "airflow_provider_encord"
EMULATOR = "encord_emulator"


@dataclasses.dataclass(frozen=True)
class PublicModule:
    """A module that users import from.

    :param module: Its dotted name, without the package; empty for the package itself.
    :param names: What users import.
    :param about: What it is for.
    :param package: The package that it is in.
    """

    module: str
    names: tuple[str, ...]
    about: str
    package: str = PACKAGE

    @property
    def path(self) -> str:
        """The whole dotted name."""
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
    PublicModule("operators.analytics", ("EncordExportAnalyticsOperator",), "Operators on analytics."),
    PublicModule(
        "operators.base",
        ("EncordBaseOperator", "airflow_errors"),
        "For operators and tasks of your own: a base class, and our errors as those of Airflow.",
    ),
    PublicModule("triggers.jobs", ("EncordJobTrigger",), "The trigger that deferrable operators wait in."),
    PublicModule("hooks.encord", ("EncordHook",), "The hook: from an Airflow connection to a client."),
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
        "Airflow assets for what is in Encord, and their URIs.",
    ),
    PublicModule(
        "links",
        ("EncordLink", "dataset_url", "folder_url", "label_editor_url", "ontology_url", "project_url"),
        "Links into Encord's web app.",
    ),
    PublicModule("exports", ("Manifest", "ManifestError", "read", "read_manifest"), "Reading exports of label rows."),
    PublicModule(
        "reports",
        ("OUTCOMES", "ReportLine", "SCHEMA_VERSION"),
        "What every line of a report has, and the words for outcomes.",
    ),
    PublicModule("schemas", ("NAMES", "read_schema"), "JSON Schemas of reports and manifests."),
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
    "airflow encord smoke": "The same; on Airflow 3.2 and newer.",
}
FIXTURES = {"encord_emulator": "A new emulator for one test, in pytest."}

PROVISIONAL = f"{PACKAGE}.client.api"
"""Functions below this package that are operations may be imported. They may change in a minor version."""
