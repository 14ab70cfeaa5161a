"""The warehouse of the guide, loaded after each of several changes: it has what Encord holds, and nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import duckdb
import pytest

from airflow_provider_encord.client.api.labels import save_label_rows
from tests.airflow_layer.bench import run_dag
from tests.docs.blocks import DOCS, blocks_of
from tests.docs.guides.test_guides_again import wait_for_another_second
from tests.docs.runner import _dags, _module
from tests.docs.world import PROJECT, World


class _Guide:
    """The DAG of the guide, on a project with objects."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.made = world.account.project(title="Street of the warehouse", rows=5, created=0.8, objects_per_row=3)
        (block,) = (one for one in blocks_of(DOCS / "how-to" / "labels-to-warehouse.md") if one.language == "python")
        self.file = world.dags / "warehouse_of_the_guide.py"
        (self._dag,) = _dags(_module(self.file, world.real(block.text.replace(PROJECT, self.made["project_id"]))))

    def run(self) -> dict[str, int]:
        wait_for_another_second()
        run = run_dag(self._dag)
        assert run.state == "success", run.tasks
        result: dict[str, int] = run.results["load"]
        return result

    def in_the_table(self) -> Counter[tuple[str, str]]:
        with duckdb.connect(str(self._world.outside / "data" / "annotations.duckdb")) as warehouse:
            rows = warehouse.execute("SELECT label_hash, hash FROM encord_annotations WHERE kind = 'object'").fetchall()
        return Counter((str(label), str(hash_)) for label, hash_ in rows)

    def at_encord(self) -> Counter[tuple[str, str]]:
        rows = self._world.account.emulator.labels(self.made["project_id"])
        return Counter((row["label_hash"], hash_) for row in rows for hash_ in row["object_answers"])


@pytest.fixture
def guide(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Guide]:
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    made = _Guide(world)
    yield made
    made.file.unlink()


@pytest.mark.airflow
def test_the_table_follows_what_people_draw_and_delete(world: World, guide: _Guide) -> None:
    project, hashes = guide.made["project_id"], guide.made["data_hashes"]
    assert guide.run() == {"label_rows": 4, "annotations": 4 * (3 + 1)}  # with a classification each
    assert guide.in_the_table() == guide.at_encord()

    world.account.emulator.annotate(project, data_hashes=hashes[:2], objects_per_row=2)
    with world.account.client() as client:
        emptied = next(row for row in client.project(project).label_rows() if row.data_hash == hashes[2])
        (row,) = client.project(project).read_label_rows([emptied.label_hash or ""])
        content = row.decoded()
        (unit,) = content["data_units"].values()
        unit["labels"] = {"objects": [], "classifications": []}
        content |= {"object_answers": {}, "classification_answers": {}}
        client.send(save_label_rows(project, [row.label_hash], [content]))
        client.dataset(guide.made["dataset_id"]).remove_data_rows([hashes[3]])
    guide.run()
    assert guide.in_the_table() == guide.at_encord()
    assert sum(guide.in_the_table().values()) == 12 + 4 - 3 - 3

    assert guide.run()["label_rows"] <= 3  # those of the last seconds are read again
    assert guide.in_the_table() == guide.at_encord()
