"""Rows of the table: models, their trainings, and the projects that they are attached to."""

from __future__ import annotations

from ..models import attachments, models
from ..requests import listing
from ..requests.operations import Operation
from .rows import CHANGES, READS, v2

MODELS = "ml-models"
MODEL = f"{MODELS}/{{model}}"
TRAINING = f"{MODEL}/iterations/{{training}}"
ATTACHMENTS = "projects/{project}/models-attachments"
ATTACHMENT = f"{ATTACHMENTS}/{{attachment}}"
PREDICT = f"{ATTACHMENT}/iterations/{{training}}"

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v2(READS, "ml_models.list", f"GET {MODELS}", models.list_page, models.ListQuery),
    v2(READS, "ml_models.get", f"GET {MODEL}", models.get),
    v2(CHANGES, "ml_models.create", f"POST {MODELS}", models.create, body=models.ModelBody),
    v2(CHANGES, "ml_models.update", f"PATCH {MODEL}", models.update, body=models.ModelChange),
    v2(CHANGES, "ml_models.delete", f"DELETE {MODEL}", models.delete),
    v2(CHANGES, "ml_models.trainings.create", f"POST {MODEL}/trainings", models.train, body=models.TrainingBody),
    v2(READS, "ml_models.trainings.result", f"GET {TRAINING}/training", models.poll, models.PollQuery),
    v2(READS, "ml_models.training_data", f"GET {TRAINING}/training-data", models.training_data, listing.PageQuery),
    v2(READS, "ml_models.trainings.weights_link", f"GET {TRAINING}/weights-link", models.weights_link),
    v2(CHANGES, "ml_models.trainings.delete", f"DELETE {TRAINING}", models.delete_training),
    v2(READS, "project.models.list", f"GET {ATTACHMENTS}", attachments.list_page, listing.PageQuery),
    v2(CHANGES, "project.models.attach", f"POST {ATTACHMENTS}", attachments.attach, body=attachments.AttachmentBody),
    v2(CHANGES, "project.models.update", f"PATCH {ATTACHMENT}", attachments.update,
        body=attachments.AttachmentChange),
    v2(CHANGES, "project.models.detach", f"DELETE {ATTACHMENT}", attachments.detach),
    v2(READS, "project.models.predict_classification", f"POST {PREDICT}/classification/predict",
        attachments.predict_classes, body=attachments.PredictBody),
    v2(READS, "project.models.predict_objects", f"POST {PREDICT}/object-detection/predict",
        attachments.predict_boxes, body=attachments.PredictBody),
    v2(READS, "project.models.predict_segments", f"POST {PREDICT}/instance-segmentation/predict",
        attachments.predict_polygons, body=attachments.PredictBody),
)
# fmt: on
