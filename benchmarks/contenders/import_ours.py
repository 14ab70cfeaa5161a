"""BASE KEY_FILE PROJECT SOURCE: pre-labels of a file into a project, as the operator does it, report included.

Airflow is left out: what is measured is what is below the operator.
"""

import pathlib
import sys

from bare_session import Stopwatch

from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.prelabels.rows import ImportSpec
from airflow_provider_encord.prelabels.whole_import import import_and_promote, lines_of_files

base, key_file, project, source = sys.argv[1:]
client = EncordClient(SshKey.from_path(key_file), Settings(base_url=base))
report = pathlib.Path(source).with_suffix(".report.jsonl")
watch = Stopwatch()
done = import_and_promote(
    client,
    ImportSpec(project_id=project),
    lines_of_files(pathlib.Path(source), report),
    report_path=report,
    owner=Owner.this_process(),
    check_first=True,
    promote_to=None,
    overwrite=False,
)
print(watch.costs("rows", done["created"]))
