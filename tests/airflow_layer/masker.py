"""Airflow's maskers, emptied between tests, and compiled when something is masked.

Each new secret compiles all that are known again, and a connection has several: that was a fifth of the time of tests
that connect.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import re
import sys
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


class _CompiledWhenUsed:
    """A regular expression. Most are replaced by the next secret before anything is masked."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern

    @functools.cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self._pattern)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiled, name)


class _LazyExpressions:
    """Stands for the module `re` in a masker's module."""

    compile = _CompiledWhenUsed

    def __getattr__(self, name: str) -> Any:
        return getattr(re, name)


@functools.cache
def _maskers() -> list[Any]:
    modules = [*_found(_MODULES)] or [*_found(_OF_OLDER_LINES)]  # newer lines warn if the old ones are imported
    assert modules, "this line of Airflow keeps its masker elsewhere"
    maskers = [module._secrets_masker() for module in modules]
    for masker in maskers:
        home: Any = sys.modules[type(masker).__module__]
        if getattr(home, "re", None) is re:  # not in 2.11, which has a faster module
            home.re = _LazyExpressions()
    return maskers


def _found(modules: tuple[str, ...]) -> Iterator[Any]:
    for name in modules:
        with contextlib.suppress(ImportError, AttributeError):
            module = importlib.import_module(name)
            module._secrets_masker()
            yield module
