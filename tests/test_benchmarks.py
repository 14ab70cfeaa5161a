"""Every benchmark can be started, also after a module that it imports was renamed."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys

import pytest

import benchmarks
from benchmarks import floors
from benchmarks.sizes import Sizes, parse

PARTS = {"keyed_emulator", "sizes"}
"""What the benchmarks are made of."""
MODULES = sorted({module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.ispkg} - PARTS)


def test_the_benchmarks_are_found() -> None:
    assert {"calls", "export", "waiting"} <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_imports_and_shows_its_help(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    module = importlib.import_module(f"benchmarks.{name}")
    with pytest.raises(SystemExit) as ended:
        module.main()

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: {name}")


@pytest.mark.parametrize(
    ("arguments", "rows"), [([], 10), (["--full"], 1000), (["--rows", "3"], 3), (["--full", "--rows", "3"], 3)]
)
def test_a_size_is_the_usual_one_unless_another_one_is_asked_for(arguments: list[str], rows: int) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int)
    assert parse(parser, arguments, rows=Sizes(10, 1000)).rows == rows


def test_the_table_of_floors_is_the_one_of_the_last_measurement() -> None:
    measured = json.loads(floors.RESULTS.read_text())
    assert floors.table(measured) in floors.PAGE.read_text()
    assert len(measured) == 6
