"""BASE KEY_FILE DATASET FILE...: images into a dataset by the vendor's SDK, one call a file. Standard library only."""

import json
import logging
import resource
import sys
import time

from encord import EncordUserClient

logging.disable(logging.CRITICAL)
base, key_file, dataset_hash, *files = sys.argv[1:]
dataset = EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=key_file, domain=base).get_dataset(
    dataset_hash
)
started, cpu = time.perf_counter(), time.process_time()
for path in files:
    dataset.upload_image(path)
took = time.perf_counter() - started
print(
    json.dumps(
        {
            "files": len(files),
            "seconds": took,
            "files_per_second": len(files) / took,
            "cpu_seconds": time.process_time() - cpu,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
