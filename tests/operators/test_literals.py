"""Literal mistakes are found when the DAG is parsed, and templates that render to something odd are named (fault 6)."""

from __future__ import annotations

import datetime
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import jinja2.nativetypes
import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException

from airflow_provider_encord import defaults
from airflow_provider_encord.analytics.export import KINDS
from airflow_provider_encord.analytics.files import FORMATS as ANALYTICS
from airflow_provider_encord.client.api.labels import MOST_ROWS_PER_REQUEST
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.formats import FORMATS
from airflow_provider_encord.operators.analytics import EncordExportAnalyticsOperator
from airflow_provider_encord.operators.arguments import parse_list, parse_mapping, parse_seconds, parse_text, parse_url
from airflow_provider_encord.operators.base import airflow_errors
from airflow_provider_encord.operators.datasets import (
    EncordCreateDatasetOperator,
    EncordLinkItemsOperator,
    EncordRemoveDataRowsOperator,
)
from airflow_provider_encord.operators.labels import (
    EncordExportLabelsOperator,
    EncordExportLabelsPartitionOperator,
    EncordImportLabelsOperator,
    EncordPartitionLabelsOperator,
    EncordSnapshotLabelsOperator,
    EncordVerifyExportOperator,
)
from airflow_provider_encord.operators.literals import InvalidLiteralError, is_literal
from airflow_provider_encord.operators.ontologies import EncordCreateOntologyOperator
from airflow_provider_encord.operators.projects import (
    EncordCopyProjectOperator,
    EncordCreateProjectOperator,
    EncordGetProjectOperator,
    EncordListProjectsOperator,
    EncordSetProjectStatusOperator,
)
from airflow_provider_encord.operators.records import as_dictionary
from airflow_provider_encord.operators.storage import (
    EncordCreateFolderOperator,
    EncordPartitionObjectsOperator,
    EncordRegisterCloudDataOperator,
    EncordUpdateMetadataOperator,
    EncordUploadFilesOperator,
)
from airflow_provider_encord.sources.kinds import NAMES

