"""BASE KEY_FILE PROJECT: the label rows of a project as our client's records."""

import sys

from weighing import weigh

from airflow_provider_encord.client.api.labels import LabelRowFilter
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings

base, key_file, project_hash = sys.argv[1:]
project = EncordClient(SshKey.from_path(key_file), Settings(base_url=base)).project(project_hash)
project.label_rows(LabelRowFilter(data_title_eq="warm-up"))
weigh(project.label_rows)
