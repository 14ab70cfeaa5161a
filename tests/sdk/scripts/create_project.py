"""Make a project and show what the SDK then knows of it."""

from account import arguments, show, sign_in

options = arguments("title", description="", dataset=[], ontology="", template=None)
user = sign_in(options)
project_hash = user.create_project(
    project_title=options.title,
    dataset_hashes=options.dataset,
    project_description=options.description,
    ontology_hash=options.ontology,
    workflow_template_hash=options.template,
)
project = user.get_project(project_hash)
show(
    {
        "project_hash": project_hash,
        "title": project.title,
        "description": project.description,
        "project_type": project.project_type.value,
        "ontology_hash": project.ontology_hash,
        "structure": project.ontology_structure.to_dict(),
        "datasets": [str(dataset.dataset_hash) for dataset in project.list_datasets()],
        "stages": [
            {"uuid": stage.uuid, "title": stage.title, "type": stage.stage_type.value}
            for stage in project.workflow.stages
        ],
        "label_rows": len(project.list_label_rows_v2()),
    }
)
