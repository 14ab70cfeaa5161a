"""BASE KEY PROJECT OUT [FILES]: the labels of a project as COCO by the vendor's SDK, and images by a loop."""

import json
import logging
import pathlib
import resource
import sys
import time

import requests
from encord import EncordUserClient

logging.disable(logging.CRITICAL)
base, key, project_hash, out = sys.argv[1:5]
directory = pathlib.Path(out)
directory.mkdir(parents=True)
client = EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=key, domain=base)
costs: dict[str, float] = {}

wall, cpu = time.perf_counter(), time.process_time()
project = client.get_project(project_hash)
coco = project.export_coco_labels()
(directory / "coco.json").write_text(json.dumps(coco))
costs["export_seconds"] = time.perf_counter() - wall
costs["export_cpu_seconds"] = time.process_time() - cpu
costs["export_peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

most = int(sys.argv[5]) if len(sys.argv) > 5 else None
wall, cpu = time.perf_counter(), time.process_time()
rows = project.list_label_rows_v2()[:most]
for row in rows:
    item = client.get_storage_item(str(row.backing_item_uuid), sign_url=True)
    answer = requests.get(str(item.get_signed_url()), timeout=60)
    answer.raise_for_status()
    (directory / f"{row.data_hash}.png").write_bytes(answer.content)
costs["pull_seconds"] = time.perf_counter() - wall
costs["pull_cpu_seconds"] = time.process_time() - cpu
print(json.dumps({"images": len(coco["images"]), "objects": len(coco["annotations"]), "pulled": len(rows), **costs}))
