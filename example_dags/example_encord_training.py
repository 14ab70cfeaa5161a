"""From labels to a trained model: wait for people, export labels, pull media, build a training set, and train on it.

Set the DAG's params, or copy the file:

- ``project_id``: id of the project (needed);
- ``stage``: title of the workflow stage in which tasks are done;
- ``min_tasks``: how many tasks must be there;
- ``directory``: where labels, media and training sets go (``s3://connection_id@bucket/training``).

The model is a small one of NumPy that finds the classes of boxes by their colours; replace it by yours. Media are
pulled once, and only new ones in later runs. Each run has its own labels, training set and model. Needs the connection
``encord_default`` with an SSH key, and the extras ``media`` and ``training``. Only reads: the project does not change.

Before it, `example_encord_ingest` brings the data in, and `example_encord_prelabel` lets a model label first.
"""

from __future__ import annotations

import datetime
from typing import Any

from airflow.providers.common.compat.sdk import DAG, ObjectStoragePath, Param, task

from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from airflow_provider_encord.operators.media import EncordPullMediaOperator
from airflow_provider_encord.operators.training import EncordBuildTrainingSetOperator
from airflow_provider_encord.sensors.workflow import EncordTasksSensor

with DAG(
    dag_id="example_encord_training",
    schedule=None,
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": datetime.timedelta(minutes=1)},
    params={
        "project_id": Param("", type="string", description="Id of the project."),
        "stage": Param("Complete", type="string", description="Title of the stage in which tasks are done."),
        "min_tasks": Param(100, type="integer", minimum=1, description="How many tasks must be there."),
        "directory": Param("s3://aws_default@training/street", type="string", description="Where everything goes."),
    },
    doc_md=__doc__,
    tags=["encord", "example"],
) as dag:
    directory = "{{ params.directory }}/{{ run_id }}"
    wait = EncordTasksSensor(
        task_id="wait_for_labels",
        project_id="{{ params.project_id }}",
        stage="{{ params.stage }}",
        min_tasks="{{ params.min_tasks }}",
        deferrable=True,
        poke_interval=300,
        timeout=datetime.timedelta(days=14),
    )
    export = EncordExportLabelsOperator(
        task_id="export_labels",
        project_id="{{ params.project_id }}",
        stage="{{ params.stage }}",
        destination=f"{directory}/labels",
    )
    pull = EncordPullMediaOperator(
        task_id="pull_media",
        labels="{{ ti.xcom_pull('export_labels')['manifest'] }}",
        destination="{{ params.directory }}/media",
    )
    build = EncordBuildTrainingSetOperator(
        task_id="build_training_set",
        labels="{{ ti.xcom_pull('export_labels')['manifest'] }}",
        media="{{ ti.xcom_pull('pull_media')['report'] }}",
        destination=f"{directory}/coco",
        format="coco",
        split={"train": 0.8, "val": 0.2},
    )

    @task
    def train(training_set: str, directory: str) -> dict[str, Any]:
        """Train a linear classifier of the mean colours of boxes. Write the weights; return how good they are."""
        import io
        import json

        import numpy
        from PIL import Image

        def read(split: str) -> tuple[Any, Any]:
            """The mean colours of all boxes of a split, and their classes, from 0."""
            root = ObjectStoragePath(training_set)
            document = json.loads((root / "annotations" / f"instances_{split}.json").read_bytes())
            boxes: dict[int, list[Any]] = {image["id"]: [] for image in document["images"]}
            for annotation in document["annotations"]:
                boxes[annotation["image_id"]].append(annotation)
            colours, classes = [], []
            for image in document["images"]:
                content = (root / "images" / split / image["file_name"]).read_bytes()
                pixels = numpy.asarray(Image.open(io.BytesIO(content)).convert("RGB")) / 255
                for annotation in boxes[image["id"]]:
                    left, top, width, height = (max(0, round(number)) for number in annotation["bbox"])
                    crop = pixels[top : top + max(1, height), left : left + max(1, width)].reshape(-1, 3)
                    if len(crop):
                        colours.append([*crop.mean(axis=0), 1.0])
                        classes.append(annotation["category_id"] - 1)
            return numpy.array(colours).reshape(-1, 4), numpy.array(classes, dtype=int)

        record = json.loads((ObjectStoragePath(training_set) / "training_set.json").read_bytes())
        colours, classes = read("train")
        weights = numpy.zeros((4, len(record["classes"])))
        wanted = numpy.eye(len(record["classes"]))[classes]
        for _ in range(500):
            scores = numpy.exp(colours @ weights)
            guessed = scores / scores.sum(axis=1, keepdims=True)
            weights -= colours.T @ (guessed - wanted) / max(1, len(colours))
        held_out, right = read("val")
        accuracy = float((numpy.argmax(held_out @ weights, axis=1) == right).mean()) if len(right) else None
        model = ObjectStoragePath(directory) / "model.json"
        model.write_bytes(json.dumps({"classes": record["classes"], "weights": weights.tolist()}).encode())
        return {"model": str(model), "boxes": len(classes), "held_out": len(right), "accuracy": accuracy}

    trained = train("{{ ti.xcom_pull('build_training_set')['destination'] }}", directory)
    wait >> export >> pull >> build >> trained
