"""The runner of blocks sees what is wrong with a document: a test of documents that cannot fail would prove nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.docs import blocks
from tests.docs.blocks import Block, blocks_of
from tests.docs.runner import PageRunner, extras, make_targets, same_shape
from tests.docs.world import PROJECT, World

DAG = """
from airflow.providers.common.compat.sdk import DAG
from airflow_provider_encord.operators.projects import EncordGetProjectOperator

with DAG("shown", schedule=None) as dag:
    EncordGetProjectOperator(task_id="project", project_id="{project}")
"""
WRONG = {
    "a DAG that fails": ("python", "", "", DAG.format(project="aaaaaaaa-0000-4000-8000-00000000dead")),
    "a module that is none": ("python", "", "", "import no_such_module"),
    "a command that fails": ("bash", "", "", "false\ntrue"),
    "an export of a connection that does not connect": (
        "bash",
        "",
        "",
        """export AIRFLOW_CONN_SHOWN='{"conn_type": "encord", "extra": {"ssh_key_path": "~/.ssh/nowhere"}}'""",
    ),
    "a connection in JSON that does not connect": ("json", "", "", '{"conn_type": "encord", "extra": {}}'),
    "JSON that is none": ("json", "", "", "{"),
    "the result of a run that was not": ("json", "result", "project", "{}"),
    "an output that was not printed": ("text", "output", "", "Connection success!"),
    "configuration without a section": ("ini", "", "", "# nothing"),
}


@pytest.fixture
def runner(world: World, monkeypatch: pytest.MonkeyPatch) -> PageRunner:
    return PageRunner(world, monkeypatch)


def block(language: str, marker: str, value: str, text: str) -> Block:
    return Block(document=Path("page.md"), line=1, language=language, text=text, marker=marker, value=value)


@pytest.fixture(autouse=True)
def _documents_of_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "CHECKOUT", Path())


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_block_that_does_not_do_what_it_shows_fails(wrong: tuple[str, str, str, str], runner: PageRunner) -> None:
    with pytest.raises((AssertionError, ValueError, ImportError)):
        runner.run(block(*wrong))


def test_a_result_of_another_shape_fails(runner: PageRunner) -> None:
    runner.run(block("python", "", "", DAG.format(project=PROJECT)))
    with pytest.raises(AssertionError, match="the task returned"):
        runner.run(block("json", "result", "project", '{"title": "Street"}'))


@pytest.mark.parametrize(
    ("shown", "real", "same"),
    [
        ({"a": 1}, {"a": 2}, True),
        ({"a": 1}, {"a": "2"}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": None}, {"a": [1]}, True),
        ([1], [2, 3], True),
        ([1], [], False),
        ([{"a": 1}], [{"a": 1}, {}], False),
        (True, 1, False),
    ],
)
def test_shapes_are_compared_by_names_and_types(shown: Any, real: Any, same: bool) -> None:
    assert same_shape(shown, real) is same


def test_blocks_are_found_with_the_comment_right_above_them(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- not run: takes an hour -->\n```bash\nmake test\n```\n\n"
        "<!-- not run: of something else -->\n\n  ```json\n  {\n    }\n  ```\n"
        "````text\n```\n````\n```{toctree}\na\n```\n"
    )
    found = blocks_of(page)

    assert [(one.line, one.language, one.marker, one.value) for one in found] == [
        (2, "bash", "not run", "takes an hour"),
        (8, "json", "", ""),
        (12, "text", "", ""),
        (15, "{toctree}", "", ""),
    ]
    assert [one.runs for one in found] == [False, True, True, False]
    assert found[1].text == "{\n  }\n"
    page.write_text("```python\n")
    with pytest.raises(ValueError, match="does not end"):
        blocks_of(page)


def test_targets_and_extras_are_found_in_commands() -> None:
    commands = (
        "make test  # all\nmake e2e\ncmake no\npip install '.[emulator]' x\npip install 'airflow-provider-encord[a,b]'"
    )
    assert make_targets(commands) == {"test", "e2e"}
    assert extras(commands) == {"emulator", "a", "b"}
