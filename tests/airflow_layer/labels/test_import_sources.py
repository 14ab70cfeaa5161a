"""Sources of imports: whole exports, or nothing; files with lines; and no report among them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.labels import EncordExportLabelsOperator, EncordImportLabelsOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.label_exports import Exports
from tests.airflow_layer.pre_labels import CAR, PERSON, Model, objects_of, saved
from tests.histories.processes import Attempt


@pytest.fixture
def exports(account: Account, tmp_path: Path) -> Exports:
    exports = Exports(account, tmp_path, rows=20)
    exports.export(0, max_shard_bytes=9000)
    assert len(shards_of(exports)) > 1
    return exports


def shards_of(exports: Exports) -> list[Path]:
    return sorted((exports.directory / "day-0").glob("labels-*"))


def load(exports: Exports, source: Path | str, **more: Any) -> dict[str, Any]:
    arguments = {"project_id": exports.project, "source": str(source), "branch": "copy", **more}
    result: dict[str, Any] = EncordImportLabelsOperator(task_id="import", **arguments).execute({})
    return result


def require_refused(exports: Exports, source: Path | str, message: str) -> None:
    exports.emulator.clear_journal()
    for on_error in ("fail", "skip"):
        with pytest.raises(AirflowFailException, match=message):
            load(exports, source, on_error=on_error)
    assert not [entry for entry in exports.emulator.journal() if entry["changes"]]


def test_a_whole_export_is_imported_as_its_manifest_says(exports: Exports) -> None:
    directory = exports.directory / "day-0"
    (directory / "labels-0.jsonl").write_text("not of the export\n")
    assert saved(load(exports, directory)) == 20


@pytest.mark.parametrize("harm", ["missing", "shorter", "longer"])
def test_an_export_without_all_of_its_shards_is_refused(exports: Exports, harm: str) -> None:
    shard = shards_of(exports)[0]
    if harm == "missing":
        shard.unlink()
    else:
        content = shard.read_bytes()
        shard.write_bytes(content[: content.index(b"\n") + 1] if harm == "shorter" else content * 2)
    name = shard.name.replace(".", r"\.")
    require_refused(exports, shard.parent, rf"source: .*{name} (is missing|has \d+ bytes, but manifest\.json)")


def test_an_export_that_was_killed_is_refused(account: Account, tmp_path: Path) -> None:
    exports = Exports(account, tmp_path, rows=20)
    arguments = {"project_id": exports.project, "destination": str(tmp_path / "day-0"), "max_shard_bytes": 9000}
    operator = EncordExportLabelsOperator(task_id="export", **arguments)
    dying = Attempt(lambda: operator.execute({}), tmp_path, stop_at=1)
    while not shards_of(exports):
        dying.go_on(1)
    dying.kill()
    require_refused(exports, tmp_path / "day-0", r"source: .* contains an unfinished export: it has plan\.json")


@pytest.mark.parametrize("content", [b"", b"{", b'{"schema_version": "1.2"}', b'{"files": []}'])
def test_an_export_whose_manifest_cannot_be_read_is_refused(exports: Exports, content: bytes) -> None:
    (exports.directory / "day-0" / "manifest.json").write_bytes(content)
    require_refused(exports, exports.directory / "day-0", r"source: .*manifest\.json is not the manifest of an export")


def test_a_copy_of_an_export_without_its_manifest_is_refused(exports: Exports) -> None:
    copy = exports.directory / "copy"
    shutil.copytree(exports.directory / "day-0", copy)
    (copy / "manifest.json").unlink()
    require_refused(exports, copy, r"source: .* has listing-.* of an export but no manifest\.json")


@pytest.mark.parametrize("format_", ["parquet", "annotations.jsonl"])
def test_an_export_of_another_format_is_refused_by_its_name(exports: Exports, format_: str) -> None:
    exports.export(1, format=format_)
    require_refused(exports, exports.directory / "day-1", f"source: the export in .* has the format {format_}")


def test_an_export_without_rows_is_imported_and_changes_nothing(account: Account, tmp_path: Path) -> None:
    exports = Exports(account, tmp_path, rows=3, created=0.0)
    exports.export(0)
    assert saved(load(exports, tmp_path / "day-0")) == 0


@pytest.mark.parametrize("content", [b"", b"\n", b" \n\n"])
@pytest.mark.parametrize("directory", [True, False])
def test_a_source_without_lines_is_refused(exports: Exports, content: bytes, directory: bool) -> None:
    path = exports.directory / "empty" / "labels.jsonl"
    path.parent.mkdir()
    path.write_bytes(content)
    require_refused(exports, path.parent if directory else path, "source: .*empty.* has no lines")


@pytest.mark.parametrize("spelling", ["plain", "uri", "dots", "link"])
@pytest.mark.parametrize("of_file", [True, False])
def test_a_report_among_the_files_of_the_source_is_refused_before_anything_is_sent(
    model: Model, spelling: str, of_file: bool
) -> None:
    directory = model.directory / "in"
    directory.mkdir()
    source = Path(model.write(*model.lines(), name="in/labels.jsonl"))
    before = source.read_bytes()
    link = model.directory / "link"
    link.symlink_to(directory)
    place = {"plain": directory, "uri": f"file://{directory}", "dots": f"{directory}/../in", "link": link}[spelling]
    report = f"{place}/{source.name if of_file else 'report.jsonl'}"
    with pytest.raises(AirflowFailException, match=r"report: .* is one of the files of the source"):
        model.load(str(source) if of_file else str(directory), report=report)
    assert model.changes() == []
    assert (source.read_bytes(), [path.name for path in directory.iterdir()]) == (before, ["labels.jsonl"])
    beside = str(directory / "report") if not of_file else str(directory / "report.jsonl")
    for outcome in ("created", "unchanged"):
        assert model.load(str(source) if of_file else str(directory), report=beside)[outcome] == 6
    assert {json.loads(line)["outcome"] for line in Path(beside).read_text().splitlines()} == {"unchanged"}


def label_row(model: Model, **harm: Any) -> str:
    """A source: the first label row as Encord has it, with some fields replaced."""
    row = {key: value for key, value in model.labels()[model.data_hashes[0]].items() if key != "object_answers"}
    return model.write({**row, **harm}, name="row.jsonl")


@pytest.mark.parametrize("harm", [{}, {"object_answers": None}, {"object_answers": {}}])
def test_objects_of_a_label_row_need_no_entry_for_answers(model: Model, harm: dict[str, Any]) -> None:
    """Fault 5.3."""
    model.load(model.write(*model.lines(objects=[PERSON], classifications=[])))
    source = label_row(model, **harm)
    model.load(model.write(*model.lines(objects=[CAR], classifications=[])), if_exists="overwrite")
    assert saved(model.load(source, if_exists="overwrite")) == 1
    (drawn,) = objects_of(model.labels()[model.data_hashes[0]])
    assert drawn["polygon"] == PERSON["polygon"]


@pytest.mark.parametrize("units", [None, {}, [], 7])
def test_a_label_row_without_data_units_does_not_empty_its_row(model: Model, units: Any) -> None:
    """Fault 4.4: what is not a label row counted as one without labels."""
    model.load()
    with pytest.raises(AirflowFailException, match="data_units: it is not an object with a data unit"):
        model.load(label_row(model, data_units=units), if_exists="overwrite")
    assert len(objects_of(model.labels()[model.data_hashes[0]])) == 2
