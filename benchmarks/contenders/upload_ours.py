"""BASE KEY_FILE DATASET FOLDER: the images of a folder into a dataset, as the operator does it, report included.

Airflow is left out: what is measured is what is below the operator.
"""

import json
import pathlib
import resource
import sys
import time

from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.uploads.uploading import FileSelection, UploadOptions, find_target, upload_selected

base, key_file, dataset, folder = sys.argv[1:]
client = EncordClient(SshKey.from_path(key_file), Settings(base_url=base))
client.dataset(dataset).get()
started, cpu = time.perf_counter(), time.process_time()
done = upload_selected(
    client,
    find_target(client, dataset_id=dataset, folder_id=None),
    FileSelection(source=folder, open_path=lambda uri, _: pathlib.Path(uri)),
    UploadOptions(report=pathlib.Path(folder + ".report.jsonl")),
    owner=Owner.this_process(),
).counts["created"]
took, cpu = time.perf_counter() - started, time.process_time() - cpu
print(
    json.dumps(
        {
            "files": done,
            "seconds": took,
            "files_per_second": done / took,
            "cpu_ms_per_file": 1e3 * cpu / done,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
