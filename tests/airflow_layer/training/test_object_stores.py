"""Training sets in an object store, of media that are there, too."""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_encord.operators.media import EncordPullMediaOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.training.training_sets import Pictures, contents
from tests.object_stores import attach_memory


@pytest.mark.parametrize("format_", ["coco-panoptic", "parquet", "webdataset"])
def test_a_training_set_in_an_object_store_is_the_one_on_a_disk(account: Account, tmp_path: Path, format_: str) -> None:
    attach_memory()
    pictures, root = Pictures(account, tmp_path), f"memory://sets/{uuid.uuid4()}"
    labels = pictures.export()
    pulled = EncordPullMediaOperator(task_id="pull", labels=labels, destination=f"{root}/media").execute({})
    arguments = {"format": format_, "labels": labels, "max_shard_bytes": 400}
    pictures.build(destination=f"{root}/set", media=pulled["report"], **arguments)
    pictures.build(media=pictures.pull(labels), **arguments)
    store = ObjectStoragePath(f"{root}/set")
    start = len(store.path.rstrip("/")) + 1
    found = {path[start:]: hashlib.sha256(store.fs.cat_file(path)).hexdigest() for path in store.fs.find(store.path)}
    assert found == contents(tmp_path / "set")
