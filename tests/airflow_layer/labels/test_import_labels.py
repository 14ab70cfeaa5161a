"""Labels into a project: from files and functions, matched, checked before anything is sent, and safe to repeat."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.client.api.labels import LabelRowFilter
from airflow_provider_encord.client.api.storage_folders import folder_patch
from airflow_provider_encord.client.flows.storage import edit_items
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator, EncordImportLabelsOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.pre_labels import (
    BOX,
    CAR,
    CREATES,
    PERSON,
    SAVES,
    WEATHER,
    Model,
    counts_of,
    objects_of,
    saved,
)


def test_pre_labels_of_a_file_come_in_and_a_second_import_changes_nothing(model: Model) -> None:
    report = model.directory / "report.jsonl"
    result = model.load(report=str(report))
    assert result == {
        "project_id": model.project,
        "branch": "main",
        "created": 6,
        "updated": 0,
        "unchanged": 0,
        "skipped": 0,
        "conflict": 0,
        "failed": 0,
        "promoted": 0,
        "dropped": {},
        "report": f"file://{report}",
    }
    first = model.labels()
    assert sorted(first) == model.data_hashes
    for row in first.values():
        car, person = objects_of(row)
        assert (car["name"], car["boundingBox"], car["confidence"]) == ("Car", BOX, 0.75)
        assert car["manualAnnotation"] is False
        assert person["polygon"] == PERSON["polygon"]
        (colour,) = row["object_answers"][car["objectHash"]]["classifications"]
        assert [answer["name"] for answer in colour["answers"]] == ["Red"]
        (weather,) = row["classification_answers"].values()
        assert [one["name"] for one in weather["classifications"][0]["answers"]] == ["Heavy snow"]
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(one["outcome"], one["annotations"]) for one in lines] == [("created", 3)] * 6
    assert {one["id"] for one in lines} == {row["label_hash"] for row in first.values()}
    model.emulator.clear_journal()
    assert counts_of(model.load()) == {"unchanged": 6}
    assert model.changes() == []
    assert model.labels() == first


def test_what_is_changed_is_saved_and_nothing_else(model: Model) -> None:
    report = str(model.directory / "report.jsonl")
    model.load(report=report)
    lines = model.lines()
    lines[2]["objects"] = [{**CAR, "confidence": 0.9}]
    model.emulator.clear_journal()
    assert counts_of(model.load(model.write(*lines), report=report)) == {"updated": 1, "unchanged": 5}
    assert model.changes() == [("labelrow", "POST")]
    assert [one["confidence"] for one in objects_of(model.labels()[model.data_hashes[2]])] == [0.9]


@pytest.mark.parametrize(
    ("if_exists", "names", "counts"),
    [
        ("overwrite", ["Car"], {"updated": 6}),
        ("merge", ["Car", "Person", "Car"], {"updated": 6}),
        ("skip", ["Car", "Person"], {"skipped": 6}),
    ],
)
def test_labels_that_are_there_are_replaced_merged_or_left(
    model: Model, if_exists: str, names: Any, counts: Any
) -> None:
    model.load()
    other = {"feature": "Car", "boundingBox": {**BOX, "x": 0.5}}
    source = model.write(*model.lines(objects=[other], classifications=[]), name="others.jsonl")
    assert counts_of(model.load(source, if_exists=if_exists)) == counts
    for row in model.labels().values():
        assert [one["name"] for one in objects_of(row)] == names
        assert len(row["classification_answers"]) == (0 if if_exists == "overwrite" else 1)
    if if_exists != "skip":
        assert counts_of(model.load(source, if_exists=if_exists)) == {"unchanged": 6}


def test_rows_are_matched_by_title_and_by_client_metadata(model: Model) -> None:
    by_title = [{"title": model.titles[data_hash], "objects": [CAR]} for data_hash in model.data_hashes]
    assert saved(model.load(model.write(*by_title), match_by="title")) == 6
    with model.account.client() as client:
        listed = client.project(model.project).label_rows(LabelRowFilter(include_client_metadata=True))
        items = {row.data_hash: row.backing_item_uuid for row in listed}
        for number, one in enumerate(model.data_hashes):
            client.run(edit_items({items[one] or "": folder_patch(client_metadata={"frame": number})}))
    lines = [{"client_metadata": {"frame": number}, "objects": []} for number in range(6)]
    result = model.load(model.write(*lines), match_by="client_metadata.frame", if_exists="overwrite")
    assert counts_of(result) == {"updated": 6}
    assert all(objects_of(row) == [] for row in model.labels().values())


_NO_LISTS = {"objects": None, "classifications": None}
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"data_hash": "nowhere"}, r"data_hash 'nowhere': no data unit has it"),
    ({"data_hash": None}, "data_hash: it is missing"),
    ({"objects": [{"feature": "Lorry", "boundingBox": BOX}]}, "object 'Lorry': the ontology has Car, Person"),
    (
        {"objects": [{"feature": "Car", "polygon": {}}]},
        r"object 'Car': boundingBox \(the geometry of a bounding_box\) is missing",
    ),
    (
        {"objects": [{"feature": "Car", "boundingBox": {**BOX, "x": 12}}]},
        r"boundingBox\.x is '12', which is not a fraction",
    ),
    ({"objects": [{**CAR, "answers": {"Colour": "Green"}}]}, "answer to 'Colour': 'Green' is not one of Red, Blue"),
    ({"objects": [{**CAR, "answers": {"Size": "Big"}}]}, "attribute 'Size': the ontology has Colour"),
    ({"objects": [{**CAR, "frame": 3}]}, "frame: 3 is not within the 1 frames"),
    ({"objects": [{**CAR, "confidence": 80}]}, "confidence: '80'"),
    ({"objects": [{**CAR, "colour": "Red"}]}, "object: 'colour' is not known"),
    ({"objects": {"Car": CAR}}, "objects: it is not a list"),
    ({"classifications": [{"feature": "Weather", "answer": ["Rain", "Clear"]}]}, "it has 2 options"),
    ({"classifications": [{"feature": "Note", "answer": 3}]}, "answer to 'Note': it is not text"),
    ({"classifications": [{**WEATHER, "frames": [[0, 7]]}]}, "frame: 7 is not within"),
    ({"classifications": [{**WEATHER, "frames": [[1, 0]]}]}, "not a first and a last frame"),
    *(
        ({"classifications": [{**WEATHER, "frames": frames}]}, "frames: .* is not a list of first and last frames")
        for frames in (5, [], {}, "", 0, False)
    ),
    ({"classifications": [{**WEATHER, "frames": [[False, 0]]}]}, "not a first and a last frame"),
    ({"classifications": [{**WEATHER, "answers": {"Weather": "Rain"}}]}, "it has answer and answers"),
    *(
        ({"objects": [{**CAR, "frame": frame}]}, "frame: .* is not a whole number")
        for frame in (False, "", [], 0.0, "0")
    ),
    *(
        ({"objects": [{**CAR, "id": id_}]}, "id: .* is neither text nor a number")
        for id_ in ("", " ", True, [], {"a": 1})
    ),
    (
        {"objects": [{**CAR, "polygon": PERSON["polygon"]}]},
        "object 'Car': polygon does not match its shape, bounding_box",
    ),
    ({"objects": None, "classifications": None}, "objects, classifications: both are missing"),
    ({"data_units": {"x": {"labels": {}}}}, "data_units: a label row has its labels here"),
    ({"classifications": [{"feature": "Weather"}]}, "it has no answer"),
    ({"object": [CAR]}, "line: 'object' is not known"),
    ({"objects": [CAR, {**CAR, "confidence": 0.1}]}, "two entries on frame 0 are the same object"),
    ({"objects": [{**CAR, "answers": ["Red"]}]}, "answers: .* is not an object with the answers by attribute"),
    ({"objects": [{"feature": "Person", "polygon": {}}]}, "polygon needs at least 3 points"),
    ({"data_hash": ["x"]}, "no data unit has it"),
    (
        {**_NO_LISTS, "data_units": {"x": {"labels": {"objects": [{"featureHash": "y"}]}}}},
        "objectHash: it is missing for an object on frame 0",
    ),
    ({**_NO_LISTS, "data_units": {"x": {"labels": {"a": None}}}}, "it is not valid as a label row"),
]


@pytest.mark.parametrize("line", [{}, {"title": "x"}], ids=str)
def test_a_line_that_says_no_labels_is_not_taken_for_none(model: Model, line: Any) -> None:
    model.load()
    with pytest.raises(AirflowFailException, match="objects, classifications: both are missing"):
        model.load(model.write({"data_hash": model.data_hashes[0], **line}))
    with pytest.raises(AirflowFailException, match="objects, classifications: both are missing"):
        model.load(python_callable=lambda row: {})
    assert all(len(objects_of(row)) == 2 for row in model.labels().values())


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_files_that_were_put_together_are_read_to_their_end(model: Model, suffix: str) -> None:
    pack: Any = gzip.compress
    if suffix == "zst":
        pack = pytest.importorskip("zstandard").ZstdCompressor().compress
    path = model.directory / f"left.jsonl.{suffix}"
    path.write_bytes(b"".join(pack(json.dumps(line).encode() + b"\n") for line in model.lines()))
    if suffix == "zst":
        assert saved(model.load(str(model.directory))) == 6
    assert model.load(str(path))["failed"] == 0
    assert len(model.labels()) == 6


def test_a_file_that_was_cut_off_is_refused(model: Model) -> None:
    path = Path(model.write(*model.lines(), name="labels.jsonl.gz"))
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(AirflowFailException, match=r"source: .* is damaged"):
        model.load(str(path))
    path.write_text("plain")
    with pytest.raises(AirflowFailException, match=r"source: .* is damaged, or its compression"):
        model.load(str(path))
    assert model.changes() == []


def test_merging_replaces_what_an_earlier_import_classified_on_the_same_frames(model: Model) -> None:
    report = str(model.directory / "report.jsonl")
    rain = {"feature": "Weather", "answer": "Rain"}
    model.load(model.write(*model.lines(classifications=[rain])), report=report)
    assert {len(row["classification_answers"]) for row in model.labels().values()} == {1}
    assert saved(model.load(if_exists="merge", report=report)) == 6
    for row in model.labels().values():
        (weather,) = row["classification_answers"].values()
        assert [answer["name"] for answer in weather["classifications"][0]["answers"]] == ["Heavy snow"]


def test_the_report_shows_rows_that_were_created_though_saving_failed(model: Model) -> None:
    model.emulator.faults([{"match": SAVES, "do": {"status": 503}}])
    report = model.directory / "report"
    with pytest.raises(AirflowException):
        model.load(report=str(report))
    outcomes = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(outcome["outcome"], outcome["label_row_created"]) for outcome in outcomes] == [("failed", True)] * 6
    model.emulator.clear_faults()
    assert saved(model.load(report=str(report))) == 6
    before = report.read_text()
    with pytest.raises(AirflowFailException, match="nothing was imported"):
        model.load(model.write({"data_hash": "x"}), report=str(report))
    assert report.read_text() == before, "an import that was refused leaves the report of the one before"
    assert not (model.directory / "report.parts").exists()


def test_rows_that_a_killed_try_saved_are_promoted_by_the_next(model: Model) -> None:
    model.load(branch="pre-labels", if_exists="skip")
    result = model.load(branch="pre-labels", if_exists="skip", promote_to="main")
    assert (result["unchanged"], result["promoted"]) == (6, 6)


def test_hashes_do_not_depend_on_how_an_object_is_spelt(model: Model) -> None:
    model.load(model.write(*model.lines(objects=[CAR])))
    again = {"boundingBox": dict(reversed(BOX.items())), **CAR, "frame": 0}
    assert counts_of(model.load(model.write(*model.lines(objects=[again])), if_exists="merge")) == {"unchanged": 6}


@pytest.mark.parametrize(("harm", "message"), WRONG, ids=lambda one: one if isinstance(one, str) else "")
def test_one_wrong_line_keeps_all_back_and_is_named(model: Model, harm: dict[str, Any], message: str) -> None:
    lines = model.lines()
    lines[4] |= harm
    with pytest.raises(AirflowFailException, match=rf"nothing was imported.*labels\.jsonl, line 5: .*{message}"):
        model.load(model.write(*lines))
    assert model.changes() == []
    result = model.load(model.write(*lines), on_error="skip", report=str(model.directory / "report"))
    assert counts_of(result) == {"created": 5, "failed": 1}
    outcomes = [json.loads(line) for line in (model.directory / "report").read_text().splitlines()]
    assert [outcome["source"] for outcome in outcomes if outcome["outcome"] == "failed"] == ["labels.jsonl, line 5"]


def test_two_lines_about_one_row_are_refused(model: Model) -> None:
    with pytest.raises(AirflowFailException, match=r"line 2: .*labels\.jsonl, line 1 has the same data unit"):
        model.load(model.write(model.lines()[0], model.lines()[0]))


def test_a_line_that_is_no_json_is_named(model: Model) -> None:
    path = model.directory / "broken.jsonl"
    path.write_text(json.dumps(model.lines()[0]) + '\n{"data_ha')
    with pytest.raises(AirflowFailException, match=r"broken\.jsonl, line 2: it is not a JSON object"):
        model.load(str(path))


def test_what_the_server_refuses_does_not_keep_the_others_back(model: Model) -> None:
    model.emulator.faults([{"match": SAVES, "when": {"nth": 1}, "do": {"v1_error": "VALIDATION_ERROR"}}])
    assert counts_of(model.load()) == {"created": 6}


def test_data_units_without_a_row_may_be_left_alone(model: Model) -> None:
    model.emulator.annotate(model.project, data_hashes=model.data_hashes[:2])
    result = model.load(create_missing=False, if_exists="overwrite")
    assert counts_of(result) == {"updated": 2, "skipped": 4}
    assert len(model.labels()) == 2


def _drawn(row: dict[str, Any]) -> Any:
    """What a video row says: objects by frame, and answers."""
    (unit,) = row["data_units"].values()
    frames = {
        frame: sorted((one["objectHash"], one["featureHash"]) for one in labels["objects"])
        for frame, labels in unit["labels"].items()
    }
    answers = {hash_: one["classifications"] for hash_, one in row["object_answers"].items()}
    ranges = {hash_: one["range"] for hash_, one in row["classification_answers"].items()}
    return {frame: drawn for frame, drawn in frames.items() if drawn}, answers, ranges


def test_an_export_of_one_project_is_imported_to_another(account: Account, tmp_path: Path) -> None:
    truth = Model(account, tmp_path, rows=5, created=1.0, objects_per_row=4, kind="video", frames=9, seed=3)
    exported = EncordExportLabelsOperator(
        task_id="export", project_id=truth.project, destination=str(tmp_path / "export"), format="jsonl.gz"
    ).execute({})
    with account.client() as client:
        datasets = [dataset.dataset_hash for dataset in client.project(truth.project).datasets()]
        ontology = client.project(truth.project).get().ontology_hash
        copied = client.create_project("Copy", dataset_ids=datasets, ontology_id=ontology, if_exists="new").id
    directory = exported["manifest"].rpartition("/")[0]
    arguments = {"task_id": "import", "project_id": copied, "source": directory}
    assert saved(EncordImportLabelsOperator(**arguments).execute({})) == 5
    there, here = account.emulator.labels(truth.project), account.emulator.labels(copied)
    assert [_drawn(row) for row in here] == [_drawn(row) for row in there]
    assert not {row["label_hash"] for row in here} & {row["label_hash"] for row in there}
    assert EncordImportLabelsOperator(**arguments).execute({})["unchanged"] == 5


def test_pre_labels_go_to_a_branch_and_are_promoted(model: Model) -> None:
    result = model.load(branch="pre-labels", promote_to="main")
    assert (result["branch"], saved(result), result["promoted"]) == ("pre-labels", 6, 6)
    assert len(model.labels()) == 6
    assert all(len(objects_of(row)) == 2 for row in model.labels().values())
    again = model.load(branch="pre-labels", promote_to="main")
    assert (counts_of(again), again["promoted"]) == ({"unchanged": 6}, 0)


@pytest.mark.parametrize(
    "fault",
    [
        {"match": CREATES, "when": {"nth": 1}, "do": {"cut": "after"}},
        {"match": CREATES, "when": {"nth": 1}, "do": {"cut": "before"}},
        {"match": SAVES, "when": {"nth": 1}, "do": {"cut": "after"}},
        {"match": SAVES, "when": {"every": 2}, "do": {"status": 503}},
        {"match": SAVES, "when": {"nth": 1}, "do": {"status": 413}},
    ],
    ids=lambda fault: f"{fault['match']['query_method']} {fault['do']}",
)
def test_trouble_on_the_way_loses_and_doubles_nothing(model: Model, fault: Any) -> None:
    model.emulator.faults([fault])
    result = model.load()
    assert (saved(result), result["failed"]) == (6, 0)
    assert all(len(objects_of(row)) == 2 for row in model.labels().values())
    model.emulator.clear_faults()
    assert counts_of(model.load()) == {"unchanged": 6}


def test_the_label_limit_of_the_server_is_kept_to(model: Model) -> None:
    try:
        model.emulator.limits(label_rows_per_request=4)
        assert saved(model.load()) == 6
    finally:
        model.emulator.limits(label_rows_per_request=1000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"match_by": "name"}, "match_by: 'name'"),
        ({"match_by": "client_metadata."}, "match_by: "),
        ({"if_exists": "perhaps"}, "if_exists: 'perhaps' is not one of skip, merge, overwrite"),
        ({"on_error": "perhaps"}, "on_error: 'perhaps'"),
        ({"python_callable": lambda row: None}, "Pass exactly one of `source` and `python_callable`"),
        ({"branch": "b", "promote_to": "b"}, "promote_to: 'b' is also the branch"),
        *(
            ({name: value}, rf"{name}: .*{message}")
            for name in ("branch", "promote_to")
            for value, message in (("None", "the string 'None'"), (["main"], "not a list"), (" main", "white space"))
        ),
        ({"create_missing": "perhaps"}, "create_missing: 'perhaps'"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_sent(model: Model, arguments: Any, message: str) -> None:
    with pytest.raises(AirflowFailException, match=message):
        model.load(model.write(*model.lines()), **arguments)
    assert model.changes() == []


def test_an_api_key_imports_and_is_reported_that_it_cannot_promote(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ENCORD_API_KEY", model.account.api_key_connection(model.project))
    model.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match="SSH key"):
        model.load(encord_conn_id="encord_api_key", project_id=None, branch="b", promote_to="main")
    assert [entry for entry in model.emulator.journal() if entry["changes"] and "api_key" in entry["credential"]] == []
    assert saved(model.load(encord_conn_id="encord_api_key", project_id=None)) == 6


def test_a_source_that_is_not_there_is_named(model: Model) -> None:
    with pytest.raises((AirflowException, AirflowFailException), match=r"source: .*nowhere"):
        model.load(str(model.directory / "nowhere.jsonl"))
    (model.directory / "empty").mkdir()
    with pytest.raises(AirflowFailException, match=r"source: .* contains no file"):
        model.load(str(model.directory / "empty"))
