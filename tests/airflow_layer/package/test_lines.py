"""The table of `lines.py` is true of the line that runs here, and so is what it says of lines that lack something.

Each feature is looked for, not concluded from the version.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import importlib.util
import inspect
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    DAG,
    BaseHook,
    BaseOperator,
    BaseOperatorLink,
    ResumableJobMixin,
    mask_secret,
    redact,
)
from airflow.triggers.base import BaseTrigger

from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.operators.projects import EncordListProjectsOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.lines import FEATURES, LINES, dag_files_import, running_line

ROOT = Path(__file__).parents[3]
LINE = running_line()


def _module(path: str) -> bool:
    try:
        return importlib.util.find_spec(path) is not None
    except ModuleNotFoundError:  # not even the package
        return False


def _named(module: str, name: str) -> bool:
    return _module(module) and hasattr(importlib.import_module(module), name)


def _form_comes_from_metadata() -> bool:
    """On 2.11 fields are of wtforms; on 3.1 there are none outside of the API server."""
    from airflow.providers_manager import ProvidersManager

    widgets = ProvidersManager().connection_form_widgets
    return isinstance(getattr(widgets.get("extra__encord__private_key"), "field", None), dict)


def _form_needs_no_hook() -> bool:
    from airflow.providers_manager import ProvidersManager

    return hasattr(ProvidersManager, "iter_connection_type_hook_ui_metadata")


def _commands_of_providers() -> bool:
    from airflow.providers_manager import ProvidersManager

    return hasattr(ProvidersManager, "cli_command_functions")


LOOK: dict[str, Callable[[], bool]] = {
    "airflow.sdk": lambda: _module("airflow.sdk"),
    "secrets_masker": lambda: _named("airflow.sdk.log", "mask_secret"),
    "rest_form": lambda: (
        _module("airflow.api_fastapi.core_api.routes.ui.connections") and not _module("airflow.www.views")
    ),
    "conn-fields": _form_comes_from_metadata,
    "provider commands": _commands_of_providers,
    "form without hook": _form_needs_no_hook,
    "aget_connection": lambda: hasattr(BaseHook, "aget_connection"),
    "watchers": lambda: _named("airflow.sdk", "AssetWatcher") and _named("airflow.triggers.base", "BaseEventTrigger"),
    "resumption": lambda: ResumableJobMixin.__module__.startswith("airflow.sdk."),
    "task state": lambda: _named("airflow.sdk.execution_time.context", "TaskStateStoreAccessor"),
    "retry_policy": lambda: "retry_policy" in inspect.signature(BaseOperator.__init__).parameters,
    "trigger on_kill": lambda: hasattr(BaseTrigger, "on_kill"),
    "shared streams": lambda: hasattr(_event_trigger(), "shared_stream_key"),
    "stored links": lambda: hasattr(BaseOperatorLink, "xcom_key"),
    "no database": lambda: _module("airflow.sdk.execution_time.supervisor"),
}


def _event_trigger() -> type[BaseTrigger]:
    from airflow.providers.common.compat.triggers import BaseEventTrigger

    return BaseEventTrigger


def test_every_feature_of_the_table_is_looked_for() -> None:
    assert set(LOOK) == set(FEATURES)


@pytest.mark.parametrize("name", FEATURES)
def test_the_running_line_has_what_the_table_says_and_lacks_the_rest(name: str) -> None:
    assert LOOK[name]() is FEATURES[name].on(LINE)


def test_the_supported_lines_are_those_with_pinned_constraints() -> None:
    files = {file.stem.removeprefix("airflow-") for file in (ROOT / "constraints").glob("airflow-*.txt")}

    assert files == set(LINES)
    assert LINE in LINES


def _pinned(file: str) -> dict[str, str]:
    text = (ROOT / "constraints" / file).read_text()
    return dict(re.findall(r"^(apache-airflow[\w-]*)==(\S+)$", text, re.MULTILINE))


def test_what_is_installed_is_what_the_constraints_of_this_line_or_of_the_lowest_versions_pin() -> None:
    pins = [_pinned(f"airflow-{LINE}.txt"), _pinned("lowest.txt")]

    assert all(pins)
    assert {name: importlib.metadata.version(name) for name in pins[0]} in pins


@pytest.mark.parametrize("line", LINES)
def test_the_constraints_of_a_line_are_of_that_line_and_hold_no_address(line: str) -> None:
    text = (ROOT / "constraints" / f"airflow-{line}.txt").read_text()

    assert re.search(rf"^apache-airflow=={re.escape(line)}\.\d+$", text, re.MULTILINE)
    assert [row for row in text.splitlines() if "://" in row or "@" in row] == []


def test_a_feature_that_is_nowhere_or_everywhere_would_be_no_row() -> None:
    for feature in FEATURES.values():
        assert [feature.on(line) for line in LINES] == sorted(feature.on(line) for line in LINES)
        assert not feature.on(LINES[0])
        assert feature.on(LINES[-1])


# What is said of the lines that lack something


def test_the_base_that_dag_files_import_exists() -> None:
    assert importlib.import_module(dag_files_import())


def test_a_secret_is_masked_whole_and_line_by_line_wherever_the_masker_lives(account: Account) -> None:
    with EncordHook() as hook:
        hook.get_conn()
    home = "airflow.sdk.log" if FEATURES["secrets_masker"].on(LINE) else "airflow.utils.log.secrets_masker"

    assert mask_secret.__module__ == home
    assert redact(account.private_key) == "***"
    for line in (line for line in account.private_key.splitlines() if "-----" not in line):
        assert redact(f"before {line} after") == "before *** after"


def test_requests_name_the_version_of_airflow(account: Account) -> None:
    with EncordHook() as hook:
        suffix = hook.get_conn().settings.user_agent_suffix

    assert suffix == f"apache-airflow/{importlib.metadata.version('apache-airflow')}"


def test_a_connection_can_be_read_on_an_event_loop(account: Account) -> None:
    from airflow.providers.common.compat.connection import get_async_connection

    connection = asyncio.run(get_async_connection("encord_default", EncordHook()))

    assert (connection.conn_type, connection.host) == ("encord", account.emulator.url)


class Resumable(ResumableJobMixin):  # type: ignore[misc]
    """A job of three calls."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    def submit_job(self, context: Any) -> str:
        self.calls.append("submit")
        return "the job"

    def poll_until_complete(self, external_id: str, context: Any) -> None:
        self.calls.append(f"poll {external_id}")

    def get_job_result(self, external_id: str, context: Any) -> str:
        return f"what came of {external_id}"


