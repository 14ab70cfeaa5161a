"""Imports of labels while people edit: theirs win, and whatever is left alone is reported."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord import attempts
from airflow_provider_encord.client.api.labels import save_label_rows
from airflow_provider_encord.operators.labels import EncordImportLabelsOperator
from airflow_provider_encord.prelabels import importing
from airflow_provider_encord.prelabels.report import OPERATION, ImportLine, ImportReport
from airflow_provider_encord.reports import SCHEMA_VERSION, UPDATED
from tests.airflow_layer.pre_labels import CAR, PERSON, SAVES, WEATHER, Model, counts_of, objects_of, saved
from tests.histories.processes import GREEN, Attempt

READS = {"query_type": "labelrow", "query_method": "GET"}
BETTER = {**CAR, "boundingBox": {"x": 0.5, "y": 0.5, "w": 0.1, "h": 0.1}}


def report_of(model: Model) -> str:
    return str(model.directory / "report.jsonl")


def lines_of(report: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(report).read_text().splitlines()]


def delete_an_object(model: Model, data_hash: str) -> None:
    """A person throws one of the model's boxes away, and saves."""
    with model.account.client() as client:
        row = model.labels()[data_hash]
        (read,) = (one.decoded() for one in client.project(model.project).read_label_rows([row["label_hash"]]))
        for unit in read["data_units"].values():
            unit["labels"]["objects"].pop()
        read["object_answers"] = {
            one["objectHash"]: read["object_answers"][one["objectHash"]]
            for unit in read["data_units"].values()
            for one in unit["labels"]["objects"]
        }
        read.pop("is_valid", None)
        client.send(save_label_rows(model.project, [row["label_hash"]], [{**read, "is_shadow_data": False}]))


@pytest.mark.parametrize("with_report", [True, False])
def test_an_import_that_is_cleared_after_people_corrected_the_labels_leaves_them_alone(
    model: Model, with_report: bool
) -> None:
    """Fault 3.1."""
    more = {"report": report_of(model)} if with_report else {}
    model.load(**more)
    corrected, deleted = model.data_hashes[:2]
    model.emulator.annotate(model.project, data_hashes=[corrected], objects_per_row=3)
    delete_an_object(model, deleted)
    before = model.labels()
    for lines in (model.lines(), model.lines(objects=[BETTER])):
        result = model.load(model.write(*lines), **more)
        after = model.labels()
        assert [after[one] for one in (corrected, deleted)] == [before[one] for one in (corrected, deleted)]
        assert result["conflict" if with_report else "skipped"] >= 2
    assert saved(result) == (4 if with_report else 0)
    if with_report:
        outcomes = {line["data_hash"]: line for line in lines_of(report_of(model))}
        assert outcomes[corrected]["outcome"] == outcomes[deleted]["outcome"] == "conflict"
        assert "somebody has edited the row since" in outcomes[corrected]["error"]


def test_an_import_updates_its_own_labels_that_no_one_edited(model: Model) -> None:
    report = report_of(model)
    model.load(report=report)
    source = model.write(*model.lines(objects=[BETTER]))
    assert counts_of(model.load(source, report=report)) == {"updated": 6}
    assert counts_of(model.load(source, report=report)) == {"unchanged": 6}
    assert counts_of(model.load(report=report)) == {"updated": 6}


def test_overwriting_is_done_when_it_is_asked_for(model: Model) -> None:
    model.emulator.annotate(model.project, count=6, objects_per_row=4)
    assert counts_of(model.load(if_exists="overwrite")) == {"updated": 6}
    assert all(len(objects_of(row)) == 2 for row in model.labels().values())


def test_merging_keeps_what_people_edited_and_adds_the_rest(model: Model) -> None:
    """Fault 3.1."""
    model.load(model.write(*model.lines(objects=[{**CAR, "id": "car"}], classifications=[])))
    row = model.labels()[model.data_hashes[0]]
    with model.account.client() as client:
        (read,) = (one.decoded() for one in client.project(model.project).read_label_rows([row["label_hash"]]))
        for unit in read["data_units"].values():
            for drawn in unit["labels"]["objects"]:
                drawn.update(boundingBox=BETTER["boundingBox"], manualAnnotation=True)
        read.pop("is_valid", None)
        client.send(save_label_rows(model.project, [row["label_hash"]], [{**read, "is_shadow_data": False}]))
    source = model.write(*model.lines(objects=[{**CAR, "id": "car"}, PERSON], classifications=[]))
    report = report_of(model)
    assert counts_of(model.load(source, if_exists="merge", report=report)) == {"updated": 6}
    drawn = {one["name"]: one for one in objects_of(model.labels()[model.data_hashes[0]])}
    assert set(drawn) == {"Car", "Person"}
    assert drawn["Car"]["boundingBox"] == BETTER["boundingBox"]
    kept = [
        line
        for line in lines_of(report)
        if "1 of the labels exist in the row with another content" in str(line["error"] or line["note"])
    ]
    assert [line["data_hash"] for line in kept] == [model.data_hashes[0]]