ID = str(uuid.UUID(int=10**30))
RIGHT: dict[Any, dict[str, Any]] = {
    EncordExportLabelsOperator: {"destination": "/data/x"},
    EncordPartitionLabelsOperator: {"destination": "s3://b/x"},
    EncordVerifyExportOperator: {"manifest": "/data/x"},
    EncordPartitionObjectsOperator: {"source": "s3://b/x", "destination": "s3://c/y"},
    EncordSnapshotLabelsOperator: {"project_id": ID},
    EncordImportLabelsOperator: {"project_id": ID, "source": "/data/x"},
    EncordExportAnalyticsOperator: {"project_id": ID, "destination": "/data/x"},
    EncordCreateProjectOperator: {"title": "Street"},
    EncordCopyProjectOperator: {"project_id": ID, "title": "Street"},
    EncordSetProjectStatusOperator: {"project_id": ID, "status": "paused"},
    EncordCreateDatasetOperator: {"title": "Street"},
    EncordLinkItemsOperator: {"dataset_id": ID, "folder_id": ID},
    EncordRemoveDataRowsOperator: {"dataset_id": ID, "data_hashes": ID},
    EncordListProjectsOperator: {},
    EncordCreateOntologyOperator: {"title": "Street"},
    EncordCreateFolderOperator: {"title": "Street"},
    EncordUpdateMetadataOperator: {"folder_id": ID, "metadata": {"a.png": {"x": 1}}},
    EncordUploadFilesOperator: {"source": "/data/x"},
    EncordRegisterCloudDataOperator: {"source": "/data/x.jsonl", "integration": "GCP"},
}
EXPORTS = (EncordExportLabelsOperator, EncordPartitionLabelsOperator)
CREATIONS = (
    EncordCreateProjectOperator,
    EncordCopyProjectOperator,
    EncordCreateDatasetOperator,
    EncordCreateOntologyOperator,
    EncordCreateFolderOperator,
)
WRONG: list[tuple[Any, dict[str, Any]]] = [
    *((creation, {"if_exists": "replace"}) for creation in CREATIONS),
    (EncordCopyProjectOperator, {"copy_labels": "some"}),
    (EncordSetProjectStatusOperator, {"status": "done"}),
    (EncordCreateDatasetOperator, {"create_backing_folder": "perhaps"}),
    (EncordLinkItemsOperator, {"duplicates_behavior": "maybe"}),
    (EncordUpdateMetadataOperator, {"mode": "overwrite"}),
    (EncordUpdateMetadataOperator, {"preview": "perhaps"}),
    (EncordUploadFilesOperator, {"kind": "picture"}),
    (EncordUploadFilesOperator, {"match_by": "name"}),
    (EncordUploadFilesOperator, {"on_error": "ignore"}),
    (EncordUploadFilesOperator, {"report": "report.jsonl"}),
    (EncordUploadFilesOperator, {"files_per_job": 1001}),
    (EncordUploadFilesOperator, {"max_concurrency": 0}),
    (EncordUploadFilesOperator, {"job_timeout": "soon"}),
    (EncordRegisterCloudDataOperator, {"source": "manifest.jsonl"}),
    (EncordRegisterCloudDataOperator, {"kind": "picture"}),
    (EncordRegisterCloudDataOperator, {"on_error": "ignore"}),
    (EncordRegisterCloudDataOperator, {"report": "report.jsonl"}),
    (EncordRegisterCloudDataOperator, {"units_per_job": 0}),
    (EncordRegisterCloudDataOperator, {"units_per_job": 500_001}),
    (EncordRegisterCloudDataOperator, {"url_prefix": "None"}),
    (EncordRegisterCloudDataOperator, {"url_prefix": "bucket/x"}),
    (EncordRegisterCloudDataOperator, {"deferrable": "perhaps"}),
    (EncordRegisterCloudDataOperator, {"poll_interval": "often"}),
    (EncordRegisterCloudDataOperator, {"job_timeout": -1}),
    (EncordRemoveDataRowsOperator, {"data_hashes": ["x"]}),
    (EncordRemoveDataRowsOperator, {"preview": "perhaps"}),
    (EncordListProjectsOperator, {"created_after": "soon"}),
    (EncordListProjectsOperator, {"edited_before": "12"}),
    (EncordListProjectsOperator, {"include_organisation": "perhaps"}),
    *(
        (one, wrong)
        for one in EXPORTS
        for wrong in (
            {"destination": "labels/x"},
            {"destination": "file://labels/x"},
            {"destination": None},
            {"destination": ""},
            {"destination": Path("labels")},
            {"format": "csv"},
            {"format": "jsonl.bz2"},
            {"max_shard_bytes": 0},
            {"max_shard_bytes": "much"},
            {"incremental": "perhaps"},
            {"history_dir": "exports"},
            {"lookback_seconds": -1},
            {"overwrite": "maybe"},
            {"all_branches": "some"},
            {"edited_after": "yesterday"},
            {"edited_before": 12},
            {"label_statuses": ["QUEUED", "DONE"]},
            {"label_statuses": "queued"},
            {"data_hashes": ["x"]},
            {"label_hashes": "x"},
            {"shadow_data": "SOME"},
            {"stage": ["Review"]},
            {"stage": "None"},
            {"branch": "None"},
        )
    ),
    (EncordExportLabelsOperator, {"on_error": "ignore"}),
    (EncordExportLabelsOperator, {"max_concurrency": 11}),
    (EncordExportLabelsOperator, {"batch_size": 0}),
    (EncordPartitionLabelsOperator, {"rows_per_partition": 1.5}),
    (EncordVerifyExportOperator, {"manifest": "x"}),
    (EncordVerifyExportOperator, {"check": "everything"}),
    (EncordVerifyExportOperator, {"on_error": "skip"}),
    (EncordVerifyExportOperator, {"report": "x"}),
    (EncordSnapshotLabelsOperator, {"snapshot_branch": "None"}),
    (EncordSnapshotLabelsOperator, {"source_branch": "None"}),
    (EncordSnapshotLabelsOperator, {"if_late": "maybe"}),
    (EncordSnapshotLabelsOperator, {"max_lateness_seconds": "soon"}),
    (EncordImportLabelsOperator, {"if_exists": "maybe"}),
    (EncordImportLabelsOperator, {"on_error": "report"}),
    (EncordImportLabelsOperator, {"source": "prelabels.jsonl"}),
    (EncordPartitionObjectsOperator, {"source": "x"}),
    (EncordPartitionObjectsOperator, {"destination": None}),
    (EncordPartitionObjectsOperator, {"destination": "x"}),
    (EncordPartitionObjectsOperator, {"url_prefix": "bucket/x"}),
    (EncordPartitionObjectsOperator, {"kind": "picture"}),
    (EncordPartitionObjectsOperator, {"objects_per_manifest": 0}),
    (EncordExportAnalyticsOperator, {"destination": "x"}),
    (EncordExportAnalyticsOperator, {"format": "csv"}),
    (EncordExportAnalyticsOperator, {"record_types": "time"}),
    (EncordExportAnalyticsOperator, {"record_types": ["time_spent", "logs"]}),
    (EncordExportAnalyticsOperator, {"start": "soon"}),
    (EncordExportAnalyticsOperator, {"overwrite": "perhaps"}),
]


