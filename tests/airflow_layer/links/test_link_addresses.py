"""The button "Open in Encord": where it leads, and that every operator has it.

The addresses are written out here once more, by hand: a slip in one of the two places shows.
"""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseOperator, BaseOperatorLink
from hypothesis import given
from hypothesis import strategies as st

import airflow_provider_encord
from airflow_provider_encord.client.errors import CredentialError
from airflow_provider_encord.client.transport.settings import Settings, base_url, web_app_url
from airflow_provider_encord.get_provider_info import get_provider_info
from airflow_provider_encord.links import (
    EncordLink,
    EncordProjectPageLink,
    dataset_url,
    folder_url,
    label_editor_url,
    ontology_url,
    project_page_path,
    project_url,
    queue_url,
)
from airflow_provider_encord.operators.projects import EncordGetProjectOperator
from airflow_provider_encord.operators.storage import EncordPartitionObjectsOperator, EncordSetMetadataSchemaOperator
from tests.airflow_layer.dags import links_in_a_dag, operators_in_a_dag
from tests.airflow_layer.lines import running_line

PACKAGE = Path(airflow_provider_encord.__file__).parent
NAME, IN_AIRFLOW = "Open in Encord", "Project in Airflow"
ONE, OTHER = "11111111-2222-4333-8444-555555555555", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
EUROPE, AMERICA = "https://api.encord.com", "https://api.us.encord.com"


class TestAddresses:
    @pytest.mark.parametrize(
        ("url", "ids", "address"),
        [
            (project_url, [ONE], f"https://app.encord.com/projects/view/{ONE}/summary"),
            (dataset_url, [ONE], f"https://app.encord.com/datasets/view/{ONE}"),
            (folder_url, [ONE], f"https://app.encord.com/data/files/{ONE}"),
            (ontology_url, [ONE], f"https://app.encord.com/ontologies/view/{ONE}/structure"),
            (label_editor_url, [ONE, OTHER], f"https://app.encord.com/label_editor/{ONE}/{OTHER}/0"),
            (queue_url, [ONE], f"https://app.encord.com/projects/view/{ONE}/queue"),
            (label_editor_url, [ONE, OTHER, 17], f"https://app.encord.com/label_editor/{ONE}/{OTHER}/17"),
        ],
    )
    def test_each_kind_has_its_page_in_both_regions(
        self, url: Callable[..., str | None], ids: list[Any], address: str
    ) -> None:
        assert url(EUROPE, *ids) == address
        assert url(AMERICA, *ids) == address.replace("app.encord.com", "app.us.encord.com")

    @pytest.mark.parametrize(
        ("host", "port", "web_app"),
        [
            (None, None, "https://app.encord.com"),
            ("", 0, "https://app.encord.com"),
            ("api.encord.com", None, "https://app.encord.com"),
            ("https://API.encord.com/", None, "https://app.encord.com"),
            ("https://api.encord.com", 443, "https://app.encord.com"),
            ("https://api.us.encord.com:443", None, "https://app.us.encord.com"),
            ("api.us.encord.com", None, "https://app.us.encord.com"),
            ("https://api.encord.com", 8443, None),
            ("http://api.encord.com", None, None),
            ("api.eu.encord.com", None, None),
            ("api.encord.com.example.com", None, None),
            ("api-encord.com", None, None),
            ("http://127.0.0.1:8765", None, None),
            ("http://localhost", None, None),
            ("https://api.annotation.example.com", None, None),
        ],
    )
    def test_the_host_of_a_connection_decides_and_an_unknown_one_has_no_page(
        self, host: str | None, port: int | None, web_app: str | None
    ) -> None:
        api = base_url(host, port, allow_http=True)

        assert project_url(api, ONE) == (web_app and f"{web_app}/projects/view/{ONE}/summary")
        assert label_editor_url(api, ONE, OTHER) == (web_app and f"{web_app}/label_editor/{ONE}/{OTHER}/0")

    def test_a_connection_may_name_the_web_app_of_a_private_installation(self) -> None:
        settings = Settings(
            base_url="https://api.annotation.example.com", web_app_url=web_app_url("https://a.example/app/")
        )

        assert project_url(settings.link_base, ONE) == f"https://a.example/app/projects/view/{ONE}/summary"
        assert project_url(Settings().link_base, ONE) == f"https://app.encord.com/projects/view/{ONE}/summary"
        assert project_url(Settings(base_url=settings.base_url).link_base, ONE) is None

    @pytest.mark.parametrize(
        "wrong",
        [
            *(
                "javascript:alert(1)",
                "data:text/html,x",
                "//app.example.com",
                "app.example.com",
                "https://",
                "https://a b",
            ),
            *(
                "https://x/?q=1",
                "https://x/#f",
                "https://a:b@x",
                "https://x:99999",
                "https://[",
                "https://x/\n/",
                "http:/x",
            ),
        ],
    )
    def test_what_is_no_plain_address_is_no_web_app(self, wrong: str) -> None:
        with pytest.raises(CredentialError, match="web_app_url"):
            web_app_url(wrong)

    @given(st.text())
    def test_an_id_stays_one_part_of_the_address(self, wild: str) -> None:
        wild = wild.encode(errors="replace").decode()
        address = dataset_url(EUROPE, wild)

        assert address is not None
        assert address.startswith("https://app.encord.com/datasets/view/")
        assert address.removeprefix("https://app.encord.com/datasets/view/").isascii()
        assert not set(address.removeprefix("https://app.encord.com/datasets/view/")) & set("/?#@:\\ \n\"'<>&")

    def test_importing_the_links_loads_little_else_of_ours(self) -> None:
        """Every DAG file that is parsed pays for it."""
        program = "import sys\nimport airflow_provider_encord.links\nprint(*sys.modules)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        ours = {name for name in done.stdout.split() if name.startswith("airflow_provider_encord.")}

        # The provider info is what Airflow itself reads; the addresses import nothing more.
        names = {name.removeprefix("airflow_provider_encord.") for name in ours} - {"get_provider_info"}
        assert names == {"links", "client", "client.regions", "client.web_app"}