@pytest.mark.parametrize("if_exists", ["skip", "merge", "overwrite"])
def test_what_somebody_saves_between_our_read_and_our_save_is_not_lost(model: Model, if_exists: str) -> None:
    """Fault 3.2: the listing right before the save is slow, and a person saves meanwhile."""
    model.load(model.write(*model.lines(objects=[], classifications=[WEATHER])))
    report, mine = report_of(model), model.data_hashes[0]
    model.load(model.write(*model.lines(objects=[], classifications=[WEATHER])), report=report)
    listing = {"query_type": "labelrowmetadata"}
    model.emulator.clear_journal()
    model.emulator.faults([{"match": listing, "when": {"nth": 2}, "do": {"delay_s": 2}}])
    results: list[dict[str, Any]] = []
    load = threading.Thread(
        target=lambda: results.append(
            model.load(model.write(*model.lines(classifications=[])), if_exists=if_exists, report=report)
        )
    )
    load.start()
    while not any(entry["query_type"] == "labelrow" for entry in model.emulator.journal()):
        threading.Event().wait(0.01)
    model.emulator.annotate(model.project, data_hashes=[mine], objects_per_row=5)
    load.join()
    drawn = objects_of(model.labels()[mine])
    if if_exists == "overwrite":  # it was asked for; and it was decided upon what the person had saved
        assert len(drawn) == 2
        return
    by_person = [one for one in drawn if one["manualAnnotation"]]
    assert len(by_person) == 5
    assert results[0]["conflict"] == 1
    (line,) = [one for one in lines_of(report) if one["data_hash"] == mine]
    assert line["outcome"] == "conflict"


@pytest.mark.parametrize("if_exists", ["skip", "merge"])
def test_what_somebody_saves_after_a_bundle_was_refused_is_not_lost(model: Model, if_exists: str) -> None:
    """Review of 0.1, ingest 6: the rows of a refused bundle were saved by themselves without another look."""
    model.load(model.write(*model.lines(objects=[], classifications=[WEATHER])))
    report, last = report_of(model), model.data_hashes[-1]
    model.load(model.write(*model.lines(objects=[], classifications=[WEATHER])), report=report)
    model.emulator.clear_journal()
    model.emulator.faults(
        [
            {"match": SAVES, "when": {"nth": 1}, "do": {"v1_error": "VALIDATION_ERROR"}},
            {"match": SAVES, "when": {"nth": 2}, "do": {"delay_s": 2}},
        ]
    )
    results: list[dict[str, Any]] = []
    load = threading.Thread(
        target=lambda: results.append(
            model.load(model.write(*model.lines(classifications=[])), if_exists=if_exists, report=report)
        )
    )
    load.start()
    while not any(
        (entry["query_type"], entry["query_method"]) == ("labelrow", "POST") for entry in model.emulator.journal()
    ):
        threading.Event().wait(0.01)
    model.emulator.annotate(model.project, data_hashes=[last], objects_per_row=5)
    load.join()
    model.emulator.clear_faults()
    assert len([one for one in objects_of(model.labels()[last]) if one["manualAnnotation"]]) == 5
    assert (saved(results[0]), results[0]["conflict"], results[0]["failed"]) == (5, 1, 0)


def test_rows_of_a_refused_bundle_that_were_saved_count_as_saved(model: Model) -> None:
    """Review of 0.1, ingest 6: a bundle may go in several requests, of which Encord refuses a later one."""
    model.emulator.limits(label_rows_per_request=2)
    # The first is refused for its size, the second takes two rows.
    model.emulator.faults([{"match": SAVES, "when": {"nth": 4}, "do": {"v1_error": "VALIDATION_ERROR"}}])
    try:
        assert counts_of(model.load()) == {"created": 6}
    finally:
        model.emulator.limits(label_rows_per_request=1000)
        model.emulator.clear_faults()


