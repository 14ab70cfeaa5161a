"""BASE KEY_FILE FOLDER INTEGRATION MANIFEST [count]: a manifest into a storage folder, job by job; or only counted."""

import pathlib
import sys

from bare_session import Stopwatch

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
watch = Stopwatch()
done = 0
for part, _ in source.jobs():
    if count:
        done += len(part)
        continue
    items = data_items(part, skip_duplicate_urls=True)
    start = start_folder_upload(folder, items=items, integration=integration, ignore_errors=True)
    job = Job(kind=FOLDER_UPLOAD, resource=folder, id=client.send(start))
    ended = client.run(job.follow(timeout=600))
    assert isinstance(ended, UploadJob)
    done += ended.units_done_count
print(watch.costs("objects", done))
