"""BASE KEY_FILE N DATASET: the same requests over one pooled session, signed by hand: the floor under any client."""

import hashlib
import json
import pathlib
import sys
import time

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

base, key_file, number, dataset_hash = sys.argv[1:]
loaded = load_ssh_private_key(pathlib.Path(key_file).read_bytes(), None)
assert isinstance(loaded, Ed25519PrivateKey)
key: Ed25519PrivateKey = loaded
public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
session = requests.Session()
settings = {"dataset_access_settings": {"fetch_client_metadata": False, "fetch_rows": False}}
selection = {"query_type": "dataset", "query_method": "GET", "values": {"uid": None, "payload": settings}}


def ask() -> None:
    body = json.dumps(selection).encode()
    headers = {
        "Content-Type": "application/json",
        "ResourceType": "dataset",
        "ResourceID": dataset_hash,
        "Authorization": f"{public}:{key.sign(hashlib.sha256(body).digest()).hex()}",
    }
    answer = session.post(f"{base}/public", data=body, headers=headers, timeout=60).json()
    assert answer["status"] == 200, answer


ask()
started, cpu = time.perf_counter(), time.process_time()
for _ in range(int(number)):
    ask()
took, cpu = time.perf_counter() - started, time.process_time() - cpu
print(json.dumps({"ms_per_call": 1e3 * took / int(number), "cpu_ms_per_call": 1e3 * cpu / int(number)}))
