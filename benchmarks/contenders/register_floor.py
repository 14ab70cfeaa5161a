"""BASE KEY_FILE FOLDER INTEGRATION MANIFEST: the floor. The jobs of a manifest whose lines are not looked at."""

import json
import pathlib
import sys

from bare_session import Stopwatch

from airflow_provider_encord.client.api.core.data_items import data_items
from airflow_provider_encord.client.api.folder_uploads import start_folder_upload
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.flows.jobs import FOLDER_UPLOAD, Job
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.defaults import UNITS_PER_JOB

base, key_file, folder, integration, manifest = sys.argv[1:]
client = EncordClient(SshKey.from_path(key_file), Settings(base_url=base))
watch = Stopwatch()
urls = [json.loads(line)["url"] for line in pathlib.Path(manifest).read_text().splitlines()]
for first in range(0, len(urls), UNITS_PER_JOB):
    images = [
        {"objectUrl": url, "title": url.rpartition("/")[2], "clientMetadata": {}, "externalFileType": "IMAGE"}
        for url in urls[first : first + UNITS_PER_JOB]
    ]
    items = {**data_items([], skip_duplicate_urls=True), "images": images}
    job = client.send(start_folder_upload(folder, items=items, integration=integration, ignore_errors=True))
    client.run(Job(kind=FOLDER_UPLOAD, resource=folder, id=job).follow(timeout=600))
print(watch.costs("objects", len(urls)))
