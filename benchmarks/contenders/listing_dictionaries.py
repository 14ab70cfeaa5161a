"""BASE KEY_FILE PROJECT: the same answer over a session signed by hand, as dictionaries."""

import hashlib
import json
import pathlib
import sys
from typing import Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key
from weighing import weigh

base, key_file, project_hash = sys.argv[1:]
loaded = load_ssh_private_key(pathlib.Path(key_file).read_bytes(), None)
assert isinstance(loaded, Ed25519PrivateKey)
key: Ed25519PrivateKey = loaded
public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
session = requests.Session()


def rows(**which: str) -> list[dict[str, Any]]:
    payload = {"include_uninitialised_labels": True, "include_workflow_graph_node": True, **which}
    values = {"uid": None, "payload": payload}
    body = json.dumps({"query_type": "labelrowmetadata", "query_method": "GET", "values": values}).encode()
    headers = {
        "Content-Type": "application/json",
        "ResourceType": "project",
        "ResourceID": project_hash,
        "Authorization": f"{public}:{key.sign(hashlib.sha256(body).digest()).hex()}",
    }
    answer = json.loads(session.post(f"{base}/public", data=body, headers=headers, timeout=300).content)
    assert answer["status"] == 200, answer
    listed: list[dict[str, Any]] = answer["response"]
    return listed


rows(data_title_eq="warm-up")
weigh(rows)
