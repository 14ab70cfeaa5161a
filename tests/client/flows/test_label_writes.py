"""Creating and saving many label rows: in as many requests as Encord wants, each row once."""

from __future__ import annotations

import msgspec

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from tests.client import keys


def test_rows_are_created_and_saved_in_parts_where_encord_takes_few_at_once(encord_emulator):
    key = SshKey.parse(keys.openssh(keys.new_key()))
    encord_emulator.authorize(key.openssh_public_key(), email="a@example.com")
    made = encord_emulator.project(owner="a@example.com", title="Cats", rows=7, created=0)
    encord_emulator.limits(label_rows_per_request=3)
    with EncordClient(key, Settings(base_url=encord_emulator.url)) as client:
        project = client.project(made["project_id"])
        created = project.create_label_rows([row.data_hash for row in project.label_rows()])
        assert sorted(row.data_hash for row in created) == sorted(made["data_hashes"])
        rows = {row.label_hash: msgspec.json.decode(row.content) for row in created}
        for number, row in enumerate(rows.values()):
            row["object_actions"] = {"number": number}
        project.save_label_rows(rows)
    stored = {row["label_hash"]: row["object_actions"]["number"] for row in encord_emulator.labels(project.id)}
    assert stored == {label_hash: row["object_actions"]["number"] for label_hash, row in rows.items()}
