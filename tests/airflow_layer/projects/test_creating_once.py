"""Whatever happens to a creation, at whichever request: run again, and there is one resource of the title.

Projects cannot be deleted by API, so a second one would be there for ever.
"""

from __future__ import annotations

import http.client
import os
import select
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.datasets import EncordCreateDatasetOperator
from airflow_provider_encord.operators.ontologies import EncordCreateOntologyOperator
from airflow_provider_encord.operators.projects import EncordCreateProjectOperator
from tests.airflow_layer.bench import Account

CREATE: dict[str, type[EncordBaseOperator]] = {
    "project": EncordCreateProjectOperator,
    "dataset": EncordCreateDatasetOperator,
    "ontology": EncordCreateOntologyOperator,
}
COUNTED = {"project": "projects", "dataset": "datasets"}  # by the emulator's own count
REQUESTS = 2  # look for the title, create
TITLE = "Street scenes"
HOLD = 0.3  # seconds
DEADLINE = 10.0  # seconds

kinds = pytest.mark.parametrize("kind", CREATE)
requests = pytest.mark.parametrize("nth", range(1, REQUESTS + 1))


def create(kind: str) -> str:
    """One try of the task."""
    created: str = CREATE[kind](task_id="create", title=TITLE).execute({})
    return created


def create_until_it_works(kind: str, tries: int = 3) -> str:
    """What Airflow does with retries: again after an error that may pass, not after one that stays."""
    for left in reversed(range(tries)):
        try:
            return create(kind)
        except AirflowFailException:
            raise
        except AirflowException:
            if not left:
                raise
    raise AssertionError


@pytest.fixture
def require_one(account: Account) -> Callable[[str], None]:
    """Fails unless exactly one resource was created, by the owner's listing and by the emulator's count."""
    before = account.emulator.state()

    def require(kind: str) -> None:
        account.emulator.clear_faults()
        after = account.emulator.state()
        assert account.titles(kind) == [TITLE]
        assert [after[count] - before[count] for count in COUNTED.values()] == [int(kind == one) for one in COUNTED]

    return require


@kinds
def test_a_creation_takes_as_many_requests_as_are_broken_below(kind: str, account: Account) -> None:
    account.emulator.clear_journal()
    create(kind)

    assert [entry["changes"] for entry in account.emulator.journal()] == [False, True, False]


@kinds
@requests
@pytest.mark.parametrize(
    "trouble",
    [
        {"cut": "before"},
        {"cut": "after"},
        {"status": 503, "headers": {"Retry-After": "0"}},
        {"status": 504, "text": "<html>a gateway gave up</html>", "headers": {"Retry-After": "0"}},
        {"status": 200, "text": "<html>a proxy wrote this</html>"},
        {"status": 429, "headers": {"Retry-After": "0"}},
    ],
    ids=str,
)
def test_one_bad_request_makes_no_second_resource(
    kind: str, nth: int, trouble: dict[str, Any], account: Account, require_one: Callable[[str], None]
) -> None:
    account.emulator.faults([{"match": {}, "when": {"nth": nth}, "do": trouble}])

    first = create_until_it_works(kind)
    assert create(kind) == first
    require_one(kind)


@kinds
@pytest.mark.parametrize("code", ["UNKNOWN_ERROR", "RATE_LIMIT_ERROR"])
def test_an_error_in_the_envelope_makes_no_second_resource(
    kind: str, code: str, account: Account, require_one: Callable[[str], None]
) -> None:
    match = {"query_type": "project", "query_method": "POST"}
    account.emulator.faults([{"match": match, "when": {"nth": 1}, "do": {"v1_error": code}}])

    first = create_until_it_works(kind)
    assert create(kind) == first
    require_one(kind)


@kinds
def test_the_answer_and_the_look_afterwards_are_lost_and_yet_there_is_one(
    kind: str, account: Account, require_one: Callable[[str], None]
) -> None:
    down = [
        {"match": {}, "when": {"nth": nth}, "do": {"status": 503, "headers": {"Retry-After": "0"}}}
        for nth in range(3, 8)
    ]
    account.emulator.faults([{"match": {}, "when": {"nth": 2}, "do": {"cut": "after"}}, *down])

    with pytest.raises(AirflowException) as failure:
        create(kind)
    assert not isinstance(failure.value, AirflowFailException)
    create(kind)
    require_one(kind)


@kinds
@requests
@pytest.mark.parametrize("moment", ["while it is carried out", "when its answer is here"])
def test_a_worker_that_is_killed_leaves_one_resource(
    kind: str, nth: int, moment: str, account: Account, require_one: Callable[[str], None]
) -> None:
    """SIGKILL at request number `nth`; what was sent is carried out all the same."""
    answered = moment == "when its answer is here"
    account.emulator.clear_journal()
    if not answered:
        account.emulator.faults([{"match": {}, "when": {"nth": nth}, "do": {"delay_s": HOLD}}])

    worker, reached = _fork_up_to(nth, lambda: create(kind), answered=answered)
    assert select.select([reached], [], [], DEADLINE)[0], "The worker did not come so far."
    os.kill(worker, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(worker, 0)[1])
    os.close(reached)
    _wait(lambda: len(account.emulator.journal()) == nth, f"request {nth} to be carried out")

    account.emulator.clear_faults()
    create(kind)
    require_one(kind)


def _fork_up_to(nth: int, work: Callable[[], object], *, answered: bool) -> tuple[int, int]:
    """Run something in a process of its own, which reports when it has sent its request number `nth`.

    :param answered: It reports when it has the answer, and then goes no further.
    :return: Its id, and the end of a pipe from which a byte can be read then.
    """
    reached, tell = os.pipe()
    worker = os.fork()
    if worker:
        os.close(tell)
        return worker, reached
    sent = 0
    receive = http.client.HTTPConnection.getresponse  # called when the request is out

    def telling(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        nonlocal sent
        sent += 1
        if sent == nth and not answered:
            os.write(tell, b"!")
        response = receive(connection)
        if sent == nth and answered:
            os.write(tell, b"!")
            signal.pause()
        return response

    http.client.HTTPConnection.getresponse = telling  # type: ignore[method-assign, assignment]
    try:
        work()
    finally:
        os._exit(0)


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("None", "title: it is the string 'None'"),
        ("\ud83d", "title: .*half of a surrogate pair"),
        ([], "title: it must be text, not a list"),
        (None, "title: it is empty"),
        (" ", "title: it is empty"),
    ],
)
@pytest.mark.parametrize("operator", [EncordCreateDatasetOperator, EncordCreateProjectOperator])
def test_a_template_without_a_value_creates_nothing(account: Account, operator: Any, title: Any, message: str) -> None:
    """Fault 6.2, for creations: projects cannot be deleted."""
    with pytest.raises(AirflowFailException, match=message):
        operator(task_id="create", title=title).execute({})
    assert account.titles("project") == account.titles("dataset") == []
