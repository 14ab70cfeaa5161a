"""BASE KEY_FILE FOLDER INTEGRATION MANIFEST [count]: a manifest into a storage folder, job by job; or only counted."""

import json
import pathlib
import resource
import sys
import time

from airflow_provider_encord.client.api.core.data_items import data_items
from airflow_provider_encord.client.api.folder_uploads import start_folder_upload
from airflow_provider_encord.client.api.uploads import UploadJob
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.flows.jobs import FOLDER_UPLOAD, Job
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.defaults import UNITS_PER_JOB
from airflow_provider_encord.registration.cloud_source import CloudSource

base, key_file, folder, integration, manifest, *count = sys.argv[1:]
client = EncordClient(SshKey.from_path(key_file), Settings(base_url=base))
source = CloudSource(path=pathlib.Path(manifest), url_prefix=None, kind=None, units_per_job=UNITS_PER_JOB)
started, cpu = time.perf_counter(), time.process_time()
done = jobs = 0
for part, _ in source.jobs():
    jobs += 1
    if count:
        done += len(part)
        continue
    items = data_items(part, skip_duplicate_urls=True)
    start = start_folder_upload(folder, items=items, integration=integration, ignore_errors=True)
    job = Job(kind=FOLDER_UPLOAD, resource=folder, id=client.send(start))
    ended = client.run(job.follow(timeout=600))
    assert isinstance(ended, UploadJob)
    done += ended.units_done_count
took, cpu = time.perf_counter() - started, time.process_time() - cpu
print(
    json.dumps(
        {
            "objects": done,
            "jobs": jobs,
            "seconds": round(took, 2),
            "objects_per_second": round(done / took),
            "cpu_us_per_object": round(1e6 * cpu / done, 1),
            "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }
    )
)
