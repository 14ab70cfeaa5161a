"""The DAG of a guide may run twice: the second run succeeds as well, and creates no second thing of a title."""

from __future__ import annotations

import collections
import time
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks_of
from tests.docs.guides.test_guides import GUIDES
from tests.docs.runner import PageRunner
from tests.docs.world import World


def prepares(block: Block) -> bool:
    """Whether a block only makes what a DAG of the page needs."""
    return block.runs and block.language == "bash" and "pytest" not in block.text


def shows_a_dag(block: Block) -> bool:
    """Whether a block runs a DAG."""
    return block.runs and block.language == "python" and block.marker != "file"


WITH_A_DAG = [guide for guide in GUIDES if any(shows_a_dag(block) for block in blocks_of(guide))]


def titles(world: World) -> list[str]:
    """Titles of everything that the guides create."""
    return [title for kind in ("project", "dataset", "ontology") for title in world.account.titles(kind)]


def wait_for_another_second() -> None:
    """Wait until a new run has another `ts`, which has no fractions of seconds and names branches and reports."""
    second = int(time.time())
    while int(time.time()) == second:
        time.sleep(0.01)


@pytest.mark.airflow
@pytest.mark.system
@pytest.mark.parametrize("guide", WITH_A_DAG, ids=lambda path: path.stem)
def test_the_dag_of_a_guide_runs_twice_and_creates_nothing_twice(
    guide: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = PageRunner(world, monkeypatch)
    dags = [block for block in blocks_of(guide) if shows_a_dag(block)]
    try:
        for block in blocks_of(guide):
            if prepares(block) or shows_a_dag(block):
                runner.run(block)
        after_one = collections.Counter(titles(world))
        wait_for_another_second()
        for block in dags:
            runner.run(block)
        assert collections.Counter(titles(world)) == after_one
    finally:
        runner.close()