def test_lines_of_an_export_are_imported_in_all_forms_that_the_sdk_takes(model: Model) -> None:
    """Fault 5.3."""
    model.load()
    rows = list(model.labels().values())
    for row in rows:
        (unit,) = row["data_units"].values()
        for drawn in unit["labels"]["objects"]:
            if "polygon" in drawn:
                points = [drawn["polygon"][key] for key in sorted(drawn["polygon"], key=int)]
                drawn["polygon"] = [{**points[0], "x": -0.01}, *points[1:]]
            if "boundingBox" in drawn:
                drawn["boundingBox"]["w"] = 1.02
        for answer in row["classification_answers"].values():
            answer["classifications"] = []
    result = model.load(model.write(*rows), if_exists="overwrite")
    assert counts_of(result) == {"updated": 6}
    for row in model.labels().values():
        drawn = {one["name"]: one for one in objects_of(row)}
        assert drawn["Person"]["polygon"]["0"]["x"] == -0.01
        assert drawn["Car"]["boundingBox"]["w"] == 1.02


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"objects": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "it is nested too deeply"),
        (b'{"data_hash": "\xff"}', "it is not UTF-8"),
        (b'{"data_hash": NaN}', "it is not a JSON object"),
        (b'{"data_hash": "x", "objects": [1e999]}', "it is not a JSON object"),
    ],
)
def test_a_hostile_line_is_named_and_nothing_is_imported(model: Model, line: bytes, problem: str) -> None:
    """Fault 4.4."""
    path = model.directory / "hostile.jsonl"
    path.write_bytes(line + b"\n")
    with pytest.raises(AirflowFailException, match=rf"hostile\.jsonl, line 1: {problem}"):
        model.load(str(path))


@pytest.mark.parametrize("packed", [".zst", ".gz"])
def test_a_packed_file_that_was_cut_is_refused_before_anything_is_sent(model: Model, packed: str) -> None:
    """Fault 4.1."""
    import gzip

    import zstandard

    content = b"".join(json.dumps(line).encode() + b"\n" for line in model.lines())
    if packed == ".zst":
        compressor = zstandard.ZstdCompressor().compressobj()
        half = len(content) // 2
        first = compressor.compress(content[:half]) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        whole = first
    else:
        whole = gzip.compress(content)[:-20]
    path = model.directory / f"labels.jsonl{packed}"
    path.write_bytes(whole)
    with pytest.raises(AirflowFailException, match=r"labels\.jsonl"):
        model.load(str(path))
    assert model.changes() == []


def test_a_file_that_is_no_report_is_not_overwritten(model: Model) -> None:
    path = model.directory / "mine.jsonl"
    path.write_text('{"mine": 1}\n')
    with pytest.raises(AirflowFailException, match="not a line of a report of an import"):
        model.load(report=str(path))
    assert path.read_text() == '{"mine": 1}\n'
    assert model.changes() == []


@pytest.mark.parametrize("on_error", ["fail", "skip"])
def test_a_function_that_takes_long_keeps_the_report_of_its_import(
    model: Model, monkeypatch: pytest.MonkeyPatch, on_error: str
) -> None:
    """Review of 0.1, ingest 1: between the lines, and not between bundles only."""
    monkeypatch.setattr(attempts, "CLAIM_SECONDS", 0.0)  # any time is long
    calls: list[str] = []

    def detect(row: Any) -> dict[str, Any]:
        calls.append(row.data_hash)
        if len(calls) == 2:
            (model.directory / "report.jsonl.parts" / "claim.json").unlink()
        return {"objects": [CAR]}

    with pytest.raises(AirflowException, match=r"claim\.json.* was deleted"):
        model.load(python_callable=detect, report=report_of(model), on_error=on_error)
    assert len(calls) == 2


