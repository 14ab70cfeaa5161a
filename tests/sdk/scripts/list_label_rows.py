"""List the label rows of a project under several filters.

`--filters` is JSON: {name of the question: keyword arguments}. Some of what a row knows is newer than 0.1.145.
"""

import json

from account import arguments, show, sign_in

options = arguments("project", "filters")
project = sign_in(options).get_project(options.project)


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