@pytest.mark.parametrize(("operator", "wrong"), WRONG, ids=lambda one: getattr(one, "__name__", None) or str(one))
def test_a_wrong_literal_is_named_when_the_dag_is_parsed(operator, wrong):
    """Fault 6.3."""
    (name,) = wrong
    with pytest.raises(InvalidLiteralError, match=rf"^{name}: ") as raised:
        operator(task_id="task", **{**RIGHT[operator], **wrong})
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, AirflowFailException)


@pytest.mark.parametrize("operator", RIGHT, ids=lambda one: one.__name__)
@pytest.mark.parametrize("template", ["{{ params.x }}", "{% if x %}a{% endif %}", "a {# nothing #}"])
def test_what_has_a_template_is_checked_when_the_task_runs(operator, template):
    fields = {*operator.template_fields} - {"encord_conn_id", "labels"}
    made = operator(task_id="task", **dict.fromkeys(fields, template))
    assert {getattr(made, field) for field in fields} == {template}
    with pytest.raises(AirflowFailException):
        made.execute({})


def test_what_comes_from_another_task_is_checked_when_that_has_run():
    with DAG("dag", schedule=None, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)):
        first = EncordPartitionLabelsOperator(task_id="first", destination="/data/x")
        second = EncordExportLabelsOperator(
            task_id="second",
            destination=first.output,
            format=first.output["format"],
            data_hashes=first.output["hashes"],
            label_statuses=[first.output["status"]],
        )
        third = EncordExportLabelsPartitionOperator.partial(task_id="third").expand(partition=first.output)
    assert second.upstream_task_ids == third.upstream_task_ids == {"first"}


def test_a_dag_with_a_literal_mistake_is_an_import_error_that_names_it(tmp_path):
    """Fault 6.3."""
    file = tmp_path / "dag.py"
    file.write_text(
        "from airflow.providers.common.compat.sdk import DAG\n"
        "from airflow_provider_encord.operators.labels import EncordExportLabelsOperator\n"
        "with DAG('d', schedule=None):\n"
        "    EncordExportLabelsOperator(task_id='e', destination='/x/{{ ds }}', format='csv')\n"
    )
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert "InvalidLiteralError: format: 'csv' is not one of" in done.stderr


def test_checking_literals_imports_nothing_costly(tmp_path):
    file = tmp_path / "dag.py"
    file.write_text(
        "import sys\n"
        "from airflow.providers.common.compat.sdk import DAG\n"
        "before = {*sys.modules}\n"
        "from airflow_provider_encord.operators.labels import EncordExportLabelsOperator\n"
        "with DAG('d', schedule=None):\n"
        "    EncordExportLabelsOperator(task_id='e', destination='s3://x/{{ ds }}', format='jsonl.gz',\n"
        f"        stage='Review', edited_after='2026-01-01', data_hashes=['{ID}'],\n"
        "        label_statuses='QUEUED', lookback_seconds=2)\n"
        "print(*sorted({*sys.modules} - before))\n"
    )
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=True, timeout=120)
    loaded = done.stdout.split()
    costly = ("requests", "cryptography", "msgspec", "httpx", "tenacity", "fsspec", "upath", "pyarrow")
    assert [name for name in loaded if name.startswith(costly)] == []


def test_the_words_that_are_checked_are_those_that_there_are():
    assert [*defaults.LABEL_FORMATS] == sorted(FORMATS)
    assert {*defaults.ANALYTICS_FORMATS} == {*ANALYTICS}
    assert [*defaults.ANALYTICS_KINDS] == [*KINDS]
    assert [*defaults.UPLOAD_KINDS] == [*NAMES]
    assert defaults.MOST_ROWS_PER_REQUEST == MOST_ROWS_PER_REQUEST


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        ("x", True),
        ("{{ x }}", False),
        (["x", "{{ x }}"], False),
        (Path("/x"), True),
        (datetime.datetime(2026, 1, 1), True),  # noqa: DTZ001 - as users write it
        (None, True),
        (lambda: 1, False),
        ({"a": "b", "c": [1, None]}, True),
        ({"a": ["{{ x }}"]}, False),
        ({"{{ x }}": 1}, False),
    ],
)
def test_literals_differ_from_what_is_rendered(value, literal):
    assert is_literal(value) is literal


@pytest.mark.parametrize(
    ("rendered", "text"), [(2026, "2026"), ("2026", "2026"), (True, "True"), (1.5, "1.5"), (" ", None), (None, None)]
)
def test_native_rendering_of_a_title_gives_its_text(rendered, text):
    """Fault 6.1."""
    assert parse_text(rendered, "stage") == text


