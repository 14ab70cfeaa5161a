"""A task that fails for a reason that the message explains shows it in its log first and last, in a few frames."""

from __future__ import annotations

import logging
import traceback

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, AirflowSkipException

from airflow_provider_encord.client.errors import InvalidArgumentError, RefusedError, UnavailableError
from airflow_provider_encord.operators.base import airflow_errors
from airflow_provider_encord.operators.projects import EncordGetProjectOperator
from airflow_provider_encord.operators.records import as_dictionary

PACKAGE = "airflow_provider_encord"
MOST_FRAMES = 4  # of ours


LOG = logging.getLogger("tests.error_logs")


def _deeper(error: BaseException, calls: int = 20) -> None:
    if calls:
        _deeper(error, calls - 1)
    try:
        raise OSError("the first cause")
    except OSError as cause:
        raise error from cause


def _run(error: BaseException, caplog: pytest.LogCaptureFixture) -> BaseException:
    """What a task sees of an error that was raised many calls deep."""
    with caplog.at_level(logging.DEBUG), pytest.raises(AirflowException) as raised, airflow_errors(LOG):
        _deeper(error)
    return raised.value


@pytest.mark.parametrize("error", [InvalidArgumentError("stage: no"), RefusedError("no"), UnavailableError("away")])
def test_the_message_is_logged_first_and_the_traceback_is_short(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    raised = _run(error, caplog)
    assert isinstance(raised, AirflowException)
    assert isinstance(raised, AirflowFailException) is not isinstance(error, UnavailableError)
    (logged,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert logged.getMessage() == str(raised) == str(error)
    shown = "".join(traceback.format_exception(raised))
    assert shown.rstrip().splitlines()[-1].endswith(str(error))
    assert shown.count(f"/{PACKAGE}/") <= MOST_FRAMES
    assert "the first cause" not in shown


def test_at_debug_the_log_has_the_whole_chain(caplog: pytest.LogCaptureFixture) -> None:
    _run(RefusedError("no"), caplog)
    (logged,) = [record for record in caplog.records if record.exc_info]
    assert logged.levelno == logging.DEBUG
    whole = "".join(traceback.format_exception(logged.exc_info[1]))  # type: ignore[index]
    assert "the first cause" in whole
    assert "in _deeper" in whole


def test_an_error_in_airflows_words_is_logged_first_too(caplog: pytest.LogCaptureFixture) -> None:
    _run(AirflowFailException("2 of 3 files failed"), caplog)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [
        "2 of 3 files failed"
    ]


def test_a_task_that_is_skipped_logs_no_error(caplog: pytest.LogCaptureFixture) -> None:
    _run(AirflowSkipException("nothing to do"), caplog)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_defect_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(AirflowFailException) as raised, airflow_errors(LOG):
        as_dictionary(3)
    assert "in as_dictionary" in "".join(traceback.format_exception(raised.value))


def test_a_missing_connection_is_named_in_a_few_frames(caplog: pytest.LogCaptureFixture) -> None:
    operator = EncordGetProjectOperator(task_id="get", encord_conn_id="encord_nowhere")
    with pytest.raises(
        AirflowFailException, match=r"^encord_conn_id: .*encord_nowhere.* Create the connection"
    ) as raised:
        operator.execute({})
    assert "".join(traceback.format_exception(raised.value)).count(f"/{PACKAGE}/") <= MOST_FRAMES


def test_a_function_of_the_users_own_logs_to_the_task(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(AirflowFailException), airflow_errors():
        raise RefusedError("no")
    assert [(record.name, record.getMessage()) for record in caplog.records if record.levelno >= logging.ERROR] == [
        ("airflow.task", "no")
    ]
