"""Records of listed label rows are what was sent, and what many have in common is in memory once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.api import labels
from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.client.errors import NotFoundError

FEW = st.sampled_from(["", "a", "b", "ä 🐈", "NULL"])
STAGES = st.fixed_dictionaries({"uuid": FEW, "title": FEW}, optional={"colour": FEW})
ROWS = st.fixed_dictionaries(
    {
        "label_hash": st.none() | st.text(),
        "data_hash": st.text(),
        "dataset_hash": FEW,
        "data_title": FEW,
        "data_type": FEW,
    },
    optional={
        "dataset_title": st.none() | FEW,
        "branch_name": FEW,
        "label_status": st.none() | FEW,
        "annotation_task_status": st.none() | FEW,
        "workflow_graph_node": st.none() | STAGES,
        "assigned_user_email": st.none() | FEW,
        "priority": st.none() | st.floats(0, 1),
        "newer_than_us": st.lists(st.integers()),
    },
)


def read(answer: Any) -> list[LabelRowMetadata]:
    return labels.list_label_rows("project").read(msgspec.json.encode(answer))


@given(st.lists(ROWS, max_size=20))
def test_records_are_what_plain_decoding_gives(rows):
    assert read(rows) == msgspec.convert(rows, list[LabelRowMetadata])


def test_what_rows_have_in_common_is_there_once_and_what_is_their_own_is_not_mixed_up():
    stages = [{"uuid": f"stage-{number % 2}", "title": "Annotate"} for number in range(100)]
    sent = [
        {
            "label_hash": f"label-{number}",
            "data_hash": f"data-{number}",
            "dataset_hash": "a dataset",
            "dataset_title": "Cats of all kinds",
            "data_title": "cat.png",
            "data_type": "IMAGE",
            "workflow_graph_node": stages[number],
        }
        for number in range(100)
    ]
    rows = read(sent)
    assert [row.label_hash for row in rows] == [one["label_hash"] for one in sent]
    assert len({id(row.dataset_title) for row in rows}) == len({id(row.dataset_hash) for row in rows}) == 1
    assert len({id(row.workflow_graph_node) for row in rows}) == 2


@pytest.mark.parametrize("wrong", [{"data_hash": "d"}, {"label_hash": 3}, None, 7])
def test_what_is_wrong_with_a_row_names_the_row(wrong):
    right = {"label_hash": None, "data_hash": "d", "dataset_hash": "s", "data_title": "t", "data_type": "IMAGE"}
    with pytest.raises(msgspec.ValidationError, match=r"\$\[2\]"):
        read([right, right, wrong, right])


def test_no_rows_are_a_list_and_no_project_is_not():
    assert read([]) == []
    with pytest.raises(NotFoundError):
        read(None)
