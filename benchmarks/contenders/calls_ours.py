"""BASE KEY_FILE N DATASET: N reads of a dataset with our client."""

import json
import sys
import time

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings

base, key_file, number, dataset_hash = sys.argv[1:]
client = EncordClient(SshKey.from_path(key_file), Settings(base_url=base))
dataset = client.dataset(dataset_hash)
dataset.get()
started, cpu = time.perf_counter(), time.process_time()
for _ in range(int(number)):
    dataset.get()
took, cpu = time.perf_counter() - started, time.process_time() - cpu
print(json.dumps({"ms_per_call": 1e3 * took / int(number), "cpu_ms_per_call": 1e3 * cpu / int(number)}))
