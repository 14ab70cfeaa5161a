"""Use API keys for what they are not good for (0.1.145).

`--keys` is JSON: {name: [resource id, API key]}; every operation is tried with every key.
"""

import json

from account import arguments, attempt, show
from encord.client import EncordClient, EncordClientDataset

options = arguments("keys", "label-hash", "data-hash", "dataset", "image")

PROJECT_OPERATIONS = {
    "read project": lambda client: client.get_project(),
    "list rows": lambda client: client.list_label_rows(),
    "read row": lambda client: client.get_label_row(options.label_hash, get_signed_url=False),
    "create row": lambda client: client.create_label_row(options.data_hash),
    "save row": lambda client: client.save_label_row(options.label_hash, {"label_hash": options.label_hash}),
    "complete row": lambda client: client.workflow_complete([options.label_hash]),
    "attach dataset": lambda client: client.add_datasets([options.dataset]),
    "use v2": lambda client: client.list_project_datasets(client.project_hash),
}
DATASET_OPERATIONS = {
    "read dataset": lambda client: client.get_dataset(),
    "list data rows": lambda client: client.list_data_rows(),
    "upload image": lambda client: client.upload_image(options.image),
}


def outcomes(resource, key):
    try:
        client = EncordClient.initialise(resource, key, domain=options.url)
    except Exception as error:  # noqa: BLE001  the class is the finding
        return {"initialise": {"raised": type(error).__name__, "message": str(error)}}
    operations = DATASET_OPERATIONS if isinstance(client, EncordClientDataset) else PROJECT_OPERATIONS
    return {name: attempt(lambda operation=operation: operation(client)) for name, operation in operations.items()}


show({name: outcomes(*pair) for name, pair in json.loads(options.keys).items()})
