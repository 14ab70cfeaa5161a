"""What the README and the documentation show runs, or says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.blocks import CHECKOUT, DOCUMENTS, Block, all_blocks, blocks_of
from tests.docs.runner import PageRunner, extras, known_extras, known_make_targets, make_targets
from tests.docs.world import World

LANGUAGES = {"python", "bash", "json", "ini"}
DIRECTIVES = {"{toctree}", "{include} ../CHANGELOG.md"}
INCLUDED_SOURCE = ("{literalinclude} ../../example_dags/", "{literalinclude} ../deployments/")
"""What has tests of its own."""
SHORTEST_REASON = 10  # characters


def name(document: Path) -> str:
    return str(document.relative_to(CHECKOUT))


@pytest.mark.airflow
@pytest.mark.system
@pytest.mark.parametrize(
    "document", [one for one in DOCUMENTS if any(block.runs for block in blocks_of(one))], ids=name
)
def test_every_block_of_a_document_does_what_it_shows(
    document: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = PageRunner(world, monkeypatch)
    try:
        for block in blocks_of(document):
            if block.runs:
                runner.run(block)
    finally:
        runner.close()


@pytest.mark.parametrize("block", all_blocks(), ids=str)
def test_a_block_is_of_a_kind_that_runs_or_says_why_not(block: Block) -> None:
    if block.is_directive:
        assert block.language in DIRECTIVES or block.language.startswith(INCLUDED_SOURCE)
    elif block.marker == "not run":
        assert len(block.value) >= SHORTEST_REASON, "say why"
        assert block.language
    elif block.marker == "output":
        assert block.language == "text"
    else:
        assert block.language in LANGUAGES


@pytest.mark.parametrize("block", [one for one in all_blocks() if one.marker == "file"], ids=str)
def test_a_file_that_is_shown_is_used_further_down(block: Block) -> None:
    later = [one for one in blocks_of(block.document) if one.line > block.line and one.runs]
    folder = str(Path(block.value).parent)
    assert [one for one in later if block.value in one.text or (folder != "." and folder in one.text)]


def test_every_target_of_make_that_is_shown_exists() -> None:
    shown = {target for block in all_blocks() if block.runs for target in make_targets(block.text)}
    assert shown
    assert shown <= known_make_targets()


def test_every_extra_that_is_shown_exists() -> None:
    shown = {extra for block in all_blocks() for extra in extras(block.text)}
    assert shown
    assert shown <= known_extras()
