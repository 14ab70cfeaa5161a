"""BASE KEY_FILE PROJECT OUT: the floor. The same label rows over one bare session, bytes to disk, and nothing else."""

import hashlib
import json
import pathlib
import resource
import sys
import time
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

ROWS_PER_REQUEST = 100

base, key_file, project, out = sys.argv[1:]
loaded = load_ssh_private_key(pathlib.Path(key_file).read_bytes(), None)
assert isinstance(loaded, Ed25519PrivateKey)
key: Ed25519PrivateKey = loaded
public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
session = requests.Session()


def ask(query_type: str, uid: list[str] | None, payload: dict[str, Any]) -> bytes:
    """One signed read."""
    values = {"uid": uid, "payload": payload}
    body = json.dumps({"query_type": query_type, "query_method": "GET", "values": values}).encode()
    signature = key.sign(hashlib.sha256(body).digest()).hex()
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "ResourceType": "project",
        "ResourceID": project,
        "Authorization": f"{public}:{signature}",
    }
    answer = session.post(f"{base}/public", data=body, headers=headers, timeout=180)
    answer.raise_for_status()
    return answer.content


started, cpu = time.perf_counter(), time.process_time()
listed = json.loads(
    ask("labelrowmetadata", None, {"include_uninitialised_labels": True, "include_workflow_graph_node": True})
)["response"]
hashes = [row["label_hash"] for row in listed if row["label_hash"]]
content = {
    "get_signed_url": False,
    "multi_request": True,
    "include_object_feature_hashes": None,
    "include_classification_feature_hashes": None,
    "include_reviews": False,
    "include_export_history": False,
}
with pathlib.Path(out).open("wb") as file:
    for first in range(0, len(hashes), ROWS_PER_REQUEST):
        file.write(ask("labelrow", hashes[first : first + ROWS_PER_REQUEST], content))
took = time.perf_counter() - started
print(
    json.dumps(
        {
            "rows": len(hashes),
            "seconds": took,
            "rows_per_second": len(hashes) / took,
            "cpu_seconds": time.process_time() - cpu,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }
    )
)
