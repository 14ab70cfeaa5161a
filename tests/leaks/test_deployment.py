"""No secret is left in anything that a whole deployment stores, whatever its DAGs do."""

from __future__ import annotations

import json
import sqlite3
import urllib.error
import urllib.request
from contextlib import closing

import pytest

from tests.leaks.remains import EXPECTED, Remains
from tests.leaks.search import Search
from tests.leaks.signed_urls import STORE
from tests.leaks.telling import AIRFLOW_3, SAID, without_said

pytestmark = [pytest.mark.airflow, pytest.mark.system]
CONSOLE = "logs/components/scheduler.log"


@pytest.mark.timeout(900)
def test_every_task_ended_as_expected(remains: Remains) -> None:
    assert remains.states == EXPECTED


@pytest.mark.parametrize(
    "logs",
    [
        "task_id=log_secrets/attempt=1.log",
        "task_id=fail_with_secrets/attempt=1.log",
        "task_id=tell_in_the_triggerer/attempt=1.log",
        "task_id=tell_in_the_triggerer/attempt=1.log.trigger.*",
    ],
)
def test_secrets_were_said_there_and_masked(logs: str, remains: Remains) -> None:
    files = list((remains.folder / "home" / "logs" / "dag_id=tells_secrets").glob(f"run_id=*/{logs}"))
    said = [one for file in files for one in SAID.findall(file.read_text())]
    assert len(files) == 2
    assert len(said) > 50
    assert sum("***" in one for one in said) > 0.5 * len(said)  # the others are BEGIN and END


def test_a_secret_in_a_template_is_stored_masked(remains: Remains) -> None:
    with closing(sqlite3.connect(remains.database)) as database:
        query = "SELECT rendered_fields FROM rendered_task_instance_fields WHERE task_id = 'tell_in_the_triggerer'"
        rows = [json.loads(fields) for (fields,) in database.execute(query)]
    assert [row["said"] for row in rows] == ["***", "***"]
    assert {row["encord_conn_id"] for row in rows} == {"encord_default", "encord_stored"}


def test_no_secret_is_in_the_database_while_tasks_are_deferred(remains: Remains) -> None:
    assert remains.trigger_rows == ["tests.leaks.telling.TellingTrigger"] * 2
    assert remains.found_in_triggers == []


def test_no_secret_is_in_anything_that_the_deployment_stores(remains: Remains) -> None:
    search, home = Search(remains.everything(), fernet_keys=[remains.fernet_key]), remains.folder / "home"
    console = home / CONSOLE
    others = [path for path in home.rglob("*") if path.is_file() and path != console]
    written = [remains.folder / name for name in ("exports", "report.jsonl", "dags")]
    unasked = {CONSOLE: without_said(console.read_text()).encode()}  # what was said on purpose: see below
    found = search.in_files(*others, *written) + search.in_texts({**remains.texts, **unasked})
    print(
        f"{search.forms} forms of {len(remains.everything())} secrets in {search.searched}; ran {remains.seconds:.0f} s"
    )
    assert [str(one) for one in found] == []


@pytest.mark.xfail(
    AIRFLOW_3,
    strict=True,
    reason="Airflow 3: LocalExecutor copies task logs to the scheduler's console with a logger that masks nothing",
)
def test_what_a_task_says_on_purpose_is_masked_on_the_console_too(remains: Remains) -> None:
    assert Search(remains.secrets).in_files(remains.folder / "home" / CONSOLE) == []


def test_connections_in_the_database_are_found_when_they_are_decrypted(remains: Remains) -> None:
    search = Search([*remains.secrets, *remains.api_keys], fernet_keys=[remains.fernet_key])
    found = search.in_database(remains.database, sealed=())
    names = {one.secret for one in found}
    assert {one.place.split(", ")[1] for one in found} == {"connection.extra"}
    assert {"the API key", *(f"line {number} of the plain key" for number in range(1, 6))} <= names
    assert "the passphrase" not in names


def test_the_emulator_keeps_no_private_key_and_no_passphrase(remains: Remains) -> None:
    kept = [path for path in remains.folder.iterdir() if path.name.startswith("emulator")]
    assert {"emulator.db", "emulator.log"} <= {one.name for one in kept}
    assert Search(remains.secrets).in_files(*kept) == []


def test_the_signed_urls_that_were_searched_for_are_those_that_were_handed_out(remains: Remains) -> None:
    journal = json.loads(remains.texts["the journal"])
    paths = {entry["path"] for entry in journal if entry["path"].startswith(STORE)}
    held = {path for path, query in remains.urls if _holds(f"{remains.emulator.url}{path}?{query}")}
    assert held == paths
    assert len(paths) > 3


def _holds(url: str) -> bool:
    """Whether the emulator takes a signed URL."""
    request = urllib.request.Request(url, b"", method="PUT")
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False
