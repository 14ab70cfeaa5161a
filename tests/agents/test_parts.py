"""Shards, calls at the same time, what is left of errors, and whose labels a result replaces."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.agents.choosing import Selection, in_shard
from airflow_provider_encord.agents.contents import new_row, version_after, version_of
from airflow_provider_encord.agents.descriptions import described, without_urls
from airflow_provider_encord.agents.editable import EditableLabels
from airflow_provider_encord.agents.inputs import Prepared
from airflow_provider_encord.agents.report import OPERATION, AgentLine, AgentReport
from airflow_provider_encord.agents.running import as_coroutines, in_threads
from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.client.api.workflow import Task
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.prelabels.features import Features, WrongLabelsError
from airflow_provider_encord.reports import SCHEMA_VERSION, Outcome

FEATURES = Features(
    {
        "objects": [{"name": "Car", "featureNodeHash": "car", "shape": "bounding_box", "color": "#fff"}],
        "classifications": [
            {
                "featureNodeHash": "weather",
                "attributes": [
                    {
                        "name": "Weather",
                        "type": "radio",
                        "featureNodeHash": "kind",
                        "options": [
                            {"label": name, "value": name.lower(), "featureNodeHash": name.lower()}
                            for name in ("Rain", "Snow")
                        ],
                    }
                ],
            }
        ],
    }
)
BOX = {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}
ROW: dict[str, Any] = {
    "label_hash": "l",
    "data_hash": "d",
    "data_type": "image",
    "data_units": {"d": {"data_hash": "d", "data_sequence": "0", "labels": {"objects": [], "classifications": []}}},
    "object_answers": {},
    "classification_answers": {},
    "is_valid": True,
}


def prepared(row: dict[str, Any] | None = ROW) -> Prepared:
    content = None if row is None else msgspec.Raw(json.dumps(row).encode())
    return Prepared(task=Task(uuid="t", data_hash="d"), content=content)


@given(st.lists(st.uuids(), unique=True), st.integers(1, 50))
def test_each_data_unit_is_in_just_one_shard(hashes: list[uuid.UUID], shards: int) -> None:
    found = [[shard for shard in range(shards) if in_shard(str(one), shard, shards)] for one in hashes]
    assert all(len(shard) == 1 for shard in found)
    assert found == [[one.int % shards] for one in hashes]


@pytest.mark.parametrize(
    "selection",
    [{"shard": 0}, {"shards": 2}, {"shard": 2, "shards": 2}, {"shard": 0, "shards": 2, "task_ids": []}],
)
def test_a_selection_that_contradicts_itself_is_refused(selection: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgumentError):
        Selection(batch_size=1, **selection).check()


def test_coroutines_run_up_to_the_limit_and_every_answer_comes() -> None:
    running, most = 0, 0

    async def call(item: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (item % 3))
        running -= 1
        return item

    assert sorted(as_coroutines(range(20), call, 4)) == list(range(20))
    assert most == 4


def test_coroutines_are_cancelled_if_the_run_ends_early() -> None:
    cancelled: list[int] = []

    async def call(item: int) -> int:
        try:
            await asyncio.sleep(0 if item == 0 else 60)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise
        return item

    answers = as_coroutines([0, 1, 2], call, 3)
    assert next(answers) == 0
    answers.close()  # type: ignore[attr-defined]
    assert sorted(cancelled) == [1, 2]


def test_threads_that_have_not_begun_do_not_begin_after_the_end() -> None:
    begun: list[int] = []
    wait = threading.Event()

    def call(item: int) -> int:
        begun.append(item)
        if item:
            wait.wait(10)
        return item

    answers = in_threads([0, 1, 2, 3], call, 1)
    assert next(answers) == 0
    answers.close()  # type: ignore[attr-defined]
    wait.set()
    assert len(begun) <= 2


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("GET https://host/a?X-Signature=abc failed", "GET https://host/a?... failed"),
        ('{"url": "http://h/p?a=1&b=2"}', '{"url": "http://h/p?..."}'),
        ("(host='h', port=1): Max retries exceeded with url: /a/b?sig=x&t=1 (Caused", None),
        ("no address, and what/why? Because", "no address, and what/why? Because"),
    ],
)
def test_queries_of_urls_are_left_out(text: str, left: str) -> None:
    assert without_urls(text) == (left or text.replace("sig=x&t=1", "..."))


def test_an_error_is_short_and_has_no_signed_url() -> None:
    text = described(ValueError("x" * 1000 + "https://h/signed"), ["https://h/signed"])
    assert text == "ValueError: " + "x" * 500
    assert described(KeyError()) == "KeyError"
    assert described(ValueError("token=secret1"), ["https://h/a?token=secret1"]) == "ValueError: ..."
    assert "signed" not in described(ValueError("see h/signed!"), ["h/signed"]).replace("<signed URL>", "")


def test_editing_labels_changes_a_copy_of_the_row() -> None:
    labels = EditableLabels(ROW, FEATURES)
    assert (labels.changed, len(labels)) == (False, 0)
    labels.add_object("Car", boundingBox=BOX)
    labels.add_object("Car", boundingBox=BOX)  # the same one
    labels.add_classification("Weather", "Rain")
    labels.add_classification("Weather", "Snow")
    assert (labels.changed, len(labels)) == (True, 2)
    row = labels.row()
    assert [shape["boundingBox"] for shape in row["data_units"]["d"]["labels"]["objects"]] == [BOX]
    (answer,) = row["classification_answers"].values()
    assert answer["classifications"][0]["answers"][0]["value"] == "snow"
    assert ROW["data_units"]["d"]["labels"]["objects"] == []
    labels.clear()
    assert (labels.changed, len(labels)) == (False, 0)


def test_labels_that_do_not_match_the_ontology_are_refused_where_they_are_added() -> None:
    with pytest.raises(WrongLabelsError, match="Unicorn"):
        EditableLabels(ROW, FEATURES).add_object("Unicorn", boundingBox=BOX)
    with pytest.raises(WrongLabelsError, match="boundingBox"):
        EditableLabels(ROW, FEATURES).add_object("Car")


def test_labels_in_the_short_form_change_no_label_that_exists() -> None:
    labels = EditableLabels(ROW, FEATURES)
    labels.add_classification("Weather", "Rain")
    there = labels.row()
    added = {
        "objects": [{"feature": "Car", "boundingBox": BOX}],
        "classifications": [{"feature": "Weather", "answer": "Snow"}],
    }
    made = new_row(prepared(there), added, lambda: FEATURES)
    assert made.kept == 1
    assert made.row["classification_answers"] == there["classification_answers"]
    assert len(made.row["object_answers"]) == 1


@pytest.mark.parametrize("row", [ROW, None], ids=["read", "not there yet"])
def test_the_version_after_a_save_is_that_of_the_saved_row(row: dict[str, Any] | None) -> None:
    added = {"objects": [{"feature": "Car", "boundingBox": BOX}]}
    saved = new_row(prepared(), added, lambda: FEATURES).row
    assert version_after(prepared(row), added, lambda: FEATURES) == version_of(saved) != version_of(row)
    assert version_of(ROW) == version_of(None)


def test_a_complete_row_is_saved_without_what_encord_refuses_and_only_for_its_task() -> None:
    made = new_row(prepared(), {**ROW, "object_answers": {}}, lambda: FEATURES).row
    assert made == {**{name: value for name, value in ROW.items() if name != "is_valid"}, "is_shadow_data": False}
    with pytest.raises(InvalidArgumentError, match="data_hash is 'other'"):
        new_row(prepared(), {**ROW, "data_hash": "other"}, lambda: FEATURES)


def _line(outcome: Outcome, pathway: str | None = None, id: str = "t") -> AgentLine:  # noqa: A002
    return AgentLine(
        schema_version=SCHEMA_VERSION,
        operation=OPERATION,
        source="a.png",
        id=id,
        outcome=outcome,
        error=None,
        data_hash="d",
        stage_id="s",
        pathway=pathway,
    )


def test_a_report_has_the_last_news_of_each_task_of_all_attempts(tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    first = AgentReport(path, Owner("dag/run/task/-1"))
    first.take([_line("updated", "good"), _line("failed", id="u")])  # and then it is killed
    second = AgentReport(path, Owner("dag/run/task/-1"))
    second.take([_line("skipped"), _line("updated", "good", id="u"), _line("skipped", id="v")])
    second.finish()
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert {line["id"]: line["outcome"] for line in found} == {"t": "updated", "u": "updated", "v": "skipped"}
    assert sorted(one.name for one in tmp_path.iterdir()) == ["report.jsonl"]


def test_a_file_that_is_no_report_of_an_agent_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    path.write_text('{"a": 1}\n')
    with pytest.raises(InvalidArgumentError, match="it is not a line of a report of an agent"):
        AgentReport(path, Owner("dag/run/task/-1"))
    assert path.read_text() == '{"a": 1}\n'
