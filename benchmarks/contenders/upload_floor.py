"""BASE KEY_FILE DATASET FOLDER: the floor. Bare pooled PUTs of the files of a folder, and the job that registers them.

The signed URLs are there before the measurement begins. No file is looked at, and nothing is noted.
"""

import concurrent.futures
import pathlib
import sys

import requests
from bare_session import Stopwatch

from airflow_provider_encord.client.api.core.data_items import IMAGE, UploadedFile, data_items
from airflow_provider_encord.client.api.uploads import MOST_URLS_PER_REQUEST, SignedUrl, signed_urls, start_upload
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.flows.jobs import DATASET_UPLOAD, Job
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.defaults import FILES_PER_JOB, PARALLEL_UPLOADS

base, key_file, dataset, folder = sys.argv[1:]
client = EncordClient(SshKey.from_path(key_file), Settings(base_url=base))
paths = sorted(pathlib.Path(folder).iterdir())
urls: list[SignedUrl] = []
while left := len(paths) - len(urls):
    more = client.send(signed_urls(min(left, MOST_URLS_PER_REQUEST), IMAGE))
    urls += more
session = requests.Session()
session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=PARALLEL_UPLOADS))


def put(path: pathlib.Path, url: SignedUrl) -> UploadedFile:
    headers = {"Content-Type": "image/png", **(url.upload_headers or {})}
    session.put(url.signed_url, data=path.read_bytes(), headers=headers, timeout=60).raise_for_status()
    return UploadedFile(kind=IMAGE, object_url=url.object_key, title=path.name, placeholder=None)


watch = Stopwatch()
with concurrent.futures.ThreadPoolExecutor(PARALLEL_UPLOADS) as pool:
    files = list(pool.map(put, paths, urls))
for first in range(0, len(files), FILES_PER_JOB):
    items = data_items(files[first : first + FILES_PER_JOB], skip_duplicate_urls=False)
    job = client.send(start_upload(dataset, items, ignore_errors=True))
    client.run(Job(kind=DATASET_UPLOAD, resource=dataset, id=job).follow(timeout=600))
print(watch.costs("files", len(files)))
