"""Lines and data units are matched by JSON values, with their types."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.client.api.labels import LabelRowFilter
from airflow_provider_encord.client.api.storage_folders import folder_patch
from airflow_provider_encord.client.flows.storage import edit_items
from tests.airflow_layer.pre_labels import CAR, Model, saved


@pytest.mark.parametrize(
    ("there", "value", "matches"),
    [
        (1, 1, True),
        (1, 1.0, True),
        (1, True, False),
        (True, True, True),
        (0, False, False),
        (1, "1", False),
        (["a"], ["a"], True),
        (["a"], "['a']", False),
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 1}, True),
        ({"a": 1}, "{'a': 1}", False),
        ([1], [True], False),
        (False, False, True),
        ("", "", True),
    ],
)
def test_client_metadata_match_as_json_values_with_their_types(
    model: Model, there: Any, value: Any, matches: bool
) -> None:
    with model.account.client() as client:
        listed = client.project(model.project).label_rows(LabelRowFilter(include_client_metadata=True))
        items = {row.data_hash: row.backing_item_uuid for row in listed}
        client.run(edit_items({items[model.data_hashes[0]] or "": folder_patch(client_metadata={"n": there})}))
    source = model.write({"client_metadata": {"n": value}, "objects": [CAR]})
    if matches:
        assert saved(model.load(source, match_by="client_metadata.n")) == 1
        assert list(model.labels()) == [model.data_hashes[0]]
    else:
        with pytest.raises(AirflowFailException, match=r"client_metadata\.n .*: no data unit has it"):
            model.load(source, match_by="client_metadata.n")
