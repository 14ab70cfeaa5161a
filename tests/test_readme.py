"""What the documents beside the code say of the checkout is so. Their code blocks are run by `tests/docs`."""

from __future__ import annotations

import re

import pytest

from tests.docs.blocks import CHECKOUT
from tests.docs.runner import known_make_targets

README = (CHECKOUT / "README.md").read_text()


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_that_is_named_exists(name: str) -> None:
    named = set(re.findall(r"(?:^|`)make ([\w-]+)", (CHECKOUT / name).read_text(), re.MULTILINE))
    assert named
    assert named <= known_make_targets()


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_every_file_that_a_document_names_exists(name: str) -> None:
    text = (CHECKOUT / name).read_text()
    links = set(re.findall(r"\]\(([^)#:]+)\)", text))
    paths = set(re.findall(r"`((?:tests|demo|constraints|example_dags)/[\w./-]+\.py)`", text))
    assert [path for path in sorted(links | paths) if not (CHECKOUT / path).exists()] == []


@pytest.mark.parametrize("kind", ["operators"])
def test_the_readme_names_every_operator_and_no_other(kind: str) -> None:
    source = "".join(path.read_text() for path in (CHECKOUT / "airflow_provider_encord" / kind).rglob("*.py"))
    defined = set(re.findall(r"^class (Encord\w+Operator)\b", source, re.MULTILINE)) - {"EncordBaseOperator"}
    assert set(re.findall(r"`(Encord\w+Operator)`", README)) == defined
