"""What a task does while Encord asks for fewer requests: it waits in its slot for a short time, else outside of it."""

from __future__ import annotations

import datetime
import time
import types
import uuid
from pathlib import Path
from typing import Any, cast

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, Context, TaskDeferred

from airflow_provider_encord.client.errors import PartialFailureError, RateLimitedError
from airflow_provider_encord.client.flows.outcomes import PartsOutcome
from airflow_provider_encord.defaults import LONGEST_WAIT_IN_SLOT, PAUSE_BEFORE_BEGUN, PAUSES_SPREAD
from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.hooks.pacing import shared_pacer
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from airflow_provider_encord.operators.projects import EncordListProjectsOperator
from airflow_provider_encord.operators.storage import EncordSyncFolderOperator
from tests.airflow_layer.bench import Account, run
from tests.airflow_layer.deferrals import run_deferred


@pytest.fixture
def deferrable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")


def refuse(account: Account, seconds: int, **when: int) -> None:
    fault = {"status": 429, "headers": {"Retry-After": str(seconds)}}
    account.emulator.faults([{"match": {}, "when": when or {"times": 1}, "do": fault}])


@pytest.mark.usefixtures("deferrable")
def test_a_task_leaves_its_slot_for_the_time_that_encord_asks_for(account: Account) -> None:
    refuse(account, 90)
    begun = time.time()
    with pytest.raises(TaskDeferred) as deferred:
        run(EncordListProjectsOperator)
    _, arguments = deferred.value.trigger.serialize()
    assert begun + 90 <= arguments["until"] <= time.time() + 90 * (1 + PAUSES_SPREAD)
    assert arguments == {"until": arguments["until"], "carried": None, "pauses": 1}


@pytest.mark.usefixtures("deferrable")
def test_others_with_the_credential_leave_their_slots_without_asking(account: Account) -> None:
    refuse(account, 90)
    with pytest.raises(TaskDeferred):
        run(EncordListProjectsOperator)
    account.emulator.clear_journal()
    with pytest.raises(TaskDeferred):
        run(EncordListProjectsOperator)
    assert account.emulator.journal() == []


@pytest.mark.usefixtures("deferrable")
def test_afterwards_the_task_does_its_work_once(account: Account, tmp_path: Path) -> None:
    project = account.project(title="Street", rows=6, created=1.0)["project_id"]
    refuse(account, int(LONGEST_WAIT_IN_SLOT) + 1, nth=3)
    pauses: list[int] = []
    result = run_deferred(
        lambda: EncordExportLabelsOperator(task_id="export", project_id=project, destination=f"file://{tmp_path}"),
        while_deferred=pauses.append,
    )
    assert pauses == [0]
    assert result["rows"] == 6


