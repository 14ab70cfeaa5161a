"""The button "Open in Encord" of tasks that ran: Airflow shows it, and it leads to what the task read or made."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.links import EncordLink
from encord_emulator.process import Emulator
from tests.airflow_layer import encords_hosts
from tests.airflow_layer.bench import API_KEY_CONNECTION, SSH_CONNECTION, Account, connection
from tests.airflow_layer.dags import links_in_a_dag, operators_in_a_dag
from tests.airflow_layer.lines import running_line
from tests.airflow_layer.links.buttons import Looked, as_the_web_server_has_it, look_at
from tests.airflow_layer.links.test_link_addresses import AMERICA, EUROPE, NAME
from tests.client.emulated_workflow import STAGES
from tests.sdk import media

SECONDS = 120


class TestSerialisation:
    def test_the_button_survives_the_way_to_the_web_server_mapped_or_not(self) -> None:
        for dag in (operators_in_a_dag.dag, links_in_a_dag.dag):
            shown = as_the_web_server_has_it(dag)
            with_button = {task.task_id for task in shown.tasks if NAME in task.extra_links}

            assert with_button == {task.task_id for task in dag.tasks} - {"titles"}

    def test_a_task_of_something_else_has_no_button(self) -> None:
        shown = as_the_web_server_has_it(operators_in_a_dag.dag)

        assert shown.get_task("titles").extra_links == []


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__ENCORD__HISTORY", str(tmp_path / "history"))


def _assert_each_leads_to_its_page(looked: Looked, project: str) -> None:
    """Every task whose button leads to a project in Encord leads to its page in Airflow, too."""
    names = [] if running_line() == "2.11" else looked.links
    names = [name for name in names if "[" not in name]  # mapped tasks have it if the DAG was parsed with a history
    expected = dict.fromkeys(names, f"/encord-projects/projects/{project}")
    assert looked.pages == expected


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("links") / "hosts.pem"


@pytest.fixture(scope="session")
def way(_emulator: Any, certificate: Path) -> Iterator[str]:
    """URL of the proxy behind which the emulator answers as Encord."""
    with encords_hosts.proxy(_emulator, certificate) as url:
        yield url


@pytest.fixture
def at(account: Account, way: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Moves the connection ``encord_default`` to a host."""
    monkeypatch.setenv("HTTPS_PROXY", way)

    def move(host: str) -> None:
        moved = connection(host, private_key=account.private_key, ca_bundle=str(certificate))
        monkeypatch.setenv(SSH_CONNECTION, moved)

    return move


def _parts(account: Account, tmp_path: Path, created: float = 0.0) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two seeded projects, and the params that bring them into the DAGs.

    :param created: Share of the rows of the first one that have labels.
    """
    (tmp_path / "a.png").write_bytes(media.png(3, 2))
    seeded, other = account.project(title="Street", created=created), account.project()
    return seeded, {
        "source": str(tmp_path / "a.png"),
        "destination": str(tmp_path / "labels"),
        "dataset": seeded["dataset_id"],
        "other_dataset": other["dataset_id"],
        "row": other["data_hashes"][0],
        "project": seeded["project_id"],
        "title": "Street",
    }


def _watch(dag: Any, task_id: str, emulator: Emulator, seen: list[str]) -> None:
    """Look at the button of a task until it leads somewhere, then let the emulator finish its jobs."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    task = as_the_web_server_has_it(dag).get_task(task_id)
    instances = select(TaskInstance).where(TaskInstance.dag_id == dag.dag_id, TaskInstance.task_id == task_id)
    until = time.monotonic() + SECONDS
    try:
        while not seen and time.monotonic() < until:
            time.sleep(0.05)
            with create_session() as session:
                # Under dag.test(), Airflow 2.11 calls no task "running"; earlier runs have ended.
                here = [one for one in session.scalars(instances) if one.state not in ("success", "failed")]
                seen += filter(None, (task.get_extra_links(one, NAME) for one in here))
    finally:
        emulator.jobs(hold=False)


