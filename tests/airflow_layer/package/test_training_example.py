"""The example that trains a model, from labels that people made to weights."""

from __future__ import annotations

import functools
import io
import json
from pathlib import Path

import pytest

from airflow_provider_encord.client.api.core.data_items import IMAGE
from airflow_provider_encord.client.flows.uploads import LocalFile
from airflow_provider_encord.operators.labels import EncordImportLabelsOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.package.test_example_dags import run_example
from tests.sdk import media

pytestmark = [pytest.mark.airflow, pytest.mark.system, pytest.mark.usefixtures("airflow_database")]


def test_a_model_is_trained_on_what_people_labelled(account: Account, tmp_path: Path) -> None:
    """The model has learned which of two classes is red, and which is blue, from boxes that people drew."""
    red, blue = (200, 20, 20), (20, 20, 200)
    pictures = Coloured(account, tmp_path, [red, blue] * 12)
    run = run_example(
        "example_encord_training",
        project_id=pictures.project,
        stage="Complete",
        min_tasks=24,
        directory=f"file://{tmp_path}/training",
    )
    result = run.results["train"]
    assert result["boxes"] + result["held_out"] == 24
    assert result["accuracy"] == 1.0
    model = json.loads(Path(result["model"].removeprefix("file://")).read_text())
    assert model["classes"] == ["Tomato", "Plum"]


class Coloured:
    """A finished project of pictures of one colour each: a red one has a tomato, a blue one a plum."""

    def __init__(self, account: Account, directory: Path, colours: list[tuple[int, int, int]]):
        template = account.emulator.template("short", STAGES_OF_TRAINING)["uuid"]
        structure = {"objects": [{"name": name, "shape": "bounding_box"} for name in ("Tomato", "Plum")]}
        files = {f"{number:03}.png": media.png(40, 30, colour) for number, colour in enumerate(colours)}
        with account.client() as client:
            dataset = client.create_dataset("Market").id
            units = [
                LocalFile(title=name, kind=IMAGE, size=len(content), open=functools.partial(io.BytesIO, content))
                for name, content in files.items()
            ]
            client.dataset(dataset).upload(units, timeout=60)
            ontology = client.create_ontology("Market", structure=structure).id
            self.project = client.create_project(
                "Market", dataset_ids=[dataset], ontology_id=ontology, workflow_template_id=template
            ).id
        box = {"x": 0.25, "y": 0.25, "w": 0.5, "h": 0.5}
        lines = [
            {"title": name, "objects": [{"feature": "Tomato" if colour[0] > colour[2] else "Plum", "boundingBox": box}]}
            for name, colour in zip(files, colours, strict=True)
        ]
        source = directory / "market.jsonl"
        source.write_text("".join(json.dumps(line) + "\n" for line in lines))
        EncordImportLabelsOperator(
            task_id="import", project_id=self.project, source=str(source), match_by="title"
        ).execute({})
        with account.client() as client:
            stage = client.project(self.project).stage("Annotate")
            stage.move(list(stage.tasks()), "Complete")


STAGES_OF_TRAINING = [
    {"stageType": "ANNOTATION", "title": "Annotate", "next": "Complete"},
    {"stageType": "DONE", "title": "Complete"},
]
