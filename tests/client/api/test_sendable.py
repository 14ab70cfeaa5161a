"""What cannot be written as a request is refused by name, and nothing is sent."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import hypothesis
import hypothesis.strategies as st
import pytest

from airflow_provider_encord.client.api.labels import list_label_rows
from airflow_provider_encord.client.api.projects import get_project, list_projects
from airflow_provider_encord.client.call import Request
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.client.identifiers import require_emails
from airflow_provider_encord.client.times import write_time
from airflow_provider_encord.client.transport.settings import Settings
from tests.client.scripted_server import ScriptedServer, answer
from tests.client.sending import GET, KINDS, POST, sender
from tests.wire.vectors import ssh_key

DEEP: list[Any] = []
for _ in range(5000):
    DEEP = [DEEP]


def _posting(content: Any) -> Any:
    return dataclasses.replace(POST, request=Request("POST", "datasets", json=content))


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ({"title": "\ud83d"}, "surrogate"),
        ({"\ud83d": 1}, "surrogate"),
        ({"x": float("nan")}, "NaN"),
        ({"x": [1, (2.0, -float("inf"))]}, "Infinity"),
        ({"x": DEEP}, "deeply"),
        ({"x": object()}, "JSON does not support"),
        ({("a", "b"): 1}, "JSON does not support"),
    ],
)
def test_content_that_is_no_json_is_refused(server, transport, content, word):
    with transport(server.url) as sending, pytest.raises(InvalidArgumentError, match=word):
        sending.send(_posting(content))
    assert server.accepted == 0


@pytest.mark.parametrize("id_", ["a/b?c#d", "../../v1", "\ud83d", "\0", "é", "a b", "a\r\nX: y"])
def test_an_id_that_would_be_another_request_is_refused(server, transport, id_):
    with transport(server.url) as sending:
        for call in (get_project(id_), dataclasses.replace(GET, request=Request("GET", f"projects/{id_}/x"))):
            with pytest.raises(InvalidArgumentError, match="an id in it"):
                sending.send(call)
    assert server.accepted == 0


@pytest.mark.parametrize("id_", ["\ud83d", "é", "a\r\nX: y", 5, ["a"]])
def test_an_id_that_no_header_can_have_is_refused(server, transport, id_):
    with transport(server.url) as sending, pytest.raises(InvalidArgumentError, match="id of the project"):
        sending.send(list_label_rows(id_))
    assert server.accepted == 0


def test_half_of_a_surrogate_pair_in_a_query_is_refused(server, transport):
    with transport(server.url) as sending, pytest.raises(InvalidArgumentError, match="surrogate"):
        sending.send(list_projects(page="\ud83d"))
    assert server.accepted == 0


@pytest.mark.parametrize("time", ["", "soon", "2026-13-01", "\ud83d", 5])
def test_what_is_no_time_is_refused(time):
    with pytest.raises(InvalidArgumentError):
        write_time(time)


@pytest.mark.parametrize("email", ["a@b\ud83d", "a@\0b", "a@b\u200b"])
def test_an_address_with_what_cannot_be_seen_is_refused(email):
    with pytest.raises(InvalidArgumentError):
        require_emails(email, "emails")


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_is_asked_is_sent_or_refused_by_an_error_of_ours(kind):
    texts = st.text(st.characters(), max_size=8) | st.sampled_from(["\ud83d", "a/b", "..", "é?", "\r\n"])
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.integers(), inner, max_size=3),
        max_leaves=6,
    )
    with ScriptedServer() as server, sender(kind, ssh_key(), Settings(base_url=server.url), attempts=1) as sending:
        server.always(answer(json={}))

        @hypothesis.settings(max_examples=150, deadline=None)
        @hypothesis.given(content=values, id_=texts)
        def check(content: Any, id_: str) -> None:
            query = {"a": content if isinstance(content, str | int | list) else None}
            for call in (_posting(content), list_label_rows(id_), get_project(id_)):
                with contextlib.suppress(EncordError):
                    sending.send(call)
            with contextlib.suppress(EncordError):
                sending.send(dataclasses.replace(GET, request=Request("GET", f"projects/{id_}", query)))

        check()
