"""BASE KEY_FILE N DATASET: the same requests over one pooled session, signed by hand: the floor under any client."""

import json
import sys
import time

from bare_session import BareSession

base, key_file, number, dataset = sys.argv[1:]
session = BareSession(base, key_file, "dataset", dataset)
settings = {"dataset_access_settings": {"fetch_client_metadata": False, "fetch_rows": False}}


def ask() -> None:
    answer = json.loads(session.ask("dataset", "GET", None, settings))
    assert answer["status"] == 200, answer


ask()
started, cpu = time.perf_counter(), time.process_time()
for _ in range(int(number)):
    ask()
took, cpu = time.perf_counter() - started, time.process_time() - cpu
print(json.dumps({"ms_per_call": 1e3 * took / int(number), "cpu_ms_per_call": 1e3 * cpu / int(number)}))
