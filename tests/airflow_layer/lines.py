"""What each supported line of Airflow has and lacks, and what this package does where it lacks it.

A line is a minor version with its patches: 2.11, 3.1, 3.2, 3.3. The table is data, so that the documentation shows what
the tests check: `test_lines.py` looks for every feature on the line that it runs on. Imports neither Airflow nor
anything of ours.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata

import pytest

LINES = ("2.11", "3.1", "3.2", "3.3")
"""The lines that are supported and tested, oldest first."""
NEWEST = LINES[-1]


def running_line() -> str:
    """The line that is installed here."""
    major, minor, *_ = importlib.metadata.version("apache-airflow").split(".")
    return f"{major}.{minor}"


needs_task_state = pytest.mark.skipif(running_line() != "3.3", reason="older lines keep no state of tasks")
"""Marks a test of what only a task state can remember."""
needs_asset_state = pytest.mark.skipif(running_line() != "3.3", reason="older lines keep no state of assets")
"""Marks a test of what only the state of an asset can remember."""


def dag_files_import() -> str:
    """The module that every DAG file imports anyway, on the line that is installed here."""
    return "airflow.decorators" if running_line() == "2.11" else "airflow.sdk"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Feature:
    """Something that not every line has.

    :param name: What it is called, in Markdown.
    :param since: The first supported line that has it; it may have come in a version between two supported lines.
    :param with_it: What this package does with it, today.
    :param without_it: What this package does, or what a user meets, on the lines before.
    """

    name: str
    since: str
    with_it: str
    without_it: str

    def on(self, line: str) -> bool:
        """Whether a line has it."""
        return LINES.index(line) >= LINES.index(self.since)


FEATURES: dict[str, Feature] = {
    "airflow.sdk": Feature(
        name="Task SDK (`airflow.sdk`)",
        since="3.1",
        with_it="Everything is imported from `airflow.providers.common.compat.sdk`, which leads to it.",
        without_it="The same imports lead to the classes of Airflow 2. A DAG with a schedule needs a `start_date`.",
    ),
    "secrets_masker": Feature(
        name="Masking that reaches the supervisor (`airflow.sdk.log.mask_secret`)",
        since="3.1",
        with_it="The hook registers each secret, and each line of a key, when it reads the connection.",
        without_it="The same call leads to `airflow.utils.log.secrets_masker`, in the task's own process.",
    ),
    "rest_form": Feature(
        name="Connection form drawn in the browser, saved through the REST API",
        since="3.1",
        with_it="What the browser sends is stored as it is. A stored secret is shown as `***`; saving that keeps it.",
        without_it="Pages of Flask-AppBuilder: the key field has several lines, and a stored key gains carriage "
        "returns; the connection works all the same. A stored secret is shown as a placeholder; saving that keeps it.",
    ),
    "conn-fields": Feature(
        name="Connection form from metadata (`conn-fields`)",
        since="3.2",
        with_it="The key field has several lines, the authentication is chosen from a list, the rarely needed fields "
        "are in a section of their own.",
        without_it="The hook's class methods build the same fields with the same labels and help. On 2.11 the "
        "authentication is typed, not chosen. On 3.1 the key field is one masked line, which turns the line ends of a "
        "pasted key into blanks: the hook reads such a key too.",
    ),
    "provider commands": Feature(
        name="Commands of providers (`airflow <provider> ...`)",
        since="3.2",
        with_it="`airflow encord smoke` checks a connection and prints a report for an issue.",
        without_it="The same command is `python -m airflow_provider_encord.smoke`.",
    ),
    "form without hook": Feature(
        name="Connection form without importing any hook",
        since="3.3",
        with_it="The API server reads the provider info and imports nothing else of this package.",
        without_it="The API server, and the web server of 2.11, import the hook, which loads neither an HTTP library "
        "nor cryptography.",
    ),
    "aget_connection": Feature(
        name="Connections read without blocking (`BaseHook.aget_connection`)",
        since="3.1",
        with_it="Triggers read their connection so.",
        without_it="`get_async_connection` of common-compat stands in for it.",
    ),
    "watchers": Feature(
        name="Asset watchers (`AssetWatcher`, `BaseEventTrigger`)",
        since="3.1",
        with_it="`EncordTasksEventTrigger` and `EncordLabelsEventTrigger` start runs when there is work in Encord, and "
        "the API server receives Encord's webhooks.",
        without_it="`airflow_provider_encord.triggers.events` can be imported, but nothing runs its triggers, and the "
        "functions of `airflow_provider_encord.events` return empty lists. Begin a scheduled DAG with a sensor.",
    ),
    "resumption": Feature(
        name="Resumption of a remote job after a lost worker (`ResumableJobMixin`)",
        since="3.3",
        with_it="A retry continues the job of an attempt whose worker was lost: registrations, syncs, and uploads "
        "without a report.",
        without_it="A retry starts another job, which leaves out what is there. An upload with a report continues "
        "its job on every line.",
    ),
    "task state": Feature(
        name="State of a task that outlives its attempt (`task_state_store`)",
        since="3.3",
        with_it="Sensors with `max_wait_seconds` keep the times of what they saw first, for a retry and with "
        '`mode="reschedule"`. A retry of linking items, of removing data rows, or of a snapshot without a report knows '
        "what the attempts before it did.",
        without_it='Sensors refuse `max_wait_seconds` with `mode="reschedule"`: use `deferrable=True`, or '
        '`mode="poke"`, where a retry counts from its own start. A retry of the other tasks finds out by reading '
        "Encord what is there.",
    ),
    "retry_policy": Feature(
        name="Retry policies (`retry_policy=`)",
        since="3.3",
        with_it="`encord_retry_policy()` retries at the time that Encord asked for; without such a time, after "
        "`retry_delay`.",
        without_it="`encord_retry_policy()` raises `ImportError`. A retry follows `retry_delay`, also if Encord asked "
        "for a longer pause.",
    ),
    "trigger on_kill": Feature(
        name="`on_kill` of triggers",
        since="3.3",
        with_it="A deferred task that is marked or cleared by hand cancels its job, where Encord can.",
        without_it="The job of such a task runs on at Encord.",
    ),
    "shared streams": Feature(
        name="Confirmation of stored events, and state of an asset (`shared_stream_key`, `asset_state_store`)",
        since="3.3",
        with_it="A watcher remembers what it announced, through a restart and a crash of the triggerer.",
        without_it="A watcher that starts again announces again what is in the stage, and the edits of the last hour; "
        "the functions of `airflow_provider_encord.events` drop what was announced before.",
    ),
    "stored links": Feature(
        name="Links stored with the task",
        since="3.1",
        with_it='The button "Open in Encord" leads somewhere as soon as the task knows its ids.',
        without_it="The web server of 2.11 makes the link when a task is looked at, so this package must be installed "
        "there.",
    ),
    "no database": Feature(
        name="Tasks kept away from the metadata database",
        since="3.1",
        with_it="Nothing of this package touches the database; connections come through the Task SDK.",
        without_it="Tasks read connections from the database themselves; `dag.test()` and `airflow dags test` run them "
        "in one process with it.",
    ),
}
