"""Models: made, trained, attached to a project, used for predictions, and deleted."""

import pathlib
from uuid import UUID

from account import arguments, attempt, show, sign_in
from encord.objects.ml_models import (
    ModelArchitecture,
    ModelIterationPolicy,
    ModelsListOrderBy,
)

options = arguments("project", "image")
client = sign_in(options)
models = client.ml_models
project = client.get_project(options.project)
project_uuid = UUID(options.project)
feature = project.ontology_structure.objects[0].feature_node_hash
rows = [row for row in project.list_label_rows_v2() if row.label_hash]

made = models.create_model(
    features=["car", "person"], model=ModelArchitecture.FASTER_RCNN, title="Cars", description="d"
)
model = made.model_group.model_uuid
renamed = models.update_model(model_uuid=model, title="Cars of the street", description=None)
listed = [
    one.model_group.title
    for one in models.list_models(order_by=ModelsListOrderBy.TITLE, order_asc=True, query="street")
]


def train(labels):
    return models.create_training_job(
        model_uuid=model,
        batch_size=8,
        epochs=3,
        features_mapping={project_uuid: {feature: ["car"]}},
        labels_uuids=labels,
        pretrained_training_uuid=None,
        pretrained_weights_type=None,
    )


training = train([UUID(row.label_hash) for row in rows])
ended = models.get_training_status(model_uuid=model, training_uuid=training, timeout_seconds=30)
trained_with = [
    [str(one.label_uuid), one.file_title] for one in models.get_training_data(model_uuid=model, training_uuid=training)
]
link = models.get_weights_download_link(model_uuid=model, training_uuid=training)

attachment = models.create_model_attachment(
    project_uuid=project_uuid,
    features_mapping={"car": feature},
    iteration_policy=ModelIterationPolicy.MANUAL_SELECTION,
    model_uuid=model,
    training_uuids=[],
)
project_model = attachment.project_model.project_model_uuid
changed = models.update_model_attachment(
    project_uuid=project_uuid,
    project_model_uuid=project_model,
    features_mapping={"car": feature},
    iteration_policy=ModelIterationPolicy.USE_LATEST,
    training_uuids=None,
)
which = {"project_uuid": project_uuid, "project_model_uuid": project_model, "training_uuid": training}
frames = {"frame_range_from": None, "frame_range_to": None}
of_a_row = {"data_uuid": UUID(rows[0].data_hash), "data_path": None, **frames}
of_a_file = {"data_uuid": None, "data_path": pathlib.Path(options.image), **frames}
boxes = models.predict_object_detection(**which, **of_a_row, allocation_enabled=False, conf_thresh=0.5, iou_thresh=0.5)
none = models.predict_object_detection(**which, **of_a_row, allocation_enabled=False, conf_thresh=1.0, iou_thresh=0.5)
polygons = models.predict_instance_segmentation(
    **which, **of_a_file, allocation_enabled=False, conf_thresh=0.5, iou_thresh=0.5, rdp_thresh=None
)
classes = models.predict_classification(**which, **of_a_row, conf_thresh=0.5)

attached = [
    str(one.project_model.project_model_uuid) for one in models.list_model_attachments(project_uuid=project_uuid)
]
models.delete_model_attachment(project_uuid=project_uuid, project_model_uuid=project_model)
detached = list(models.list_model_attachments(project_uuid=project_uuid))
models.delete_training_iteration(model_uuid=model, training_uuid=training)
left = models.get_model(model_uuid=model).model_iterations
models.delete_model(model_uuid=model)

show(
    {
        "made": [made.model_group.title, made.model_group.type.value, len(made.model_iterations)],
        "renamed": [renamed.model_group.title, renamed.model_group.description],
        "listed": listed,
        "unknown_label": attempt(lambda: train([project_uuid])),
        "ended": [ended.epochs, len(ended.loss_log)],
        "trained_with": trained_with,
        "rows": [[str(row.label_hash), row.data_title] for row in rows],
        "link": link,
        "policies": [
            [attachment.project_model.iteration_policy.value, len(attachment.project_model_iterations)],
            [changed.project_model.iteration_policy.value, len(changed.project_model_iterations)],
        ],
        "boxes": [[frame, [one.value for one in found]] for frame, found in boxes.items()],
        "none": list(none.values()),
        "polygons": [len(one.polygon) for found in polygons.values() for one in found],
        "classes": [one.value for one in classes.values()],
        "attached": [attached == [str(project_model)], len(detached)],
        "left": len(left),
        "deleted": attempt(lambda: models.get_model(model_uuid=model)),
    }
)
