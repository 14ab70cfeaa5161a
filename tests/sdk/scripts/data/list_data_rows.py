"""Read a dataset, its rows, and its rows under filters.

`--filters` is JSON: {name of the question: keyword arguments}; types of data are given by name.
"""

import json

from account import arguments, show, sign_in
from encord.constants.enums import DataType
from encord.orm.dataset import DatasetAccessSettings

options = arguments("dataset", "filters")
user = sign_in(options)
dataset = user.get_dataset(options.dataset, DatasetAccessSettings(fetch_client_metadata=True))


def known(row):
    return {
        "uid": row.uid,
        "title": row.title,
        "type": row.data_type.value,
        "width": row.width,
        "height": row.height,
        "file_size": row.file_size,
        "file_type": row.file_type,
        "file_link": row.file_link,
        "frames_per_second": row.frames_per_second,
        "duration": row.duration,
        "backing_item_uuid": row.backing_item_uuid,
        "created_at": row.created_at,
        "last_edited_at": row.last_edited_at,
        "storage_location": int(row.storage_location),
    }


def listed(filters):
    types = filters.pop("data_types", None)
    return dataset.list_data_rows(data_types=types and [DataType[name] for name in types], **filters)


show(
    {
        "title": dataset.title,
        "description": dataset.description,
        "backing_folder_uuid": dataset.backing_folder_uuid,
        "rows": [known(row) for row in dataset.data_rows],
        "listed": {
            question: sorted(row.title for row in listed(filters))
            for question, filters in json.loads(options.filters).items()
        },
    }
)
