"""The example DAGs as users copy them: every one runs, unmodified, against the emulator."""

from __future__ import annotations

import functools
import gzip
import importlib.util
import io
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from airflow_provider_encord.client.api.core.data_items import IMAGE
from airflow_provider_encord.client.flows.uploads import LocalFile
from airflow_provider_encord.operators.labels import EncordImportLabelsOperator
from tests.airflow_layer.bench import API_KEY_CONNECTION, SSH_CONNECTION, Account, Run, run_dag
from tests.airflow_layer.pre_labels import saved
from tests.sdk import media

pytestmark = [pytest.mark.airflow, pytest.mark.system, pytest.mark.usefixtures("airflow_database")]

ROOT = Path(__file__).parents[3]
FOLDER = Path(__file__).parents[3] / "example_dags"
EXPECTED = {
    "example_encord_intake",
    "example_encord_ingest",
    "example_encord_export",
    "example_encord_api_key_export",
    "example_encord_nightly_export",
    "example_encord_prelabel",
    "example_encord_wait_and_export",
    "example_encord_event_driven",
    "example_encord_routing",
    "example_encord_task_agent",
    "example_encord_training",
}
TITLE = "2026_11"  # a number to Python, and yet a title


def _load(name: str, folder: Path = FOLDER) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_example(name: str, **params: Any) -> Run:
    """Run one of the examples; it must succeed."""
    run = run_dag(_load(name).dag, **params)
    assert run.state == "success", run.tasks
    return run


def test_airflow_reads_every_example_without_an_error() -> None:
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # Airflow 2.11
        from airflow.models.dagbag import DagBag
    bag = DagBag(str(FOLDER))

    assert bag.import_errors == {}
    assert set(bag.dags) == EXPECTED == {file.stem for file in FOLDER.glob("*.py")}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_example_explains_itself_and_does_not_run_by_itself_for_the_past(name: str) -> None:
    dag = _load(name).dag

    assert dag.doc_md
    assert "Needs the connection" in dag.doc_md
    assert not dag.catchup
    assert "encord" in dag.tags


class Pipeline:
    """Pictures on disk, an account, and the examples run on them."""

    def __init__(self, account: Account, folder: Path) -> None:
        self.account = account
        self.pictures, self.exports = folder / "pictures", folder / "exports"
        self.pictures.mkdir()
        for number in range(1, 5):
            (self.pictures / f"crossing {number}.png").write_bytes(media.png(32 + number, 24))

    def intake(self) -> Run:
        return run_example("example_encord_intake", title=TITLE, source=f"{self.pictures}/*.png")

    def export(self) -> Run:
        return run_example("example_encord_export", title=TITLE, destination=f"file://{self.exports}/ssh")

    def export_with_api_key(self) -> Run:
        return run_example("example_encord_api_key_export", destination=f"file://{self.exports}/key")

    def rows(self, run: Run) -> list[dict[str, Any]]:
        """The label rows of an export, read as its manifest says."""
        folder = Path(run.results["export_labels"]["manifest"].removeprefix("file://")).parent
        shards = sorted(folder.glob("labels-*.jsonl"))
        return [json.loads(line) for shard in shards for line in shard.read_text().splitlines()]


@pytest.fixture
def pipeline(account: Account, tmp_path: Path) -> Pipeline:
    return Pipeline(account, tmp_path)


