"""Copy a project in every way that the SDK offers, and show what each copy has."""

from account import arguments, show, sign_in
from encord.orm.project import CopyDatasetAction, CopyDatasetOptions, CopyLabelsOptions, ReviewApprovalState

options = arguments("project", "dataset", data=[])
user = sign_in(options)
project = user.get_project(options.project)
label_hashes = [row.label_hash for row in project.list_label_rows_v2() if row.label_hash]


def view(project_hash):
    copied = user.get_project(project_hash)
    rows = copied.list_label_rows_v2()
    ready = [row for row in rows if row.label_hash]
    for row in ready:
        row.initialise_labels()
    return {
        "title": copied.title,
        "description": copied.description,
        "ontology": copied.ontology_hash,
        "datasets": [[str(dataset.dataset_hash), dataset.title] for dataset in copied.list_datasets()],
        "users": {one.user_email: one.user_role.name for one in copied.list_users()},
        "rows": len(rows),
        "labelled": sorted(row.data_title for row in ready),
        "objects": sum(len(row.get_object_instances()) for row in ready),
        "label_hashes": sorted(row.label_hash for row in ready),
        "stages": [stage.title for stage in copied.workflow.stages],
        "first": sorted({row.workflow_graph_node.title for row in rows}),
    }


clone = CopyDatasetOptions(
    action=CopyDatasetAction.CLONE,
    dataset_title="Cloned",
    dataset_description="d",
    datasets_to_data_hashes_map={options.dataset: options.data},
)
show(
    {
        "originals": label_hashes,
        "bare": view(project.copy_project(new_title="Bare", new_description="nothing")),
        "untitled": view(project.copy_project()),
        "attached": view(project.copy_project(copy_datasets=True, copy_collaborators=True, copy_models=True)),
        "with labels": view(project.copy_project(copy_datasets=True, copy_labels=CopyLabelsOptions())),
        "one label": view(
            project.copy_project(
                copy_datasets=True, copy_labels=CopyLabelsOptions(accepted_label_hashes=label_hashes[:1])
            )
        ),
        "approved": view(
            project.copy_project(
                copy_datasets=True,
                copy_labels=CopyLabelsOptions(accepted_label_statuses=[ReviewApprovalState.APPROVED]),
            )
        ),
        "cloned": view(project.copy_project(copy_datasets=clone, copy_labels=CopyLabelsOptions())),
    }
)