@pytest.mark.airflow
@pytest.mark.usefixtures("airflow_database")
class TestInRuns:
    def test_created_read_attached_found_and_mapped_things_are_linked(
        self, account: Account, at: Callable[[str], None]
    ) -> None:
        at(EUROPE)
        looked = look_at(operators_in_a_dag.dag, prefix="Lane")
        done = looked.results
        project = f"https://app.encord.com/projects/view/{done['create_project']}/summary"
        ontology = f"https://app.encord.com/ontologies/view/{done['create_ontology']}/structure"
        datasets = [f"https://app.encord.com/datasets/view/{done[f'create_datasets[{n}]']}" for n in range(3)]

        assert set(looked.states.values()) == {"success"}, looked.states
        assert looked.links == {
            **{f"create_datasets[{n}]": datasets[n] for n in range(3)},
            **{f"get_datasets[{n}]": datasets[n] for n in range(3)},
            **{f"attach_each[{n}]": project for n in range(3)},
            **dict.fromkeys(["create_project", "get_project", "attach", "detach", "list_projects"], project),
            **dict.fromkeys(["create_ontology", "get_ontology"], ontology),
            "list_datasets": datasets[1],
        }

    def test_uploads_exports_and_what_is_found_again_are_linked_in_the_other_region(
        self, account: Account, at: Callable[[str], None], tmp_path: Path
    ) -> None:
        seeded, params = _parts(account, tmp_path)
        at(AMERICA)
        looked = look_at(links_in_a_dag.dag, **params)
        project = f"https://app.us.encord.com/projects/view/{seeded['project_id']}/summary"

        assert set(looked.states.values()) == {"success"}, looked.states
        assert looked.links == {
            "upload[0]": f"https://app.us.encord.com/datasets/view/{params['dataset']}",
            "upload[1]": f"https://app.us.encord.com/datasets/view/{params['other_dataset']}",
            "export": project,
            "create_again": project,
        }

    def test_what_brings_data_in_and_the_daily_chores_are_linked(
        self, account: Account, at: Callable[[str], None], tmp_path: Path
    ) -> None:
        _, params = _parts(account, tmp_path)
        url = f"s3://links-{account.email.partition('@')[0]}"
        integration = account.emulator.bucket(integration=url, url=url, directory=str(tmp_path))
        (tmp_path / "manifest.jsonl").write_text(f'{{"url": "{url}/a.png"}}\n')
        with account.client() as client:
            synced = client.create_folder("Synced", integration=integration, remote_url=f"{url}/").id
        more = {"synced": synced, "manifest": str(tmp_path / "manifest.jsonl"), "integration": url}
        at(EUROPE)
        looked = look_at(links_in_a_dag.dag_of_chores, **params, **more, user=Account(account.emulator).email)
        done = looked.results
        folder = f"https://app.encord.com/data/files/{done['folder']}"
        dataset = "https://app.encord.com/datasets/view/"
        project = "https://app.encord.com/projects/view/"

        assert set(looked.states.values()) == {"success"}, looked.states
        assert looked.links == {
            **dict.fromkeys(["folder", "register", "metadata"], folder),
            "sync": f"https://app.encord.com/data/files/{synced}",
            **dict.fromkeys(["link", "dataset_users"], dataset + params["dataset"]),
            "remove": dataset + params["other_dataset"],
            **dict.fromkeys(["project_users", "status"], f"{project}{params['project']}/summary"),
            "copy": f"{project}{done['copy']}/summary",
        }

    def test_labels_out_and_in_are_linked_with_their_project(
        self, account: Account, at: Callable[[str], None], tmp_path: Path, history: None
    ) -> None:
        _, params = _parts(account, tmp_path, created=1.0)
        with account.client() as client:
            row = client.project(params["project"]).label_rows()[0]
        (tmp_path / "prelabels.jsonl").write_text(json.dumps({"data_hash": row.data_hash, "objects": []}))
        at(EUROPE)
        looked = look_at(links_in_a_dag.dag_of_labels, **params, prelabels=str(tmp_path / "prelabels.jsonl"))

        assert set(looked.states.values()) == {"success"}, looked.states
        assert set(looked.links.values()) == {f"https://app.encord.com/projects/view/{params['project']}/summary"}
        _assert_each_leads_to_its_page(looked, params["project"])

    def test_what_changes_tasks_leads_to_their_project(
        self, account: Account, at: Callable[[str], None], tmp_path: Path, history: None
    ) -> None:
        template = account.emulator.template("every type", STAGES)["uuid"]
        project = account.project(rows=2, created=1.0, template=template)["project_id"]
        at(EUROPE)
        params = {"project": project, "destination": str(tmp_path), "user": account.email}
        looked = look_at(links_in_a_dag.dag_of_tasks, **params)

        assert set(looked.states.values()) == {"success"}, looked.states
        assert len(looked.links) == 13
        assert set(looked.links.values()) == {f"https://app.encord.com/projects/view/{project}/queue"}
        _assert_each_leads_to_its_page(looked, project)
        lines = [json.loads(line) for line in (tmp_path / "move.jsonl").read_text().splitlines()]
        assert [line["url"] for line in lines] == [
            f"https://app.encord.com/label_editor/{project}/{line['data_hash']}/0?selectedStageUuid={line['new_stage_id']}"
            for line in lines
        ]

    def test_a_runner_of_encord_agents_leads_to_its_project(
        self, account: Account, at: Callable[[str], None], certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("encord_agents")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))  # Encord's SDK has no setting for it
        template = account.emulator.template("every type", STAGES)["uuid"]
        project = account.project(rows=2, created=1.0, template=template)["project_id"]
        at(EUROPE)
        looked = look_at(links_in_a_dag.dag_of_runners, project=project)
        assert looked.states == {"runner": "success"}
        assert looked.links == {"runner": f"https://app.encord.com/projects/view/{project}/queue"}

    def test_every_sensor_leads_to_the_project_that_it_looks_at(
        self, account: Account, at: Callable[[str], None], history: None
    ) -> None:
        project = account.project(rows=2, created=1.0)["project_id"]
        at(EUROPE)
        looked = look_at(links_in_a_dag.dag_of_sensors, project=project)

        assert set(looked.states.values()) == {"success"}, looked.states
        view = f"https://app.encord.com/projects/view/{project}"
        summaries = dict.fromkeys(["progress", "status", "labels"], f"{view}/summary")
        assert looked.links == {**summaries, "tasks": f"{view}/queue"}
        _assert_each_leads_to_its_page(looked, project)

    def test_a_task_that_failed_after_it_knew_its_resource_is_linked(
        self, account: Account, at: Callable[[str], None], tmp_path: Path
    ) -> None:
        seeded, params = _parts(account, tmp_path)
        at(EUROPE)
        looked = look_at(links_in_a_dag.dag_that_fails, **params)

        assert set(looked.states.values()) == {"failed"}, looked.states
        assert looked.links == {
            "not_there": "https://app.encord.com/projects/view/00000000-0000-4000-8000-00000000abcd/summary",
            "no_files": f"https://app.encord.com/datasets/view/{seeded['dataset_id']}",
            "no_room": f"https://app.encord.com/projects/view/{seeded['project_id']}/summary",
            "no_id": "",
        }

    def test_under_an_api_key_its_own_resource_is_linked(
        self, account: Account, at: Callable[[str], None], certificate: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seeded = account.project()
        for variable, kind in ((API_KEY_CONNECTION, "project"), ("AIRFLOW_CONN_ENCORD_DATASET_KEY", "dataset")):
            own = seeded[f"{kind}_id"]
            key = account.api_key(own, kind)
            monkeypatch.setenv(variable, connection(EUROPE, api_key=key, resource_id=own, ca_bundle=str(certificate)))
        looked = look_at(links_in_a_dag.dag_under_api_keys)

        assert looked.links == {
            "get_project": f"https://app.encord.com/projects/view/{seeded['project_id']}/summary",
            "get_dataset": f"https://app.encord.com/datasets/view/{seeded['dataset_id']}",
        }

    @pytest.mark.parametrize("host", ["the emulator", "https://encord.example.com"])
    def test_an_unknown_host_has_no_links_and_the_tasks_are_none_the_worse(
        self, account: Account, at: Callable[[str], None], host: str, tmp_path: Path
    ) -> None:
        _, params = _parts(account, tmp_path)
        at(account.emulator.url if host == "the emulator" else host)
        looked = look_at(links_in_a_dag.dag, **params)

        assert set(looked.states.values()) == {"success"}, looked.states
        assert looked.links == dict.fromkeys(["upload[0]", "upload[1]", "export", "create_again"], "")

    def test_a_check_of_files_leads_to_the_web_app_that_the_connection_names(
        self, account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, params = _parts(account, tmp_path, created=1.0)
        url, key = account.emulator.url, account.private_key
        monkeypatch.setenv(SSH_CONNECTION, connection(url, private_key=key, web_app_url="https://labels.example.com"))
        (tmp_path / "prelabels.jsonl").write_text("")
        looked = look_at(links_in_a_dag.dag_of_labels, **params, prelabels=str(tmp_path / "prelabels.jsonl"))

        summary = f"https://labels.example.com/projects/view/{params['project']}/summary"
        assert (looked.links["verify_files"], looked.links["partition"]) == (summary, summary)

    def test_the_link_is_there_while_the_task_still_runs(
        self, account: Account, at: Callable[[str], None], tmp_path: Path
    ) -> None:
        """Uploads run for hours; Airflow 3 stores links at the end of a task only, unless the task does it."""
        _, params = _parts(account, tmp_path)
        at(EUROPE)
        account.emulator.jobs(hold=True)  # the upload cannot end before it has been looked at
        seen: list[str] = []
        watcher = threading.Thread(target=_watch, args=(links_in_a_dag.dag, "upload", account.emulator, seen))
        watcher.start()
        try:
            looked = look_at(links_in_a_dag.dag, **params)
        finally:
            account.emulator.jobs(hold=False)
            watcher.join()

        # The one that runs first is looked at: not every line of Airflow begins with the first.
        datasets = (params["dataset"], params["other_dataset"])
        assert seen in [[f"https://app.encord.com/datasets/view/{dataset}"] for dataset in datasets]
        assert looked.states["upload[0]"] == "success"

    def test_a_list_of_several_or_none_leads_nowhere(self, account: Account, at: Callable[[str], None]) -> None:
        for _ in range(2):
            account.project()
        at(EUROPE)
        looked = look_at(links_in_a_dag.dag_of_lists)

        assert len(looked.results["several"]) == 2
        assert looked.links == {"several": "", "none": ""}


class _Broken:
    """A task instance whose XComs cannot be written."""

    def xcom_push(self, key: str, value: str) -> None:
        raise ConnectionError(f"no database for {key}={value}")


class TestXComBackends:
    """Airflow chooses its XCom backend once in a process."""

    PROGRAM = (
        "from airflow_provider_encord.links import EncordLink, link_key\n"
        "print('key:', link_key(), EncordLink().xcom_key)"
    )
    BACKEND = "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend"

    @pytest.mark.parametrize("backend", [None, BACKEND])
    def test_what_a_backend_keeps_elsewhere_is_not_what_airflow_shows(
        self, backend: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        if backend:
            monkeypatch.setenv("AIRFLOW__CORE__XCOM_BACKEND", backend)
        done = subprocess.run([sys.executable, "-c", self.PROGRAM], capture_output=True, text=True, check=True)
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("key:")]
        _, pushed, shown = line.split()

        assert (pushed == shown) is (backend is None)


class TestNeverInTheWay:
    def test_the_work_is_done_although_the_link_cannot_be_stored(
        self, account: Account, at: Callable[[str], None]
    ) -> None:
        from airflow_provider_encord.operators.projects import EncordGetProjectOperator

        seeded = account.project(title="Street")
        at(EUROPE)
        context: Any = {"ti": _Broken()}
        read = EncordGetProjectOperator(task_id="task", project_id=seeded["project_id"]).execute(context)

        assert read["title"] == "Street"

    def test_a_link_that_cannot_be_read_is_empty(self) -> None:
        broken: Any = object()  # no key of a task instance: whatever is asked of it fails

        assert EncordLink().get_link(broken, ti_key=broken) == ""

    @pytest.mark.parametrize("pushed", [None, 7, ["https://app.encord.com"], {"a": 1}])
    def test_what_is_no_text_is_no_link(self, pushed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another task may keep anything under this key."""
        from airflow.providers.common.compat.sdk import XCom

        monkeypatch.setattr(XCom, "get_value", lambda *, ti_key, key: pushed if key == "encord_url" else "other")
        anything: Any = object()

        assert EncordLink().get_link(anything, ti_key=anything) == ""
