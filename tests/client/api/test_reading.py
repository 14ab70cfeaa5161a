"""Decoders: spelling on v2, emptiness on v1, and times in filters."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
import pytest

from airflow_provider_encord.client.api import (
    datasets,
    labels,
    projects,
)
from airflow_provider_encord.client.api.core.listing import Filter
from airflow_provider_encord.client.api.core.reading import Page, v2_reader
from airflow_provider_encord.client.api.core.registry import operation, operations
from airflow_provider_encord.client.api.labels import LabelRowFilter
from airflow_provider_encord.client.api.uploads import IMAGE, VIDEO, UploadedFile, UploadJob, data_items
from airflow_provider_encord.client.call import Call, Request


class Inner(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    long_name: int = 0


class Outer(msgspec.Struct, kw_only=True, rename="camel"):
    """Every way in which a record can hold another."""

    one_inner: Inner = Inner()
    maybe_inner: Inner | None = None
    many_inner: list[Inner] = []
    maybe_many: list[Inner] | None = None
    free_content: dict[str, Any] = {}


CAMEL = {
    "oneInner": {"longName": 1},
    "maybeInner": {"longName": 2},
    "manyInner": [{"longName": 3}],
    "maybeMany": [{"longName": 4}],
    "freeContent": {"long_name": 5, "longName": 6, "one_inner": {"long_name": 7}},
}
SNAKE = {
    "one_inner": {"long_name": 1},
    "maybe_inner": {"long_name": 2},
    "many_inner": [{"long_name": 3}],
    "maybe_many": [{"long_name": 4}],
    "free_content": CAMEL["freeContent"],
}


def test_both_spellings_are_read_at_every_depth_and_free_content_is_left_alone():
    read = v2_reader(Outer)
    ours = read(msgspec.json.encode(CAMEL))
    assert read(msgspec.json.encode(SNAKE)) == ours
    assert (ours.one_inner.long_name, ours.maybe_inner.long_name) == (1, 2)
    assert (ours.many_inner[0].long_name, ours.maybe_many[0].long_name) == (3, 4)
    assert ours.free_content == CAMEL["freeContent"]


@pytest.mark.parametrize("type_", [Page[Outer], list[Outer]])
def test_both_spellings_are_read_inside_lists_and_pages(type_):
    read = v2_reader(type_)
    wrap = (lambda one: [one]) if type_ == list[Outer] else (lambda one: {"results": [one]})
    assert read(msgspec.json.encode(wrap(SNAKE))) == read(msgspec.json.encode(wrap(CAMEL)))


def test_spellings_may_be_mixed():
    mixed = CAMEL | {"maybe_many": [{"long_name": 4}]}
    mixed.pop("maybeMany")
    assert v2_reader(Outer)(msgspec.json.encode(mixed)) == v2_reader(Outer)(msgspec.json.encode(CAMEL))


def test_where_both_spellings_are_there_the_usual_one_wins():
    assert v2_reader(Inner)(b'{"longName": 1, "long_name": 2}').long_name == 1


def test_a_mistake_names_its_place():
    for body in (b'{"manyInner": [{"longName": "x"}]}', b'{"many_inner": [{"long_name": "x"}]}'):
        with pytest.raises(msgspec.ValidationError, match=r"\$\.manyInner\[0\]\.longName"):
            v2_reader(Outer)(body)


def test_a_label_row_passes_through_byte_for_byte():
    row = b'{ "label_hash":"l" , "data_hash":"d","n":1.50,"u":"\\u017c","big":123456789012345678901234567890 }'
    (read,) = labels.get_label_rows("p", ["l"]).read(b"[" + row + b"]")
    assert bytes(read.content) == row
    (one,) = labels.get_label_rows("p", "l").read(row)
    assert bytes(one.content) == row


def test_a_row_that_was_read_is_saved_byte_for_byte():
    row = b'{"label_hash":"l","data_hash":"d","n":1.50,"u":"\\u017c"}'
    (read,) = labels.get_label_rows("p", ["l"]).read(b"[" + row + b"]")
    call = labels.save_label_rows("p", ["l"], [read.content])
    assert row in msgspec.json.encode(call.request.body())  # type: ignore[union-attr]
    alone = labels.save_label_rows("p", "l", read.content, validate_before_saving=True)
    assert alone.request.payload == {  # type: ignore[union-attr]
        "label_hash": "l",
        "data_hash": "d",
        "n": 1.5,
        "u": "ż",
        "validate_before_saving": True,
    }


def test_saving_may_be_repeated_and_creating_may_not():
    assert labels.save_label_rows("p", ["l"], [{}]).repeatable
    assert not labels.create_label_rows("p", ["d"]).repeatable
    assert not labels.get_label_rows("p", ["l"]).changes


NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)


def test_filters_spell_descriptions_and_times_as_each_listing_wants_them():
    """Protocol, sections 4 and 9.5."""
    which = Filter(description_eq="d", description_like="d%", created_before=NOON)
    by_project = projects.list_projects(which).request.query  # type: ignore[union-attr]
    by_dataset = datasets.list_datasets(which).request.query  # type: ignore[union-attr]
    assert (by_project["descEq"], by_project["descLike"]) == ("d", "d%")
    assert (by_dataset["descriptionEq"], by_dataset["descriptionLike"]) == ("d", "d%")
    assert by_project["createdBefore"] == "2026-01-01T12:00:00+00:00"
    assert by_dataset["createdBefore"] == "2026-01-01T12:00:00Z"


def test_a_filter_of_label_rows_sends_every_key_but_those_that_are_unset():
    payload = LabelRowFilter(edited_after=NOON, include_children=msgspec.UNSET).payload()
    assert payload["edited_after"] == "2026-01-01T12:00:00+00:00"
    assert payload["edited_before"] is None
    assert "include_children" not in payload
    assert len(payload) == 17


def test_an_upload_names_every_list_and_puts_each_file_into_its_own():
    files = [
        UploadedFile(kind=IMAGE, object_url="i", title="cat.jpg", client_metadata={"k": 1}),
        UploadedFile(kind=VIDEO, object_url="v", title="dog.mp4"),
    ]
    items = data_items(files, skip_duplicate_urls=True)
    assert [image["objectUrl"] for image in items["images"]] == ["i"]
    assert [video["externalFileType"] for video in items["videos"]] == ["VIDEO"]
    assert items["images"][0]["clientMetadata"] == {"k": 1}
    assert items["skipDuplicateUrls"] is True
    assert sum(isinstance(value, list) for value in items.values()) == 11


@pytest.mark.parametrize(
    ("status", "ended"), [("PENDING", False), ("DONE", True), ("ERROR", True), ("CANCELLED", True), ("NEW", False)]
)
def test_a_job_has_ended_only_in_a_status_that_says_so(status, ended):
    assert UploadJob(status=status).ended is ended


def test_a_call_carries_the_name_it_is_registered_under():
    assert projects.get_project("p").operation == "project.get"
    assert all(name == one.name and api == one.api for (name, api), one in operations().items())


def test_two_operations_of_one_name_are_a_mistake():
    with pytest.raises(ValueError, match=r"project\.get \(v2\)"):

        @operation("project.get", "v2")
        def second() -> Call[Any]:
            return Call(request=Request("GET", "x"), read=lambda answer: None)
