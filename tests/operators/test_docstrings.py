"""What the docstrings of operators and sensors say of their arguments is so."""

from __future__ import annotations

import importlib
import inspect
import re

import pytest

from airflow_provider_encord.get_provider_info import get_provider_info
from airflow_provider_encord.operators.base import EncordBaseOperator

MODULES = [
    module
    for kind in ("operators", "sensors")
    for group in get_provider_info()[kind]
    for module in group["python-modules"]
]
OPERATORS = [
    one
    for module in MODULES
    for name, one in inspect.getmembers(importlib.import_module(module), inspect.isclass)
    if issubclass(one, EncordBaseOperator) and name.startswith("Encord") and not inspect.isabstract(one)
]


def documented(operator: type) -> dict[str, str]:
    """Each argument that the docstring explains by itself, with what it says."""
    found = re.findall(r":param (\w+):(.*?)(?=\n:|\Z)", inspect.getdoc(operator) or "", re.DOTALL)
    return {name: text for name, text in found if not text.startswith(" See ")}


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda one: one.__name__)
def test_an_argument_is_said_to_be_templated_exactly_if_it_is(operator: type[EncordBaseOperator]) -> None:
    """Review of 0.1, ingest 20: `if_exists` is."""
    said = {name for name, text in documented(operator).items() if "(templated)" in " ".join(text.split())}
    assert said == set(operator.template_fields) & set(documented(operator))


def test_the_docstrings_of_operators_explain_arguments() -> None:
    assert len(OPERATORS) > 20
    assert sum(len(documented(operator)) for operator in OPERATORS) > 100