def test_heavy_rows_are_worked_on_a_few_at_a_time(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 7.6: bounded by bytes, not by rows."""
    source = model.write(*model.lines())
    size = len(Path(source).read_bytes()) // 6
    monkeypatch.setattr(importing, "BYTES_PER_BUNDLE", 2 * size + 1)
    assert saved(model.load(source)) == 6
    reads = [
        entry
        for entry in model.emulator.journal()
        if entry["query_type"] == "labelrow"
        and entry["query_method"] == "PUT"
        and entry["credential"] == model.credential
    ]
    assert len(reads) == 3


def test_an_import_reads_the_report_only_when_no_one_else_writes_it(model: Model) -> None:
    """Fault 1.6: another import ends between the moment at which this one looks at the report and its claim."""
    report, operator = report_of(model), EncordImportLabelsOperator
    better = model.write(*model.lines(objects=[BETTER]), name="better.jsonl")
    waiting = Attempt(
        lambda: operator(task_id="import", project_id=model.project, source=better, report=report).execute({}),
        model.directory,
        stop_at=1,
    )
    while "claim.json" not in waiting.step:
        waiting.go_on(1)
    model.load(report=report)
    waiting.go_on()
    assert waiting.end is not None
    assert waiting.end.kind == GREEN, waiting.end.text
    assert counts_of(waiting.end.result) == {"updated": 6}


def test_labels_that_a_killed_import_saved_are_its_own(model: Model) -> None:
    """Fault 3.1: the worker dies after the save and before the report says so, and the model changes its mind."""
    report, source = report_of(model), model.write(*model.lines())
    operator = EncordImportLabelsOperator(task_id="import", project_id=model.project, source=source, report=report)
    dying = Attempt(lambda: operator.execute({}), model.directory, stop_at=1)
    while "labelrow POST" not in dying.step:
        dying.go_on(1)
    dying.go_on(1)
    dying.kill()
    edited = model.data_hashes[0]
    model.emulator.annotate(model.project, data_hashes=[edited], objects_per_row=1)
    result = model.load(model.write(*model.lines(objects=[BETTER])), report=report)
    assert (saved(result), result["conflict"]) == (5, 1)
    again = model.load(model.write(*model.lines(objects=[CAR])), report=report)
    assert (saved(again), again["conflict"]) == (5, 1)


def test_an_intent_is_settled_by_its_own_outcome_only(tmp_path: Path) -> None:
    """Review of 0.1, ingest 10: one attempt saved, and the next died right after it saved something else."""
    path = tmp_path / "report.jsonl"

    def updated(content: str) -> ImportLine:
        return ImportLine(
            schema_version=SCHEMA_VERSION,
            operation=OPERATION,
            source="line 1",
            id="l",
            outcome=UPDATED,
            error=None,
            data_hash="d",
            content=content,
        )

    first = ImportReport(path)
    first.intend([updated("x")])
    first.take([updated("x")])
    second = ImportReport(path)
    second.intend([updated("y")])
    third = ImportReport(path)
    assert third.saved_before == {"l": "x"}
    assert third.intended == {"l": {"y"}}
    third.take([updated("y")])
    fourth = ImportReport(path)
    assert (fourth.saved_before, fourth.intended) == ({"l": "y"}, {})


def test_what_a_report_knows_of_rows_outlives_imports_of_other_rows(model: Model) -> None:
    """Fault 3.1: every day other rows; a later day corrects those of the first."""
    report, lines = report_of(model), model.lines()
    for some in (lines[:3], lines[3:]):
        assert saved(model.load(model.write(*some), report=report)) == 3
    assert len(lines_of(report)) == 3
    model.emulator.annotate(model.project, data_hashes=[model.data_hashes[0]], objects_per_row=1)
    result = model.load(model.write(*model.lines(objects=[BETTER])[:3]), report=report)
    assert (saved(result), result["conflict"]) == (2, 1)
    assert saved(model.load(model.write(*model.lines(objects=[BETTER])[3:]), report=report)) == 3


@pytest.mark.parametrize("merges", [1, 2])
def test_a_row_that_labels_were_merged_into_still_belongs_to_people(model: Model, merges: int) -> None:
    """Fault 3.1: the report took the whole row for ours, so the next import removed what people had drawn."""
    report, row = str(model.directory / "report"), model.data_hashes[0]
    model.emulator.annotate(model.project, data_hashes=[row], objects_per_row=2)
    source = model.write(*model.lines(objects=[CAR]))
    for _ in range(merges):
        model.load(source, report=report, if_exists="merge")
    assert len(objects_of(model.labels()[row])) == 3
    again = model.load(model.write(*model.lines(objects=[PERSON])), report=report)
    assert (saved(again), again["skipped"] + again["conflict"]) == (5, 1)
    assert len(objects_of(model.labels()[row])) == 3
