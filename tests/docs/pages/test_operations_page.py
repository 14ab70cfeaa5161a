"""The checked-in page of operations says what the code says."""

from __future__ import annotations

from airflow_provider_encord.client.api.core.registry import operations
from tests.docs.pages.operations_page import PAGE, page, rows_of, sample_call
from tests.wire.arguments import call_of
from tests.wire.scope import replayed


def test_the_page_of_operations_is_what_the_registry_gives() -> None:
    assert PAGE.read_text() == page(), "run `python -m tests.docs.pages.operations_page`"


def test_made_up_arguments_give_calls_that_behave_as_the_recorded_ones() -> None:
    recorded = {(key, _behaviour(call_of(exchange, key))) for exchange, key in replayed()}
    made_up = {(key, _behaviour(sample_call(operation))) for key, operation in operations().items()}
    assert {one for one in recorded if one not in made_up} == set()


def _behaviour(call: object) -> tuple[object, ...]:
    return tuple(getattr(call, name) for name in ("changes", "credentials"))


def test_a_request_that_no_row_takes_differs_from_one_that_is_served() -> None:
    assert rows_of(sample_call(operations()["project.get", "v2"]))
    assert rows_of(sample_call(operations()["project.get", "v1"]))
