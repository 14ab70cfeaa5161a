"""BASE KEY_FILE PROJECT OUT: all labels of a project by the vendor's SDK, as its guide says. Standard library only."""

import json
import logging
import pathlib
import resource
import sys
import time

from encord import EncordUserClient

logging.disable(logging.CRITICAL)
base, key_file, project_hash, out = sys.argv[1:]
client = EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=key_file, domain=base)
started, cpu = time.perf_counter(), time.process_time()
project = client.get_project(project_hash)
rows = project.list_label_rows_v2()
with project.create_bundle(bundle_size=100) as bundle:
    for row in rows:
        row.initialise_labels(bundle=bundle)
with pathlib.Path(out).open("w") as file:
    json.dump([row.to_encord_dict() for row in rows], file)
took = time.perf_counter() - started
print(
    json.dumps(
        {
            "rows": len(rows),
            "seconds": took,
            "rows_per_second": len(rows) / took,
            "cpu_seconds": time.process_time() - cpu,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
