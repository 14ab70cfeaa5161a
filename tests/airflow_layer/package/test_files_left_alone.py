"""What an operator writes replaces an earlier file of its own kind, and no other file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.operators.labels import EncordImportLabelsOperator, EncordSnapshotLabelsOperator
from airflow_provider_encord.operators.storage import EncordUploadFilesOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.label_exports import context
from tests.sdk.media import png


def _upload(account: Account, directory: Path, place: str) -> None:
    (directory / "a.png").write_bytes(png(8, 8))
    with account.client() as client:
        dataset = client.create_dataset("For files", if_exists="new").id
    EncordUploadFilesOperator(task_id="t", dataset_id=dataset, source=str(directory / "a.png"), report=place).execute(
        {}
    )


def _import(account: Account, directory: Path, place: str) -> None:
    project = account.project(rows=1, created=0.0)["project_id"]
    (directory / "labels.jsonl").write_text("")
    EncordImportLabelsOperator(
        task_id="t", project_id=project, source=str(directory / "labels.jsonl"), report=place
    ).execute({})


def _snapshot(account: Account, directory: Path, place: str) -> None:
    project = account.project(rows=1, created=1.0)["project_id"]
    EncordSnapshotLabelsOperator(task_id="t", project_id=project, report=place, if_late="mark").execute(context())


WRITERS = (_upload, _import, _snapshot)


@pytest.mark.parametrize("content", ["my own\n", '{"a": 1}\n', '{"source": "a", "error": "b"}\n', "[]\n", "[" * 5000])
@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_a_file_of_another_kind_is_refused_and_left_alone(
    write: Callable[[Account, Path, str], Any],
    content: str,
    account: Account,
    tmp_path: Path,
) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text(content)
    with pytest.raises(AirflowFailException, match=r"^report: .*"):
        write(account, tmp_path, str(own))
    assert own.read_text() == content