@pytest.mark.skipif(FEATURES["resumption"].on(LINE), reason="this line has the mixin itself")
def test_the_stand_in_for_resumption_starts_a_new_job_on_every_try() -> None:
    job = Resumable()

    assert [job.execute_resumable({}) for _ in range(2)] == ["what came of the job"] * 2
    assert job.calls == ["submit", "poll the job"] * 2


def test_a_retry_policy_is_taken_where_there_are_such_and_refused_elsewhere() -> None:
    policy: dict[str, Any] = {"retry_policy": None}
    if FEATURES["retry_policy"].on(LINE):
        assert EncordListProjectsOperator(task_id="list", **policy).task_id == "list"
    else:
        with pytest.raises(Exception, match="retry_policy"):
            EncordListProjectsOperator(task_id="list", **policy)


def test_a_trigger_for_watchers_can_be_defined_where_there_are_none() -> None:
    assert issubclass(_event_trigger(), BaseTrigger)
    assert (_event_trigger() is BaseTrigger) is not FEATURES["watchers"].on(LINE)


def _dag(**options: Any) -> DAG:
    with DAG(dag_id="listing", schedule="@daily", catchup=False, **options) as dag:
        EncordListProjectsOperator(task_id="list")
    return dag


def test_a_dag_with_a_schedule_needs_a_start_date_only_before_the_task_sdk() -> None:
    assert _dag(start_date=datetime(2026, 11, 1, tzinfo=UTC)).task_ids == ["list"]
    if FEATURES["airflow.sdk"].on(LINE):
        assert _dag().task_ids == ["list"]
    else:
        with pytest.raises(ValueError, match="start_date"):
            _dag()