@pytest.mark.usefixtures("deferrable")
def test_a_task_that_has_not_begun_leaves_its_slot_for_a_shorter_wait(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It failed instead: sent away because the wait was over 3 seconds, it asked whether it was over 5."""
    monkeypatch.setenv("AIRFLOW__ENCORD__RATE_LIMIT", "1")
    with EncordHook() as hook:
        client = hook.get_conn()
        pacer = shared_pacer(client.credential, client.settings, longest=None)
    pacer.store.update(lambda pace: pace.send(time.time(), pace.take(), least=1.0))
    pacer.store.update(lambda pace: [pace.take() for _ in range(3)])  # so the next one waits for 4 seconds
    with pytest.raises(TaskDeferred):
        run(EncordListProjectsOperator)


@pytest.mark.usefixtures("deferrable")
def test_a_task_that_paused_often_waits_longer_in_its_slot(account: Account) -> None:
    refuse(account, 90)
    operator = EncordListProjectsOperator(task_id="projects")
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute_after_pause(cast("Context", {}), {"status": "over", "carried": None, "pauses": 4})
    assert deferred.value.trigger.serialize()[1]["pauses"] == 5
    assert operator.hook.longest_wait == 20


@pytest.mark.usefixtures("deferrable")
def test_a_short_wait_is_waited_for_in_the_slot(account: Account) -> None:
    refuse(account, 1)
    begun = time.monotonic()
    assert run(EncordListProjectsOperator) == []
    assert time.monotonic() - begun >= 1


def test_without_a_triggerer_a_long_wait_is_left_to_a_retry(account: Account) -> None:
    refuse(account, 90)
    with pytest.raises(AirflowException) as failure:
        run(EncordListProjectsOperator)
    assert not isinstance(failure.value, AirflowFailException)


@pytest.mark.usefixtures("deferrable")
def test_the_argument_of_a_task_counts_before_the_setting(account: Account) -> None:
    refuse(account, 90)
    arguments = {"folder_id": str(uuid.uuid4())}
    with pytest.raises(AirflowException, match="fewer requests"):
        run(EncordSyncFolderOperator, deferrable=False, **arguments)


@pytest.mark.parametrize("text", ["many", "0", "-3", "nan", "inf"])
def test_a_rate_limit_that_is_none_is_refused_with_its_name(
    account: Account, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("AIRFLOW__ENCORD__RATE_LIMIT", text)
    account.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match=r"rate_limit of section \[encord\]"):
        run(EncordListProjectsOperator)
    assert account.emulator.journal() == []


def test_a_rate_limit_is_kept_by_all_hooks_of_a_credential(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__ENCORD__RATE_LIMIT", "20")
    begun = time.monotonic()
    for _ in range(21):
        with EncordHook() as hook:
            list(hook.get_conn().projects())
    assert time.monotonic() - begun >= 20 / 20 - 0.1


@pytest.mark.usefixtures("deferrable")
def test_a_bulk_operation_that_was_done_in_part_leaves_its_slot(account: Account) -> None:
    class Bulk(EncordBaseOperator):
        def _execute(self, context: Context) -> None:
            outcome = PartsOutcome(done=["a"], not_done=["b"], unknown=[], results=[], error=None)
            raise PartialFailureError(RateLimitedError("Too many requests.", retry_after=90.0), outcome)

    with pytest.raises(TaskDeferred):
        run(Bulk)


@pytest.mark.usefixtures("deferrable")
@pytest.mark.parametrize(("minutes", "raised"), [(1, AirflowException), (3, TaskDeferred)])
def test_a_task_does_not_pause_for_longer_than_its_execution_timeout(
    account: Account, minutes: int, raised: type[BaseException]
) -> None:
    """Airflow 3 does not look at `execution_timeout` while a task waits in the triggerer."""
    refuse(account, 90)
    limit = datetime.timedelta(minutes=minutes)
    operator = EncordListProjectsOperator(task_id="projects", execution_timeout=limit)
    instance = types.SimpleNamespace(start_date=datetime.datetime.now(datetime.UTC), xcom_push=lambda **_: None)
    context: Any = {"ti": instance}
    with pytest.raises(raised):
        operator.execute(context)


@pytest.mark.usefixtures("deferrable")
@pytest.mark.parametrize(("seconds_left", "longest"), [(600, 30), (20, 10)])
def test_a_task_that_found_the_queue_full_again_comes_back_later_but_in_time(
    account: Account, seconds_left: float, longest: float
) -> None:
    class Full(EncordBaseOperator):
        _pauses = 2.0

        def _execute(self, context: Context) -> None:
            error = RateLimitedError("The queue is full.", retry_after=10.0)
            error.wait_elsewhere = True
            raise error

    operator = Full(task_id="full", execution_timeout=datetime.timedelta(seconds=seconds_left))
    instance = types.SimpleNamespace(start_date=datetime.datetime.now(datetime.UTC), xcom_push=lambda **_: None)
    begun = time.time()
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(cast("Any", {"ti": instance}))
    _, arguments = deferred.value.trigger.serialize()
    assert longest <= arguments["until"] - begun <= longest * (1 + PAUSES_SPREAD) + 1
    assert arguments["pauses"] == 2 + PAUSE_BEFORE_BEGUN
