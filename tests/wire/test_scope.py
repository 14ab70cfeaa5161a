"""Nothing recorded is ignored silently: every vector is replayed, or listed with the reason why not."""

from __future__ import annotations

import pytest

from airflow_provider_encord.client.api.core.registry import operations
from tests.wire.scope import FLOWS, LOOKS_FIRST, REPLACED, in_scope, is_failure, is_form_of_2022, replayed
from tests.wire.subjects import ARGUMENTS, NOT_YET, operation_of
from tests.wire.vectors import vectors

NEVER_RECORDED = {
    ("project.list_datasets", "v1"),  # no SDK lists them by v1: it is the read of a project, which is recorded
    ("project.get_ontology", "v1"),  # out of the read of a project as well
    ("project.get_ontology", "v2"),
    ("project.replace_ontology", "v1"),
    ("label_rows.set_priority", "v2"),
    ("storage.cloud_sync result", "v2"),
    ("upload.signed_urls", "v1"),  # recorded as parts of flows
    ("upload.signed_urls", "v2"),
    ("upload.start", "v1"),
}

ISSUE = {
    "api_key.lookup",
    "api_key.project.create",
    "api_key.project.list",
    "api_key.dataset.create",
    "api_key.dataset.list",
    "projects.list",
    "project.get",
    "project.create",
    "project.add_datasets",
    "project.remove_datasets",
    "project.list_datasets",
    "datasets.list",
    "dataset.get",
    "dataset.create",
    "dataset.list_data_rows",
    "dataset.add_private_data result",
    "ontology.list",
    "ontology.get",
    "ontology.create",
    "label_rows.list",
    "label_rows.get",
    "label_rows.create",
    "label_rows.save",
    "user.get_bearer_token",
    "cloud_integrations.list",
}


def test_the_registry_has_every_operation_of_the_main_job():
    assert {name for name, _ in operations()} >= ISSUE


@pytest.mark.parametrize("vector", vectors(), ids=lambda one: one.name)
def test_a_vector_is_replayed_or_listed(vector):
    reasons = [
        in_scope(vector),
        is_failure(vector),
        is_form_of_2022(vector),
        vector.key in REPLACED,
        vector.operation in NOT_YET,
    ]
    assert reasons.count(True) == 1, (
        f"{vector.key} of {vector.name}: replayed, failure, old, replaced, not yet: {reasons}"
    )


def test_lists_of_exceptions_name_nothing_that_we_have():
    names = {name for name, _ in operations()}
    assert not NOT_YET & names
    assert not REPLACED & operations().keys()
    assert not FLOWS & operations().keys()


def test_lists_of_exceptions_name_only_what_is_recorded():
    recorded = {vector.operation for vector in vectors()}
    assert recorded >= NOT_YET
    assert {vector.key for vector in vectors()} >= REPLACED


def test_every_operation_has_a_reader_of_arguments():
    assert ARGUMENTS.keys() == operations().keys()


def test_recorded_operations_are_replayed_at_least_once():
    assert {key for _, key in replayed()} >= operations().keys() - NEVER_RECORDED - {("datasets.list", "v2")}


def test_name_and_shape_of_a_recorded_request_agree():
    firsts = [vector for vector in vectors() if in_scope(vector) and vector.key not in FLOWS | LOOKS_FIRST]
    assert firsts
    for vector in firsts:
        assert operation_of(vector.exchanges[0].request) == vector.key, vector.name


def test_an_answer_that_is_a_text_has_no_json_and_breaks_no_collection():
    """Fault 9.5."""
    texts = [exchange for vector in vectors() for exchange in vector.exchanges if "text" in exchange.response]
    assert texts
    assert {exchange.json for exchange in texts} == {None}
