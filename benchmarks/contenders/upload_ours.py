"""BASE KEY_FILE DATASET FOLDER: the images of a folder into a dataset, as the operator does it, report included.

Airflow is left out: what is measured is what is below the operator.
"""

import pathlib
import sys

from bare_session import Stopwatch

from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.uploads.uploading import FileSelection, UploadOptions, find_target, upload_selected

base, key_file, dataset, folder = sys.argv[1:]
client = EncordClient(SshKey.from_path(key_file), Settings(base_url=base))
client.dataset(dataset).get()
watch = Stopwatch()
done = upload_selected(
    client,
    find_target(client, dataset_id=dataset, folder_id=None),
    FileSelection(source=folder, open_path=lambda uri, _: pathlib.Path(uri)),
    UploadOptions(report=pathlib.Path(folder + ".report.jsonl")),
    owner=Owner.this_process(),
).counts["created"]
print(watch.costs("files", done))
