"""The retry policy, on the errors that operators and users' own tasks really raise."""

from __future__ import annotations

import copy

import pytest
from airflow.providers.common.compat.sdk import AirflowException

from airflow_provider_encord.client.errors import RateLimitedError
from airflow_provider_encord.operators.base import airflow_errors
from airflow_provider_encord.operators.projects import EncordListProjectsOperator
from airflow_provider_encord.retries import encord_retry_policy, requested_delay
from tests.airflow_layer.bench import Account, run
from tests.airflow_layer.lines import FEATURES, running_line

HAS_POLICIES = FEATURES["retry_policy"].on(running_line())


def failure_of_an_operator(account: Account, retry_after: str) -> BaseException:
    account.emulator.faults([{"match": {}, "do": {"status": 429, "headers": {"Retry-After": retry_after}}}])
    with pytest.raises(AirflowException) as failure:
        run(EncordListProjectsOperator)
    return failure.value


def test_the_time_that_encord_asked_for_is_found_in_the_error_of_an_operator(account: Account) -> None:
    assert requested_delay(failure_of_an_operator(account, "3600")) == 3600


def test_and_in_the_error_of_a_task_of_a_user() -> None:
    with pytest.raises(AirflowException) as failure, airflow_errors():
        raise RateLimitedError("too many requests", retry_after=90)
    assert requested_delay(failure.value) == 90


@pytest.mark.parametrize("error", [ValueError("x"), RateLimitedError("too many"), KeyError()])
def test_an_error_without_a_time_asks_for_none(error: Exception) -> None:
    assert requested_delay(error) is None


def test_a_chain_of_errors_that_turns_back_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__context__, second.__context__ = second, first
    assert requested_delay(first) is None


@pytest.mark.skipif(not HAS_POLICIES, reason="this line has no retry policies")
def test_the_retry_is_scheduled_for_that_time_and_not_much_later(account: Account) -> None:
    policy = copy.deepcopy(encord_retry_policy())
    error = failure_of_an_operator(account, "3600")
    delays = {policy.evaluate(error, 1, 3).retry_delay.total_seconds() for _ in range(20)}
    assert all(3600 <= delay <= 3960 for delay in delays)
    assert len(delays) > 1, "tasks that failed together do not return together"


@pytest.mark.skipif(not HAS_POLICIES, reason="this line has no retry policies")
def test_another_failure_is_left_to_the_task() -> None:
    decision = encord_retry_policy().evaluate(ValueError("x"), 1, 3)
    assert (decision.action.value, decision.retry_delay) == ("default", None)


@pytest.mark.skipif(HAS_POLICIES, reason="this line has retry policies")
def test_older_lines_say_what_to_do_instead() -> None:
    with pytest.raises(ImportError, match=r"needs Airflow 3\.3"):
        encord_retry_policy()


@pytest.mark.skipif(not HAS_POLICIES, reason="this line has no retry policies")
def test_airflow_asks_the_policy_and_schedules_the_retry(account: Account) -> None:
    from airflow.sdk.execution_time import task_runner

    class Instance:
        task = EncordListProjectsOperator(task_id="list", retries=3, retry_policy=encord_retry_policy())
        try_number = 1
        _ti_context_from_server = None

    error = failure_of_an_operator(account, "7200")
    decision = task_runner._evaluate_retry_policy(Instance(), error, task_runner.log)  # type: ignore[arg-type]
    assert decision is not None
    assert decision.retry_delay is not None
    assert decision.retry_delay.total_seconds() >= 7200
