"""BASE KEY_FILE N DATASET: the same requests over one bare session of `httpx` in an event loop, signed by hand."""

import asyncio
import json
import os
import ssl
import sys
import time

import httpx
from bare_session import BareSession

base, key_file, number, dataset = sys.argv[1:]
signer = BareSession(base, key_file, "dataset", dataset)
settings = {"dataset_access_settings": {"fetch_client_metadata": False, "fetch_rows": False}}


async def work() -> None:
    trusted = ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"])
    async with httpx.AsyncClient(verify=trusted) as session:

        async def ask() -> None:
            url, headers, body = signer.signed("dataset", "GET", None, settings)
            answer = (await session.post(url, content=body, headers=headers, timeout=60)).json()
            assert answer["status"] == 200, answer

        await ask()
        started, cpu = time.perf_counter(), time.process_time()
        for _ in range(int(number)):
            await ask()
        took, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(json.dumps({"ms_per_call": 1e3 * took / int(number), "cpu_ms_per_call": 1e3 * cpu / int(number)}))


asyncio.run(work())
