"""What each read request needs. If it is missing, the report gives it as the reason why a read was not tried."""

from __future__ import annotations

from airflow_provider_encord.client.call import API_KEY, SSH_KEY, V1

_NEEDS = {
    "a group of users": "groups.get groups.list_users",
    "an ontology in the first project": "ontology.get ontology.list_groups",
    "a storage folder": (
        "storage.folder.get storage.folder.summary storage.folder.subfolders storage.folder.list_groups "
        "storage.folder.items"
    ),
    "a folder that is synced with a bucket": "storage.folder.config.get",
    "a storage item": "storage.item.get storage.items.get_bulk storage.item.summary",
    "an image group, an image sequence or a DICOM series": "storage.item.children",
    "a collection of storage items": "collections.get collections.items.list collections.items.list_all",
    "a filter preset": "presets.get presets.definition",
    "a collection of frames or labels": (
        "project.collections.get project.collections.frames project.collections.labels"
    ),
    "a filter preset of the project": "project.presets.get project.presets.definition",
    "a model": "ml_models.get",
    "a training of a model": "ml_models.training_data",
    "a scene": "scene.get",
    "a data row": "dataset.data_row.get",
    "a label row": "project.get_data workflow.task.issues.list",
    "a label row with labels": "label_rows.get label_rows.validation_state label_rows.classifications",
    "a project with a workflow": "workflow.tasks.list",
    "a task in a review stage": "workflow.task.label_reviews.list",
}
_BY_OPERATION = {name: needed for needed, names in _NEEDS.items() for name in names.split()}
_OF_PROJECTS = ("project.", "label_rows.", "label_logs.", "editor_logs.", "analytics.", "api_key.project.")
_OF_DATASETS = ("dataset.", "api_key.dataset.")

# All other v1 operations accept both kinds of credential; v2 operations need an SSH key.
V1_FOR_SSH_KEYS = frozenset(
    {"api_key.project.list", "api_key.dataset.list", "ontology.get", "ontology.list", "projects.list"}
)
V1_FOR_API_KEYS = frozenset({"api_key.lookup"})


def usable_with(operation: str, api: str) -> frozenset[str]:
    """The kinds of credential that this read accepts."""
    if api == V1 and operation in V1_FOR_API_KEYS:
        return frozenset({API_KEY})
    if api == V1 and operation not in V1_FOR_SSH_KEYS:
        return frozenset({SSH_KEY, API_KEY})
    return frozenset({SSH_KEY})


def missing(operation: str) -> str:
    """The reason why this read could not be tried."""
    if operation in _BY_OPERATION:
        return f"{_BY_OPERATION[operation]} was not found"
    if operation.startswith(_OF_PROJECTS):
        return "a project was not found"
    if operation.startswith(_OF_DATASETS):
        return "a dataset was not found"
    return "an earlier read that it depends on was refused"