def test_files_come_in_people_label_and_both_credentials_export_the_same_labels(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, emulator = pipeline.account, pipeline.account.emulator
    intake = pipeline.intake()
    project, dataset = intake.results["create_project"], intake.results["create_dataset"]

    assert account.titles("dataset") == account.titles("ontology") == account.titles("project") == [TITLE]
    with account.client() as client:
        assert sorted(row.data_title for row in client.dataset(dataset).data_rows()) == [
            f"crossing {number}.png" for number in range(1, 5)
        ]
        assert len(client.project(project).label_rows()) == 4

    assert emulator.annotate(project, count=3, objects_per_row=2, advance="complete", seed=7) == 3
    monkeypatch.setenv(API_KEY_CONNECTION, account.api_key_connection(project, scopes=["label.read"]))
    emulator.clear_journal()
    with_ssh_key = pipeline.export()
    monkeypatch.delenv(SSH_CONNECTION)
    with_api_key = pipeline.export_with_api_key()

    truth = emulator.labels(project)
    assert len(truth) == 3
    assert pipeline.rows(with_ssh_key) == truth
    assert pipeline.rows(with_api_key) == truth
    assert with_ssh_key.results["export_labels"]["rows"] == with_api_key.results["export_labels"]["rows"] == 3
    assert [entry for entry in emulator.journal() if entry["changes"]] == []
    credentials = {entry["credential"].partition(":")[0] for entry in emulator.journal()}
    assert credentials == {"ssh", "api_key"}


def test_running_everything_again_changes_nothing(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    account, emulator = pipeline.account, pipeline.account.emulator
    first = pipeline.intake()
    project = first.results["create_project"]
    emulator.annotate(project, count=4, seed=7)
    monkeypatch.setenv(API_KEY_CONNECTION, account.api_key_connection(project, scopes=["label.read"]))
    exported = [pipeline.rows(pipeline.export()), pipeline.rows(pipeline.export_with_api_key())]
    before = emulator.state()
    emulator.clear_journal()

    again = pipeline.intake()
    assert [pipeline.rows(pipeline.export()), pipeline.rows(pipeline.export_with_api_key())] == exported

    assert [entry for entry in emulator.journal() if entry["changes"]] == []
    assert {**emulator.state(), "now": None} == {**before, "now": None}
    assert {name: again.results[name] for name in first.results if name != "upload_files"} == {
        name: first.results[name] for name in first.results if name != "upload_files"
    }
    assert (again.results["upload_files"]["created"], again.results["upload_files"]["unchanged"]) == (0, 4)


def test_what_is_in_a_bucket_is_registered_by_several_tasks_and_once(account: Account, tmp_path: Path) -> None:
    bucket, url = tmp_path / "bucket", f"s3://intake-{account.email.partition('@')[0]}"
    (bucket / "day").mkdir(parents=True)
    for number in range(5):
        (bucket / "day" / f"{number}.png").write_bytes(media.png(8 + number, 8))
    account.emulator.bucket(integration=url, url=url, directory=str(bucket))
    arguments = {
        "prefix": str(bucket),
        "url_prefix": url,
        "integration": url,
        "work": f"file://{tmp_path}/work",
        "objects_per_task": 2,
        "title": TITLE,
    }
    for _ in range(2):
        run = run_example("example_encord_ingest", **arguments)
        assert [run.results[f"register[{number}]"]["units"] for number in range(3)] == [2, 2, 1]
    with account.client() as client:
        project = client.project(run.results["project"])
        rows = project.label_rows()
    assert sorted(row.data_title for row in rows) == [f"{number}.png" for number in range(5)]
    assert account.titles("project") == account.titles("dataset") == [TITLE]
    reports = list((tmp_path / "work").glob("*/reports/*.jsonl"))
    assert sum(len(path.read_text().splitlines()) for path in reports) == 5


def test_every_night_what_changed_is_exported_in_parts_and_verified(account: Account, tmp_path: Path) -> None:
    project = account.project(rows=7, created=1.0)["project_id"]
    params = {"project_id": project, "exports": str(tmp_path / "labels"), "rows_per_partition": 3}
    account.emulator.clear_journal()
    first = run_example("example_encord_nightly_export", **params)
    assert first.state == "success"
    assert [first.results[f"export[{number}]"]["rows"] for number in range(3)] == [2, 2, 3]
    edited = account.emulator.labels(project)[2]["data_hash"]
    account.emulator.annotate(project, data_hashes=[edited])
    second = run_example("example_encord_nightly_export", **params)
    assert second.state == "success"
    manifests = [run.results["verify"]["manifest"].removeprefix("file://") for run in (first, second)]
    rows = {}
    for manifest in manifests:
        for shard in sorted(Path(manifest).parent.glob("labels-*.jsonl.gz")):
            for line in gzip.decompress(shard.read_bytes()).splitlines():
                rows[json.loads(line)["data_hash"]] = json.loads(line)
    assert list(rows.values()) == account.emulator.labels(project)
    changes = [entry["query_method"] for entry in account.emulator.journal() if entry["changes"]]
    assert changes == []


def test_a_model_labels_first_and_again_changes_nothing(account: Account, tmp_path: Path) -> None:
    project = account.project(rows=5, created=0.4)["project_id"]
    params = {"project_id": project, "work": str(tmp_path / "work")}
    first = run_example("example_encord_prelabel", **params)
    result = first.results["import_labels"]
    assert (first.state, saved(result), result["promoted"]) == ("success", 3, 3)
    rows = [row for row in account.emulator.labels(project) if row["branch_name"] == "main"]
    assert len(rows) == 5
    assert Path(result["report"].removeprefix("file://")).read_text().count('"created"') == 3
    again = run_example("example_encord_prelabel", **params)
    assert (again.state, again.results.get("import_labels")) == ("success", None)
    assert [row for row in account.emulator.labels(project) if row["branch_name"] == "main"] == rows


def _dags_of_readme(real: dict[str, str]) -> ModuleType:
    """The DAGs that the README shows, with other paths and ids, where Airflow finds them."""
    text = next(block for block in (ROOT / "README.md").read_text().split("```") if '"street_scenes"' in block)
    # The README says so below the DAG. The module exists on Airflow 3, too.
    for shown, replacement in {**real, "airflow.sdk": "airflow.providers.common.compat.sdk"}.items():
        assert shown in text
        text = text.replace(shown, replacement)
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    name = f"of_readme_{len(real)}"  # one file would be the same to Python's cache, if it is rewritten at once
    (folder / f"{name}.py").write_text(text.removeprefix("python\n"))
    return _load(name, folder)


def test_what_people_draw_in_the_project_of_the_readme_is_exported(pipeline: Pipeline) -> None:
    """Fault 8.1: its project had no ontology, so no one could label and the exported rows were empty."""
    real = {"/data/incoming/*.jpg": f"{pipeline.pictures}/*.png", "/data/labels": str(pipeline.exports)}
    intake = run_dag(_dags_of_readme(real).intake)
    assert intake.state == "success"
    project = intake.results["project"]
    assert pipeline.account.emulator.annotate(project, objects_per_row=2) == 4
    nightly = run_dag(_dags_of_readme({**real, "aaaaaaaa-0000-4000-8000-000000000001": project}).nightly)
    assert nightly.state == "success"
    (shard,) = pipeline.exports.rglob("labels-*.jsonl")
    rows = [json.loads(line) for line in shard.read_text().splitlines()]
    assert [len(row["object_answers"]) for row in rows] == [2] * 4
    for file in Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"]).glob("of_readme_*.py"):
        file.unlink()


@pytest.mark.parametrize(
    "document", [*sorted(FOLDER.glob("*.py")), ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=str
)
def test_every_project_that_we_show_how_to_make_has_an_ontology(document: Path) -> None:
    """Fault 8.1."""
    calls = document.read_text().split("EncordCreateProjectOperator(")[1:]
    assert [call for call in calls if "ontology_id=" not in call.split("\n    )")[0].split("\n\n")[0]] == []


def test_wait_and_export_exports_what_is_in_the_stage(account: Account, tmp_path: Path) -> None:
    seeded = account.project(rows=3, created=1.0)
    with account.client() as client:
        stage = client.project(seeded["project_id"]).stage("Annotate")
        stage.move(list(stage.tasks())[:2], "Review")
    run = run_example(
        "example_encord_wait_and_export",
        project_id=seeded["project_id"],
        min_tasks=2,
        destination=f"file://{tmp_path}",
    )
    assert run.results["wait_for_batch"]["tasks"] == 2
    assert run.results["export_labels"]["rows"] == 2


class Labelled:
    """A project whose tasks wait for review; one car has no answer to what the ontology requires."""

    def __init__(self, account: Account, directory: Path):
        self.account, self.directory = account, directory
        seeded = account.project(rows=6, created=1.0, objects_per_row=3)
        self.project_id = seeded["project_id"]
        with account.client() as client:
            project = client.project(self.project_id)
            structure = project.ontology().editor_ontology
            for attribute in next(item for item in structure["objects"] if item["name"] == "Car")["attributes"]:
                attribute["required"] = True
            project.replace_ontology(structure)
            stage = project.stage("Annotate")
            stage.move(list(stage.tasks()), "Review")
        box = {"feature": "Car", "boundingBox": {"x": 0.1, "y": 0.2, "w": 0.3, "h": 0.4}}
        source = directory / "model.jsonl"
        source.write_text(json.dumps({"data_hash": seeded["data_hashes"][0], "objects": [box]}))
        EncordImportLabelsOperator(
            task_id="import", project_id=self.project_id, source=str(source), if_exists="merge"
        ).execute({})

    def run(self, **params: Any) -> Run:
        given = {"project_id": self.project_id, "directory": f"file://{self.directory}", "fraction": 0.5, **params}
        return run_dag(_load("example_encord_routing").dag, **given)

    def tasks(self, stage: str) -> int:
        with self.account.client() as client:
            return len(list(client.project(self.project_id).stage(stage).tasks()))


def test_labels_that_are_not_good_enough_are_sent_back_in_part(account: Account, tmp_path: Path) -> None:
    labelled = Labelled(account, tmp_path)
    run = labelled.run(max_missing_attributes=0)
    assert run.state == "success", run.tasks
    assert run.results["draw_sample"]["sampled"] == 3
    assert (labelled.tasks("Review"), labelled.tasks("Annotate")) == (3, 3)
    assert run.results["prioritize"]["updated"] == run.results["explain"]["updated"] == 3
    assert (run.tasks["undo_move"], run.tasks["approve"]) == ("skipped", "skipped")


def test_labels_that_are_good_enough_are_approved(account: Account, tmp_path: Path) -> None:
    labelled = Labelled(account, tmp_path)
    run = labelled.run(max_missing_attributes=1)
    assert run.state == "success", run.tasks
    assert (run.tasks["draw_sample"], run.tasks["send_back"]) == ("skipped", "skipped")
    assert run.results["approve"]["updated"] == 6
    assert (labelled.tasks("Review"), labelled.tasks("Complete")) == (0, 6)


def test_a_move_is_undone_if_a_later_step_fails(account: Account, tmp_path: Path) -> None:
    labelled = Labelled(account, tmp_path)
    account.emulator.faults([{"match": {"path": "/priorities$"}, "do": {"status": 403, "json": {"message": "no"}}}])
    run = labelled.run(max_missing_attributes=0)
    assert run.state == "failed"
    assert (run.tasks["prioritize"], run.tasks["undo_move"]) == ("failed", "success")
    assert (labelled.tasks("Review"), labelled.tasks("Annotate")) == (6, 0)


def _pictures_in_an_agent_stage(account: Account) -> tuple[str, str]:
    """A project with three pictures, two of which are dark, in an agent stage; and the title of the other one."""
    pathways = [{"title": "found", "to": "Annotate"}, {"title": "nothing", "to": "Complete"}]
    stages = [
        {"stageType": "ANNOTATION", "title": "Annotate", "next": "Complete"},
        {"stageType": "AGENT", "title": "Pre-label", "next": "Annotate", "pathways": pathways},
        {"stageType": "DONE", "title": "Complete"},
    ]
    template = account.emulator.template("agent", stages)["uuid"]
    files = {f"{colour}.png": media.png(40, 30, (colour,) * 3) for colour in (10, 20, 240)}
    structure = {"objects": [{"name": "Car", "shape": "bounding_box"}]}
    with account.client() as client:
        dataset = client.create_dataset(TITLE).id
        units = [
            LocalFile(
                title=name,
                kind=IMAGE,
                size=len(content),
                open=functools.partial(io.BytesIO, content),
                media_type="image/png",
            )
            for name, content in files.items()
        ]
        client.dataset(dataset).upload(units, timeout=60)
        ontology = client.create_ontology(TITLE, structure=structure).id
        made = client.create_project(
            TITLE, dataset_ids=[dataset], ontology_id=ontology, workflow_template_id=template
        ).id
        annotate = client.project(made).stage("Annotate")
        annotate.move(list(annotate.tasks()), "Pre-label")
    return made, "240.png"


def test_an_agent_looks_at_pixels_and_several_tasks_share_its_stage(account: Account, tmp_path: Path) -> None:
    project, bright = _pictures_in_an_agent_stage(account)
    run = run_example("example_encord_task_agent", project_id=project, work=str(tmp_path))
    assert sum(run.results[f"find_bright[{shard}]"]["moved"] for shard in range(4)) == 3
    with account.client() as client:
        annotated = list(client.project(project).stage("Annotate").tasks())
    assert [task.data_title for task in annotated] == [bright]
    (row,) = [row for row in account.emulator.labels(project) if row["data_title"] == bright]
    (unit,) = row["data_units"].values()
    assert [shape["boundingBox"] for shape in unit["labels"]["objects"]] == [{"x": 0, "y": 0, "w": 1, "h": 1}]
    again = run_example("example_encord_task_agent", project_id=project, work=str(tmp_path))
    assert [again.results[f"find_bright[{shard}]"]["tasks"] for shard in range(4)] == [0] * 4
