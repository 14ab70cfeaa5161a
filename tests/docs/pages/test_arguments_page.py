"""The page of arguments is the one that the code makes, and every argument on it is explained."""

from __future__ import annotations

import inspect
import re

import pytest

from airflow_provider_encord.get_provider_info import get_provider_info
from tests.docs.pages import operators_table
from tests.docs.pages.arguments_page import PAGE, arguments, classes, page


def test_the_page_is_the_one_that_the_code_makes() -> None:
    assert PAGE.read_text() == page(), "run: make reference"


def test_it_has_every_operator_sensor_and_trigger_that_the_provider_declares() -> None:
    info = get_provider_info()
    modules = {
        module
        for kind in ("operators", "sensors", "triggers")
        for group in info[kind]
        for module in group["python-modules"]
    }
    assert {".".join(class_.__module__.split(".")[:3]) for class_ in classes()} == modules


@pytest.mark.parametrize("class_", classes())
def test_every_argument_is_explained(class_: type) -> None:
    rows = re.search(rf"^## {class_.__name__}$(.*?)(?=^## |\Z)", page(), re.DOTALL | re.MULTILINE)
    assert rows
    for parameter in arguments(class_):
        (row,) = re.findall(rf"^\| `{parameter.name}` .*$", rows[1], re.MULTILINE)
        assert len(row.rstrip(" |").rpartition(" | ")[2]) > 10, row


@pytest.mark.parametrize("class_", classes())
def test_required_arguments_come_first(class_: type) -> None:
    required = [argument.default is inspect.Parameter.empty for argument in arguments(class_)]
    assert required == sorted(required, reverse=True)


def test_the_readme_lists_the_operators_as_the_code_describes_them() -> None:
    assert operators_table.shown(operators_table.README.read_text()) == operators_table.table(), "run: make reference"
