"""BASE KEY_FILE PROJECT: the label rows of a project with the vendor's SDK; runs in the SDK's own environment."""

import logging
import sys

from encord import EncordUserClient
from weighing import weigh

logging.disable(logging.CRITICAL)
base, key_file, project_hash = sys.argv[1:]
client = EncordUserClient.create_with_ssh_private_key(ssh_private_key_path=key_file, domain=base)
project = client.get_project(project_hash)
project.list_label_rows_v2(data_title_eq="warm-up")
weigh(project.list_label_rows_v2)
