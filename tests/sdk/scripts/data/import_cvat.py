"""A CVAT export, made into a project with its images, its labels as an ontology, and a report."""

from account import arguments, show, sign_in
from encord.orm.project import ReviewMode
from encord.utilities.client_utilities import LocalImport

options = arguments("export")
client = sign_in(options)
job = client.create_project_from_cvat_start(
    import_method=LocalImport(options.export),
    dataset_name="From CVAT",
    review_mode=ReviewMode.LABELLED,
    transform_bounding_boxes_to_polygons=True,
)
result = client.create_project_from_cvat_get_result(job, timeout_seconds=30)
project = client.get_project(result.project_hash)
show(
    {
        "objects": [[one.name, one.shape.value] for one in project.ontology_structure.objects],
        "rows": sorted(row.data_title for row in project.list_label_rows_v2()),
        "datasets": [one.title for one in project.list_datasets()],
        "warnings": [[one.issue_type, one.instances] for one in result.issues.warnings],
        "errors": len(result.issues.errors),
    }
)
