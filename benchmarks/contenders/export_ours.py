"""BASE KEY PROJECT OUT [PARALLEL [ROWS_PER_REQUEST]]: label rows into JSON Lines and a manifest, as by the operator.

Airflow is left out: what is measured is what is below the operator.
"""

import pathlib
import sys

from bare_session import Stopwatch

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.defaults import PARALLEL_READS, ROWS_PER_REQUEST
from airflow_provider_encord.exports.labels import ExportSpec, export_labels
from airflow_provider_encord.exports.listing import RowSelection
from airflow_provider_encord.exports.reading import ReadOptions

base, key_file, project, out, *more = sys.argv[1:]
parallel, batch_size = (*map(int, more), *(PARALLEL_READS, ROWS_PER_REQUEST)[len(more) :])
reading = ReadOptions(max_concurrency=parallel, batch_size=batch_size)
spec = ExportSpec(selection=RowSelection(project_id=project), logical_date="2026-11-24T00:00:00+00:00")
client = EncordClient(SshKey.from_path(key_file), Settings(base_url=base))
watch = Stopwatch()
manifest = export_labels(client, spec, pathlib.Path(out), reading=reading)
print(watch.costs("rows", manifest.counts.exported))
