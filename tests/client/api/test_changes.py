"""What changes anything, and what may be repeated: the client's reading of the protocol and the emulator's agree."""

from __future__ import annotations

from typing import Any

from airflow_provider_encord.client.call import Call, Envelope
from encord_emulator.routes import V1_OPERATIONS, V2_OPERATIONS
from tests.wire.arguments import call_of
from tests.wire.scope import replayed


def served(call: Call[Any]) -> list[bool]:
    """Whether the rows of the emulator's table that could serve a call change anything."""
    request = call.request
    if isinstance(request, Envelope):
        rows = V1_OPERATIONS.get((request.query_type, request.verb), [])
        scope = request.resource.kind or "user"
        about = [row for row in rows if scope in {one.value for one in row.scopes}] or rows
        return [row.changes for row in about]
    return [
        row.changes for pattern, row in V2_OPERATIONS if row.method == request.method and pattern.match(request.path)
    ]


def calls() -> list[Call[Any]]:
    return [call_of(exchange, operation) for exchange, operation in replayed()]


def test_a_call_changes_something_where_the_emulator_says_so():
    compared = 0
    for call in calls():
        rows = served(call)
        assert rows == [] or call.changes in rows, call.operation
        compared += len(set(rows)) == 1
    assert compared > 40


def test_what_changes_nothing_may_be_repeated():
    assert len(calls()) > 40
    for call in calls():
        assert call.changes or call.repeatable, call.operation


def test_reads_by_name_of_their_method_are_reads():
    reads = 0
    for call in calls():
        verb = call.request.verb if isinstance(call.request, Envelope) else call.request.method
        assert verb != "GET" or not call.changes, call.operation
        reads += verb == "GET"
    assert reads > 20
