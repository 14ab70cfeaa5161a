"""Every benchmark can be started, also after a module that it imports was renamed."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import pytest

import benchmarks

MODULES = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__) if not module.ispkg)


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
