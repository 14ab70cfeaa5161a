"""BASE KEY_FILE N DATASET: N reads of a dataset with our client on an event loop, one after the other."""

import asyncio
import json
import sys
import time

from airflow_provider_encord.client.api.datasets import get_dataset
from airflow_provider_encord.client.async_client import AsyncEncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings

base, key_file, number, dataset_hash = sys.argv[1:]


async def work() -> None:
    async with AsyncEncordClient(SshKey.from_path(key_file), Settings(base_url=base)) as client:
        await client.send(get_dataset(dataset_hash))
        started, cpu = time.perf_counter(), time.process_time()
        for _ in range(int(number)):
            await client.send(get_dataset(dataset_hash))
        took, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(json.dumps({"ms_per_call": 1e3 * took / int(number), "cpu_ms_per_call": 1e3 * cpu / int(number)}))


asyncio.run(work())
