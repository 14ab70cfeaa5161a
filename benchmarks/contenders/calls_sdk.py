"""BASE KEY_FILE N DATASET: N reads of a dataset with the vendor's SDK; runs in the SDK's own environment."""

import json
import logging
import sys
import time

from encord import EncordUserClient

logging.disable(logging.CRITICAL)
base, key_file, number, dataset_hash = sys.argv[1:]
client = EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=key_file, domain=base)
client.get_dataset(dataset_hash)
started, cpu = time.perf_counter(), time.process_time()
for _ in range(int(number)):
    client.get_dataset(dataset_hash)
took, cpu = time.perf_counter() - started, time.process_time() - cpu
print(json.dumps({"ms_per_call": 1e3 * took / int(number), "cpu_ms_per_call": 1e3 * cpu / int(number)}))
