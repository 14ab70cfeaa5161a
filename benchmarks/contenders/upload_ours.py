"""BASE KEY_FILE DATASET FOLDER: the images of a folder into a dataset, as the operator does it, report included.

Airflow is left out: what is measured is what is below the operator.
"""

import json
import pathlib
import resource
import sys
import time

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.flows.upload_target import UploadTarget
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.reports import CREATED
from airflow_provider_encord.sources.files import find_files
from airflow_provider_encord.uploads.outcome import FileOutcome
from airflow_provider_encord.uploads.report import upload_line, write_report
from airflow_provider_encord.uploads.upload import upload_files

base, key_file, dataset, folder = sys.argv[1:]
client = EncordClient(SshKey.from_path(key_file), Settings(base_url=base))
client.dataset(dataset).get()
started, cpu = time.perf_counter(), time.process_time()
files = find_files(folder, lambda uri: pathlib.Path(uri))
outcomes: list[FileOutcome] = []
client.run(
    upload_files(UploadTarget(dataset=dataset, credential=client.credential.kind), files, on_outcomes=outcomes.extend)
)
write_report(pathlib.Path(folder + ".report.jsonl"), (upload_line(outcome, dataset, {}) for outcome in outcomes))
took, cpu = time.perf_counter() - started, time.process_time() - cpu
done = sum(outcome.result == CREATED for outcome in outcomes)
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
