"""Save and create what must not be accepted in one's own project."""

import copy

from account import arguments, attempt, show, sign_in

options = arguments("project")
NOWHERE = "00000000-0000-4000-8000-00000000dead"
project = sign_in(options).get_project(options.project)
client = project._client  # the SDK's own way for whole rows is deprecated on the project, not here
row = next(row for row in project.list_label_rows_v2() if row.label_hash and row.data_type.value == "image")
labels = dict(client.get_label_row(row.label_hash, get_signed_url=False))


def with_box(feature, answer):
    changed = copy.deepcopy(labels)
    (unit,) = changed["data_units"].values()
    unit["labels"]["objects"].append(
        {
            "name": "Ghost",
            "color": "#D33115",
            "shape": "bounding_box",
            "value": "ghost",
            "createdAt": "Fri, 02 Jan 2026 03:04:05 UTC",
            "createdBy": None,
            "confidence": 1.0,
            "objectHash": "gH0sT+/0",
            "featureHash": feature,
            "manualAnnotation": True,
            "boundingBox": {"h": 0.1, "w": 0.1, "x": 0.1, "y": 0.1},
        }
    )
    if answer:
        changed["object_answers"]["gH0sT+/0"] = {"objectHash": "gH0sT+/0", "classifications": []}
    return changed


car = next(item for item in project.ontology_structure.objects if item.name == "Car").feature_node_hash


def save(label_hash, content):
    return attempt(lambda: client.save_label_row(label_hash, content, validate_before_saving=True))


show(
    {
        "unknown feature": save(row.label_hash, with_box("ffffffff", answer=True)),
        "no answer entry": save(row.label_hash, with_box(car, answer=False)),
        "unknown label hash": attempt(lambda: client.get_label_row(NOWHERE)),
        "save unknown label hash": save(NOWHERE, labels),
        "create on unknown data": attempt(lambda: client.create_label_row(NOWHERE)),
        "create twice": attempt(lambda: client.create_label_row(row.data_hash)),
        "known feature": save(row.label_hash, with_box(car, answer=True)),
    }
)