def _all_operators() -> list[type[BaseOperator]]:
    """Every operator and sensor of the package, found by looking into the modules: also one that is not registered."""
    folders = [PACKAGE / folder for folder in ("operators", "sensors", "decorators")]
    found = {}
    for file in sorted(file for folder in folders for file in folder.rglob("*.py")):
        path = ".".join([PACKAGE.name, *file.relative_to(PACKAGE).with_suffix("").parts])
        for one in vars(importlib.import_module(path)).values():
            if inspect.isclass(one) and issubclass(one, BaseOperator) and one.__module__ == path:
                found[one.__name__] = one
    bases = {base.__name__ for value in found.values() for base in value.__mro__[1:]}
    return [one for name, one in found.items() if name not in bases]


WITHOUT_A_PAGE = {EncordPartitionObjectsOperator, EncordSetMetadataSchemaOperator}
"""They ask nothing of Encord, or what they change has no page of its own."""


class TestEveryOperator:
    @pytest.mark.parametrize("operator", _all_operators(), ids=lambda one: one.__name__)
    def test_every_operator_has_the_button(self, operator: type[BaseOperator]) -> None:
        expected = [] if operator in WITHOUT_A_PAGE else [NAME]
        assert [link.name for link in operator.operator_extra_links] == expected

    def test_every_operator_is_in_a_dag_whose_links_are_looked_at_below(self) -> None:
        run = {
            getattr(task, "operator_class", type(task))  # a mapped task is of another class
            for dag in (
                operators_in_a_dag.dag,
                links_in_a_dag.dag,
                links_in_a_dag.dag_of_chores,
                links_in_a_dag.dag_of_labels,
                links_in_a_dag.dag_of_tasks,
                links_in_a_dag.dag_of_runners,
                links_in_a_dag.dag_of_sensors,
            )
            for task in dag.tasks
        }
        assert set(_all_operators()) - run == WITHOUT_A_PAGE

    @pytest.mark.skipif(running_line() == "2.11", reason="Airflow 2 has no pages of projects")
    @pytest.mark.parametrize("operator", _all_operators(), ids=lambda one: one.__name__)
    def test_with_a_history_every_operator_that_works_on_a_project_leads_to_its_page(
        self, operator: type[BaseOperator], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AIRFLOW__ENCORD__HISTORY", "/history")
        subject = operator.__module__.removeprefix("airflow_provider_encord.operators.").partition(".")[0]
        about_a_project = subject not in ("datasets", "ontologies", "storage")
        names = [link.name for link in operator.operator_extra_links]
        assert names == ([] if operator in WITHOUT_A_PAGE else [NAME, *([IN_AIRFLOW] if about_a_project else [])])

    @pytest.mark.skipif(running_line() == "2.11", reason="Airflow 2 has no pages of projects")
    def test_mapped_tasks_lead_to_it_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AIRFLOW__ENCORD__HISTORY", "/history")
        mapped = EncordGetProjectOperator.partial(task_id="mapped").expand(project_id=[ONE, OTHER])
        assert [link.name for link in mapped.operator_extra_links] == [NAME, IN_AIRFLOW]

    @pytest.mark.parametrize("line", ["2.11.3", "3.0.6"])
    def test_lines_without_the_page_have_no_button_for_it(self, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AIRFLOW__ENCORD__HISTORY", "/history")
        monkeypatch.setattr("airflow.__version__", line)
        assert [link.name for link in EncordGetProjectOperator.operator_extra_links] == [NAME]

    @pytest.mark.parametrize(
        ("base_url", "path"),
        [
            ("", f"/encord-projects/projects/{ONE}"),
            ("https://airflow.example.com", f"/encord-projects/projects/{ONE}"),
            ("https://example.com/airflow/", f"/airflow/encord-projects/projects/{ONE}"),
        ],
    )
    def test_the_page_is_where_the_web_server_is(
        self, base_url: str, path: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("AIRFLOW__API__BASE_URL", base_url)
        assert project_page_path(ONE) == path

    @pytest.mark.parametrize("link", [EncordLink, EncordProjectPageLink])
    def test_the_links_are_registered(self, link: type[BaseOperatorLink]) -> None:
        from airflow.providers_manager import ProvidersManager

        path = f"{link.__module__}.{link.__qualname__}"
        assert path in get_provider_info()["extra-links"]
        assert path in ProvidersManager().extra_links_class_names
