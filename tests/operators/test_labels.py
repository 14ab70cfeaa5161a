"""The export operator as Airflow runs it: connections, templates, destinations, what goes to XCom, and its errors."""

from __future__ import annotations

import ast
import datetime
import inspect
import json
import logging
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, ObjectStoragePath

from airflow_provider_encord import exports
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.exports.manifest import read_manifest
from airflow_provider_encord.hooks.encord import EncordHook
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator
from encord_emulator.process import Emulator
from tests.airflow_layer.lines import dag_files_import
from tests.client import keys
from tests.client.network import plain_network
from tests.exports.bench import lines
from tests.object_stores import attach_memory

__all__ = ["plain_network"]
OWNER = "owner@example.com"
KEY = keys.new_key()
KEY_TEXT = keys.openssh(KEY)  # one for all: with every secret it learns, Airflow's masker compiles all secrets again


@pytest.fixture(scope="module")
def _emulator() -> Iterator[Emulator]:
    with Emulator.start() as emulator:
        emulator.authorize(keys.public_line(KEY), email=OWNER)
        yield emulator


@pytest.fixture
def emulator(_emulator: Emulator, plain_network: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """An emulator to which the connection ``encord_default`` leads, with an SSH key; its journal is empty."""
    monkeypatch.setenv("AIRFLOW_CONN_ENCORD_DEFAULT", _connection(_emulator, private_key=KEY_TEXT))
    _emulator.clear_journal()
    yield _emulator
    _emulator.clear_faults()


@pytest.fixture
def client(emulator: Emulator) -> Iterator[EncordClient]:
    """The client of that key."""
    with EncordClient(SshKey.parse(KEY_TEXT), Settings(base_url=emulator.url)) as client:
        yield client


def _connection(emulator: Emulator, **extra: str) -> str:
    return json.dumps({"conn_type": "encord", "host": emulator.url, "extra": extra})


def _project(emulator: Emulator, **options: Any) -> str:
    wanted = {"rows": 10, "created": 0.5, **options}
    return emulator.project(owner=OWNER, title="Cats", **wanted)["project_id"]


def _export(**arguments: Any) -> dict[str, Any]:
    return EncordExportLabelsOperator(task_id="export", **arguments).execute({})


def test_xcom_gets_counts_and_the_manifest_and_no_labels(emulator, tmp_path):
    project = _project(emulator)
    returned = _export(project_id=project, destination=str(tmp_path / "export"))
    manifest = read_manifest(ObjectStoragePath(returned["manifest"]).parent)
    assert returned == {
        "project_id": project,
        "manifest": f"file://{tmp_path}/export/manifest.json",
        "rows": 5,
        "without_labels": 5,
        "shards": 1,
        "bytes": manifest.bytes,
        "unchanged": 0,
        "removed": 0,
        "not_found": 0,
        "failed": 0,
    }
    assert [json.loads(line) for line in lines(tmp_path / "export", manifest)] == emulator.labels(project)
    assert json.loads(json.dumps(returned)) == returned


def test_nothing_changes_at_encord(emulator, tmp_path):
    project = _project(emulator)
    emulator.clear_journal()
    _export(project_id=project, destination=str(tmp_path))
    assert [entry for entry in emulator.journal() if entry["changes"]] == []


def test_an_api_key_exports_its_own_project_without_naming_it(emulator, client, tmp_path, monkeypatch):
    project = _project(emulator)
    api_key = client.project(project).create_api_key("export", ["label.read"])
    monkeypatch.setenv("AIRFLOW_CONN_ENCORD_API_KEY", _connection(emulator, api_key=api_key, resource_id=project))
    returned = _export(destination=str(tmp_path), encord_conn_id="encord_api_key")
    assert (returned["project_id"], returned["rows"]) == (project, 5)
    assert {entry["credential"].partition(":")[0] for entry in emulator.journal()[-3:]} == {"api_key"}


def test_an_ssh_key_without_a_project_is_an_error_that_names_the_argument(emulator, tmp_path):
    with pytest.raises(AirflowFailException, match="project_id: it is missing"):
        _export(destination=str(tmp_path))


def _shards(directory):
    return [(directory / shard.name).read_bytes() for shard in read_manifest(directory).shards]


def test_running_twice_gives_the_same_files(emulator, tmp_path):
    project = _project(emulator)
    first = _export(project_id=project, destination=str(tmp_path), max_shard_bytes=3000)
    before = _shards(tmp_path)
    assert _export(project_id=project, destination=str(tmp_path), max_shard_bytes=3000) == first
    assert _shards(tmp_path) == before
    assert len(before) == first["shards"] > 1


@pytest.mark.parametrize(
    "destination",
    [
        lambda path: str(path),
        lambda path: f"{path}/",
        lambda path: f"file://{path}",
        lambda path: path,
        lambda path: ObjectStoragePath(f"file://{path}"),
    ],
    ids=["path", "slash", "URL", "pathlib", "ObjectStoragePath"],
)
def test_a_local_destination_may_be_written_in_several_ways(emulator, tmp_path, destination):
    directory = tmp_path / "with blank #1?"
    returned = _export(project_id=_project(emulator), destination=destination(directory))
    assert returned["manifest"] == f"file://{directory}/manifest.json"
    assert (directory / "manifest.json").exists()


@pytest.mark.parametrize(
    "destination", ["exports", "./exports", "../exports", "~/exports", "file://exports/x", "", " "]
)
def test_relative_destinations_are_refused_before_anything_is_sent(emulator, destination):
    with pytest.raises(AirflowFailException, match=r"destination: .* is not an absolute path"):
        _export(project_id=str(uuid.uuid4()), destination=destination)
    assert emulator.journal() == []


def test_a_scheme_without_a_file_system_is_refused_before_anything_is_sent(emulator):
    with pytest.raises(AirflowFailException, match=r"destination: nowhere:// paths cannot be used here"):
        _export(project_id=str(uuid.uuid4()), destination="nowhere://bucket/path")
    assert emulator.journal() == []


def test_any_file_system_of_airflow_s_will_do(emulator):
    attach_memory()
    directory = ObjectStoragePath(f"memory://bucket/{uuid.uuid4()}")
    project = _project(emulator)
    for _ in range(2):
        returned = _export(project_id=project, destination=str(directory))
    assert ObjectStoragePath(returned["manifest"]).exists()
    manifest = read_manifest(directory)
    assert {path.name for path in directory.iterdir()} == {*manifest.file_names, "manifest.json"}
    assert (len(manifest.shards), manifest.counts.exported) == (1, 5)
    for named in (returned["manifest"], directory, str(directory)):
        assert len({row["label_hash"] for row in exports.read(named)}) == 5


def test_a_destination_that_holds_something_else_fails_permanently(emulator, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(AirflowFailException, match=r"destination: .*thesis\.tex"):
        _export(project_id=_project(emulator), destination=str(tmp_path))


def test_what_may_pass_can_be_retried(emulator, tmp_path):
    project = _project(emulator)
    emulator.faults([{"match": {"query_type": "labelrow"}, "do": {"status": 503, "headers": {"Retry-After": "3600"}}}])
    with pytest.raises(AirflowException) as caught:
        _export(project_id=project, destination=str(tmp_path))
    assert not isinstance(caught.value, AirflowFailException)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size: '0' is not a whole number from 1 to 1000"),
        ({"batch_size": "1001"}, "batch_size: '1001'"),
        ({"max_shard_bytes": "64 MB"}, "max_shard_bytes: '64 MB' is not a whole number of at least 1"),
        ({"edited_after": "None"}, "edited_after: 'None' is not a time"),
        ({"edited_before": "soon"}, "edited_before: 'soon' is not a time"),
        ({"batch_size": 2.7}, "batch_size: '2.7' is not a whole number"),
        ({"max_shard_bytes": "inf"}, "max_shard_bytes: 'inf' is not a whole number"),
        ({"data_hashes": "[cat.png"}, r"data_hashes: '\[cat.png' is not a list"),
        ({"data_hashes": ["cat.png"]}, "data_hashes: 'cat.png' is not an id"),
        ({"project_id": "Cats"}, "project_id: 'Cats' is not an id"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_sent(emulator, tmp_path, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        _export(**{"project_id": str(uuid.uuid4()), "destination": str(tmp_path), **arguments})
    assert emulator.journal() == []


NOON = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
UUID = "00000000-0000-4000-8000-00000000000a"


@pytest.mark.parametrize(
    ("arguments", "filters"),
    [
        ({}, {}),
        (dict.fromkeys(["edited_after", "edited_before", "stage", "label_statuses", "data_hashes"], ""), {}),
        ({"edited_after": NOON}, {"edited_after": "2026-01-02T12:00:00+00:00"}),
        ({"edited_before": "2026-01-02 12:00"}, {"edited_before": "2026-01-02T12:00:00+00:00"}),
        ({"stage": "Review", "data_title_like": "%.png"}, {"stage": "Review", "data_title_like": "%.png"}),
        ({"label_statuses": "QUEUED"}, {"label_statuses": ["QUEUED"]}),
        ({"data_hashes": UUID.upper()}, {"data_hashes": [UUID]}),
        ({"data_hashes": (UUID, UUID)}, {"data_hashes": [UUID]}),
        ({"data_hashes": []}, {"data_hashes": []}),
        ({"data_hashes": f"['{UUID}', '{UUID}']"}, {"data_hashes": [UUID]}),
        ({"data_hashes": "[]"}, {"data_hashes": []}),
        ({"label_statuses": "['QUEUED', 'IN_REVIEW']"}, {"label_statuses": ["QUEUED", "IN_REVIEW"]}),
    ],
)
def test_the_manifest_shows_the_filters(emulator, tmp_path, arguments, filters):
    project = _project(emulator)
    there = emulator.labels(project)[0]["data_hash"]
    arguments, filters = (
        ast.literal_eval(repr(one).replace(UUID, there).replace(UUID.upper(), there.upper()))
        if "data_hashes" in one
        else one
        for one in (arguments, filters)
    )
    _export(project_id=project, destination=str(tmp_path), **arguments)
    result = json.loads((tmp_path / "manifest.json").read_bytes())["filters"]
    assert {name: value for name, value in result.items() if value is not None} == filters


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stage": "Reviews"}, r"stage: 'Reviews' is neither id nor title of a stage\. The workflow has: .*'Review' "),
        ({"stage": "None"}, r"stage: it is the string 'None'"),
        ({"stage": str(uuid.UUID(int=5))}, r"stage: .* is neither id nor title of a stage"),
        ({"branch": "modle"}, r"branch: project .* has no labels on the branch 'modle'\. Branches with labels: 'main'"),
        (
            {"data_hashes": [str(uuid.UUID(int=5))]},
            r"data_hashes: project .* does not have 0{8}-.* \(1 of 1 are unknown\)",
        ),
        (
            {"label_hashes": str(uuid.UUID(int=5))},
            r"label_hashes: project .* does not have 0{8}-.* \(1 of 1 are unknown\)",
        ),
        (
            {"edited_after": "2026-01-02", "edited_before": "2026-01-01T23:00:00+00:00"},
            r"edited_after, edited_before: 2026-01-02.* is not before 2026-01-01T23",
        ),
        (
            {"stage_title_like": "Revue%"},
            r"stage_title_like: 'Revue%' matches no stage title\. The workflow has: .*'Review'",
        ),
        ({"label_statuses": ["DONE"]}, r"label_statuses: 'DONE' is not one of QUEUED, ASSIGNED"),
        ({"data_title": "None"}, r"data_title: it is the string 'None'"),
        ({"branch": "None"}, r"branch: it is the string 'None'"),
        ({"branch": " main"}, "branch: ' main' begins or ends with white space"),
    ],
)
def test_a_filter_that_names_nothing_fails_and_lists_the_valid_values(emulator, tmp_path, arguments, message):
    """Fault 6.2: 0 rows, and green."""
    templates = {name: f"{{{{ {name} }}}}" for name in arguments}
    operator = EncordExportLabelsOperator(
        task_id="export", project_id=_project(emulator), destination=str(tmp_path), **templates
    )
    operator.render_template_fields(arguments)
    with pytest.raises(AirflowFailException, match=message):
        operator.execute({})
    assert not (tmp_path / "manifest.json").exists()


@pytest.mark.parametrize("name", ["data_hashes", "label_hashes"])
def test_ids_of_which_some_are_unknown_are_refused_and_those_are_named(emulator, tmp_path, name):
    project = _project(emulator)
    known = [row[name.removesuffix("es")] for row in emulator.labels(project)]
    unknown = [str(uuid.UUID(int=number)) for number in range(1, 6)]
    named = (
        rf"{name}: project {project} does not have {', '.join(unknown[:3])} and 2 more .*\(5 of {len(known) + 5} are"
    )
    with pytest.raises(AirflowFailException, match=named):
        _export(project_id=project, destination=str(tmp_path / "some"), **{name: [*known, *unknown]})
    assert not (tmp_path / "some").exists()
    result = _export(
        project_id=project, destination=str(tmp_path / "other"), edited_after="2100-01-01", **{name: known}
    )
    assert result["rows"] == 0  # all are known; another filter leaves them out


def test_label_rows_of_another_branch_are_unknown(emulator, tmp_path):
    """0 rows, and green: the branch is there, and so are the rows, but not on it."""
    project = _project(emulator)
    on_main = emulator.labels(project)[0]["label_hash"]
    with EncordHook().get_conn() as client:
        client.project(project).rows.copy_to_branch([on_main], target="model", source="main")
    with pytest.raises(AirflowFailException, match=rf"label_hashes: .* {on_main} on the branch 'model'"):
        _export(project_id=project, destination=str(tmp_path / "one"), branch="model", label_hashes=[on_main])
    assert _export(project_id=project, destination=str(tmp_path / "two"), all_branches=True, label_hashes=on_main)[
        "rows"
    ]


def test_a_stage_may_be_given_by_its_id(emulator, tmp_path):  # fault 6.2
    project = _project(emulator)
    by_title = _export(project_id=project, destination=str(tmp_path / "title"), stage="Review")
    result = json.loads((tmp_path / "title" / "manifest.json").read_bytes())["filters"]
    with EncordHook().get_conn() as client:
        (stage,) = (one for one in client.project(project).stages() if one.title == "Review")
    by_id = _export(project_id=project, destination=str(tmp_path / "id"), stage=stage.uuid.upper())
    assert json.loads((tmp_path / "id" / "manifest.json").read_bytes())["filters"] == result
    assert by_id["rows"] == by_title["rows"]


@pytest.mark.parametrize("field", ["stage", "stage_title_like", "data_title", "data_title_like"])
def test_a_title_of_digits_may_be_rendered_natively(emulator, tmp_path, field):
    """Fault 6.1: it was sent as a number, and refused."""
    operator = EncordExportLabelsOperator(
        task_id="export", project_id=_project(emulator), destination=str(tmp_path), **{field: "{{ value }}"}
    )
    setattr(operator, field, 2026)  # what native rendering makes of "2026"
    if field.startswith("stage"):
        with pytest.raises(AirflowFailException, match=f"{field}: '2026'"):
            operator.execute({})
        return
    assert operator.execute({})["rows"] == 0
    assert json.loads((tmp_path / "manifest.json").read_bytes())["filters"][field] == "2026"


def test_in_a_project_without_labels_a_branch_has_no_rows(emulator, tmp_path):
    returned = _export(project_id=_project(emulator, created=0), destination=str(tmp_path), branch="test")
    assert (returned["rows"], returned["without_labels"]) == (0, 10)


def test_everything_a_user_passes_is_templated():
    ours = [one for one in EncordExportLabelsOperator.__mro__ if one.__module__.startswith("airflow_provider_encord.")]
    assert EncordBaseOperator in ours
    own = {name for one in ours for name in inspect.signature(one.__init__).parameters} - {"self", "kwargs"}
    assert own == {*EncordExportLabelsOperator.template_fields}


def test_templates_are_rendered_before_anything_is_checked(emulator, tmp_path):
    project = _project(emulator)
    operator = EncordExportLabelsOperator(
        task_id="export",
        project_id="{{ project }}",
        destination="{{ directory }}/{{ day }}",
        edited_before="{{ none_yet or '' }}",
        data_hashes=["{{ data }}"],
        batch_size="{{ 2 + 1 }}",
    )
    data = emulator.labels(project)[0]["data_hash"]
    context: Any = {"project": project, "directory": tmp_path, "day": "2026-01-02", "data": data, "none_yet": None}
    operator.render_template_fields(context)
    assert operator.execute(context)["rows"] == 1
    assert (tmp_path / "2026-01-02" / "manifest.json").exists()


def test_the_log_says_how_many_rows_are_exported_and_how_it_ended(emulator, tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="airflow_provider_encord.exports"):
        _export(project_id=_project(emulator), destination=str(tmp_path))
    texts = [
        record.getMessage() for record in caplog.records if record.name.startswith("airflow_provider_encord.exports")
    ]
    assert len(texts) == 2
    assert texts[0].startswith("Exporting 5 label rows of project ")
    assert texts[0].endswith("skipping 5 listed rows without labels.")
    assert texts[1].startswith("Exported 5 label rows, ")


def test_importing_the_operator_imports_nothing_that_it_needs_only_to_run():
    script = (
        f"import {dag_files_import()}, sys; before = {{*sys.modules}}; import airflow_provider_encord.operators.labels;"
        "print(*sorted({*sys.modules} - before))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    loaded = done.stdout.splitlines()[-1].split()
    heavy = ("requests", "cryptography", "msgspec", "httpx", "tenacity", "airflow_provider_encord.client.c", "fsspec")
    assert [name for name in loaded if name.startswith((*heavy, "airflow_provider_encord.exports"))] == []
