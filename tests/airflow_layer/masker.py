"""Airflow's maskers, emptied between tests: each new secret compiles all of them again, so thousands are slow."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

_MODULES = ("airflow.sdk._shared.secrets_masker", "airflow._shared.secrets_masker")  # of tasks; of the API server
_OF_OLDER_LINES = ("airflow.sdk.execution_time.secrets_masker", "airflow.utils.log.secrets_masker")  # 3.1; 2.11


def forget_masked_secrets() -> None:
    """Let the maskers of this process know no secret."""
    for masker in _maskers():
        masker.patterns, masker.replacer = set(), None  # 2.11 has no method for it


def mask_nothing() -> None:
    """Let the maskers of this process learn no secrets any more, where nothing is printed: a secret costs time."""
    for masker in _maskers():
        type(masker).add_mask = lambda *_, **__: None


def _maskers() -> list[Any]:
    found = [*_found_in(_MODULES)] or [*_found_in(_OF_OLDER_LINES)]  # newer lines warn if the old ones are imported
    assert found, "this line of Airflow keeps its masker elsewhere"
    return found


def _found_in(modules: tuple[str, ...]) -> Iterator[Any]:
    for name in modules:
        with contextlib.suppress(ImportError, AttributeError):
            yield importlib.import_module(name)._secrets_masker()
