"""Readers find every guide and every example: each is in its index, and has the parts that its kind promises."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import CHECKOUT, DOCS, blocks_of

GUIDES = sorted(set((DOCS / "how-to").glob("*.md")) - {DOCS / "how-to" / "index.md"})
EXAMPLES = sorted((CHECKOUT / "example_dags").glob("example_*.py"))
PARTS = ["When to use it", "The DAG", "What a retry and a clear do", "Variations"]
FEWEST_GUIDES = 12
KINDS = ["Tutorials", "How-to guides", "Reference", "Explanation"]


def toctree_entries(page: Path) -> list[str]:
    """The pages that the navigation of a page leads to."""
    trees = [block for block in blocks_of(page) if block.language == "{toctree}"]
    return [line for tree in trees for line in tree.text.splitlines() if line and not line.startswith(":")]


def included_example(page: Path) -> list[str]:
    """The example DAGs whose source a page includes."""
    return re.findall(r"\{literalinclude\} \.\./\.\./example_dags/(\S+)", page.read_text())


def test_there_is_a_cookbook() -> None:
    assert len(GUIDES) >= FEWEST_GUIDES


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_a_guide_has_a_dag_that_runs_and_says_when_to_use_it_and_what_a_retry_does(guide: Path) -> None:
    assert re.findall(r"^## (.+)$", guide.read_text(), re.MULTILINE) == PARTS
    dags = [block for block in blocks_of(guide) if block.language == "python" and block.runs and "DAG(" in block.text]
    assert dags


@pytest.mark.parametrize("folder", ["how-to", "examples"])
def test_the_index_leads_to_every_page_by_table_and_navigation(folder: str) -> None:
    index = DOCS / folder / "index.md"
    pages = {page.stem for page in index.parent.glob("*.md")} - {"index"}
    assert set(toctree_entries(index)) == pages
    assert {
        Path(name).stem for name in re.findall(r"^\|.*\]\(([\w-]+\.md)\)", index.read_text(), re.MULTILINE)
    } == pages


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_a_page_that_includes_its_source(example: Path) -> None:
    assert [page for page in (DOCS / "examples").glob("*.md") if example.name in included_example(page)]


def test_the_navigation_has_the_four_kinds_of_documentation() -> None:
    text = (DOCS / "index.md").read_text()
    assert re.findall(r"^:caption: (.+)$", text, re.MULTILINE) == KINDS


@pytest.mark.parametrize("document", sorted(DOCS.rglob("*.md")), ids=lambda path: str(path.relative_to(DOCS)))
def test_the_dags_that_are_shown_import_from_the_task_sdk(document: Path) -> None:
    code = [block for block in blocks_of(document) if block.language == "python"]
    assert [str(block) for block in code if "common.compat" in block.text] == []
