"""List the label rows of a project under several filters.

`--filters` is JSON: {name of the question: keyword arguments}. Some of what a row knows is newer than 0.1.145.
"""

import json

from account import arguments, show, sign_in
from encord.exceptions import LabelRowError

options = arguments("project", "filters")
project = sign_in(options).get_project(options.project)


def images_of(row):
    try:
        return [(image.title, image.width, image.height) for image in row.get_frames_metadata()]
    except (LabelRowError, AttributeError):  # not asked for; not known to 0.1.145
        return None


def known(row):
    workflow = row.workflow_graph_node
    return {
        "label_hash": row.label_hash,
        "data_hash": row.data_hash,
        "data_title": row.data_title,
        "data_type": row.data_type.value,
        "dataset_hash": row.dataset_hash,
        "stage": workflow and workflow.title,
        "task_uuid": workflow and getattr(row, "task_uuid", None),
        "priority": workflow and row.priority,
        "frames": row.number_of_frames,
        "width": row.width,
        "height": row.height,
        "images": images_of(row),
        "branch": row.branch_name,
        "created_at": row.created_at,
        "last_edited_at": row.last_edited_at,
        "backing_item_uuid": getattr(row, "backing_item_uuid", None),
    }


show(
    {
        question: sorted(
            (known(row) for row in project.list_label_rows_v2(**filters)), key=lambda row: row["data_title"]
        )
        for question, filters in json.loads(options.filters).items()
    }
)