@pytest.mark.parametrize("rendered", ["None", ["x"], {"x": 1}])
def test_a_title_that_is_none_or_no_text_is_refused(rendered):
    """Fault 6.2."""
    with pytest.raises(Exception, match=r"^stage: it "):
        parse_text(rendered, "stage")
    assert parse_list("None", "x") == ["None"]


@pytest.mark.parametrize("value", ["[", "[1", "[]", [], [1], "http://[::1", "/data/\x00", "/data/\ud83d", {}, 7])
def test_what_is_no_path_is_refused_by_name(value: Any) -> None:
    """Fault 4.4: the parser of URLs raises errors of its own for brackets."""
    with pytest.raises(InvalidArgumentError, match=r"^destination: "):
        parse_url(value, "destination")


@pytest.mark.parametrize("name", ["", "nobody_made_it", 7, None])
def test_a_connection_that_does_not_exist_is_no_reason_to_retry(name: Any) -> None:
    with pytest.raises(AirflowFailException, match=r"^encord_conn_id: .*Create the connection"):
        EncordGetProjectOperator(task_id="read", project_id=ID, encord_conn_id=name).execute({})


@pytest.mark.parametrize("value", ["[" * 6000, '{"a":' * 6000, "{", "{'a': 1}"])
def test_what_is_no_json_is_refused_by_name(value: str) -> None:
    """Fault 4.4: thousands of levels raise `RecursionError`."""
    with pytest.raises(InvalidArgumentError, match=r"^metadata: it is not JSON"):
        parse_mapping(value, "metadata")


@pytest.mark.parametrize("value", ["99999999999999999999", 1e300, 10 * 366 * 86400])
def test_a_time_span_of_many_years_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^job_timeout: .* more than ten years"):
        parse_seconds(value, "job_timeout")


def test_a_defect_of_ours_is_not_retried_and_says_what_it_is() -> None:
    message = r"^Unexpected AttributeError: .* This is a bug"
    with pytest.raises(AirflowFailException, match=message), airflow_errors():
        as_dictionary(3)


@pytest.mark.parametrize("error", [KeyError("x"), ValueError("no"), AttributeError("y")])
def test_an_error_in_the_function_of_a_user_is_left_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, airflow_errors():
        raise error
    assert raised.value is error


def test_a_report_of_a_verification_that_cannot_be_written_is_named_before_anything_is_read(tmp_path: Path) -> None:
    """Review of 0.1, ingest 14."""
    (tmp_path / "file").touch()
    operator = EncordVerifyExportOperator(
        task_id="verify", manifest=str(tmp_path / "nothing"), report=str(tmp_path / "file" / "report.jsonl")
    )
    with pytest.raises(AirflowFailException, match=r"report: .* cannot be used"):
        operator.execute({})


@pytest.mark.parametrize("written", [["/data/😀.png"], ["a", "é 👩‍👩‍👧"], ["<&'\">"], []])
@pytest.mark.parametrize("render", ["{{ value | tojson }}", "{{ value }}"])
def test_a_list_that_a_template_rendered_is_the_list(written: list[str], render: str) -> None:
    assert (
        parse_list(jinja2.Environment(autoescape=False).from_string(render).render(value=written), "source") == written
    )


def test_what_native_rendering_makes_of_tojson_is_what_was_written() -> None:
    """It reads the JSON as Python, which keeps the halves of an emoji apart."""
    native = jinja2.nativetypes.NativeEnvironment()

    def render(value: Any) -> Any:
        return native.from_string("{{ value | tojson }}").render(value=value)

    assert render(["😀"]) != ["😀"]
    assert parse_list(render(["/data/😀.png", "a"]), "source") == ["/data/😀.png", "a"]
    assert parse_mapping(render({"😀": [{"b": "👩‍👩‍👧"}]}), "metadata") == {"😀": [{"b": "👩‍👩‍👧"}]}
    assert parse_text(render("a😀"), "title") == "a😀"


@pytest.mark.parametrize("rendered", ["[null]", "[None]", '["a", true]', "[True]"])
def test_a_list_with_a_value_that_is_not_there_is_refused(rendered: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^tags: .*holds a value that is not text"):
        parse_list(rendered, "tags")


@pytest.mark.parametrize("written", ['{"a": NaN}', '{"a": 1, "a": 2}', '{"a": "\\ud83d"}', "[" * 5000])
def test_a_dictionary_that_is_no_json_is_refused(written: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^structure: it is not JSON"):
        parse_mapping(written, "structure")
