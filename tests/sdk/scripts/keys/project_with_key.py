"""What a project's API key is good for: read, list, create, read and save label rows (0.1.145)."""

import json

from account import arguments, show
from encord.client import EncordClient
from encord.utilities.label_utilities import construct_answer_dictionaries

options = arguments("project", "api-key", "feature", "note")
client = EncordClient.initialise(options.project, options.api_key, domain=options.url)
note = json.loads(options.note)

project = client.get_project()
rows = client.list_label_rows(include_uninitialised_labels=True)
labelled = client.list_label_rows()
image = sorted(
    (row for row in rows if row.data_type == "IMAGE" and not row.label_hash), key=lambda row: row.data_title
)[0]

row = client.create_label_row(image.data_hash)
labels = row["data_units"][image.data_hash]["labels"]
made = {"createdAt": "Fri, 02 Jan 2026 03:04:05 ", "confidence": 1, "manualAnnotation": True}
labels["objects"].append(
    {
        **made,
        "name": "Car",
        "color": "#D33115",
        "shape": "bounding_box",
        "value": "car",
        "objectHash": "k3yB0x+/",
        "featureHash": options.feature,
        "boundingBox": {"h": 0.1, "w": 0.2, "x": 0.3, "y": 0.4},
    }
)
labels["classifications"].append(
    {**made, "name": "Note", "value": "note", "classificationHash": "k3yN0te0", "featureHash": note["feature"]}
)
row = construct_answer_dictionaries(row)
row["classification_answers"]["k3yN0te0"]["classifications"] = [
    {"name": "Note", "value": "note", "answers": "by key", "featureHash": note["attribute"], "manualAnnotation": True}
]
saved = client.save_label_row(row["label_hash"], row)
single = client.get_label_row(row["label_hash"], get_signed_url=False)
many = client.get_label_rows([row["label_hash"]], get_signed_url=False)
show(
    {
        "client": type(client).__name__,
        "title": project["title"],
        "ontology_objects": [one["name"] for one in project["editor_ontology"]["objects"]],
        "datasets": project["datasets"],
        "project_label_rows": len(project["label_rows"]),
        "without_label_rows": client.get_project(include_labels_metadata=False)["label_rows"],
        "listed": sorted(one.data_title for one in rows),
        "labelled": sorted(one.data_title for one in labelled),
        "created": row["label_hash"],
        "data_title": image.data_title,
        "saved": saved,
        "read": single,
        "read_many": many,
        "integrations": [vars(integration) for integration in client.get_cloud_integrations()],
    }
)
