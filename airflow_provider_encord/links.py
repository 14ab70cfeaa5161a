"""From a task to the page of what it works on, in Encord's web app.

The addresses of the web app are no contract of Encord's API, and only those of its two regions are known. For any other
host (a private installation, the emulator) there is no link rather than a wrong one.

One XCom serves twice. What `EncordBaseOperator.push_link` pushes is what Airflow 3 shows, so the link is there
while the task still runs, and stays when its worker is killed. `EncordLink.get_link` is asked by the web server of
Airflow 2.11, which knows the class from the provider info; and by the worker of Airflow 3 at the end of a task, which
then stores the answer where the address was.
"""

from __future__ import annotations

import logging
import urllib.parse
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

XCOM_KEY = "encord_url"
_KEY_IN_BACKEND = "encord_url_in_backend"
_log = logging.getLogger(__name__)


def project_url(api: str, project_id: str) -> str | None:
    """Address of a project's summary.

    :param api: Base URL of the API.
    :param project_id: Its id.
    :return: None if it is not known where the web app of that API is; the same for the functions below.
    """
    return _url(api, "projects", "view", project_id, "summary")


def dataset_url(api: str, dataset_id: str) -> str | None:
    """Address of a dataset."""
    return _url(api, "datasets", "view", dataset_id)  # confirmed, unlike /data/datasets/<id>, which may be newer


def folder_url(api: str, folder_id: str) -> str | None:
    """Address of a storage folder."""
    return _url(api, "data", "files", folder_id)  # unconfirmed: seen once, in a README that is not Encord's


def ontology_url(api: str, ontology_id: str) -> str | None:
    """Address of an ontology's structure."""
    return _url(api, "ontologies", "view", ontology_id, "structure")  # unconfirmed, as for folders


def label_editor_url(api: str, project_id: str, data_hash: str, frame: int = 0) -> str | None:
    """Address of a data unit in the label editor.

    :param data_hash: Of the data unit.
    :param frame: Number of the frame, from 0.
    """
    return _url(api, "label_editor", project_id, data_hash, str(frame))


def _url(api: str, *parts: str) -> str | None:
    from airflow_provider_encord.client.regions import WEB_APPS  # here, as every DAG file that is parsed imports links

    web_app = WEB_APPS.get(api.removesuffix("/").removesuffix(":443"))
    return web_app and "/".join([web_app, *(urllib.parse.quote(part, safe="") for part in parts)])


def link_key() -> str:
    """Key of the XCom in which a task puts the address.

    With an XCom backend of the deployment's own it is not the one that Airflow 3 shows: its web server does not ask the
    backend, and would show what that keeps in the database, such as a path. The link then comes at the end of the task.
    """
    from airflow.providers.common.compat.sdk import XCom

    return XCOM_KEY if XCom.__name__ == "BaseXCom" else _KEY_IN_BACKEND


class EncordLink(BaseOperatorLink):
    """The button "Open in Encord" of a task."""

    name = "Open in Encord"

    @property
    def xcom_key(self) -> str:
        """Where Airflow 3 looks for the address."""
        return XCOM_KEY

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """The address that the task has pushed; empty if it has pushed none, or Airflow cannot read it."""
        from airflow.providers.common.compat.sdk import XCom

        try:
            url = XCom.get_value(ti_key=ti_key, key=link_key())
        except Exception as error:  # noqa: BLE001 - a button is not worth a failure, whatever the XCom backend raises
            _log.warning("The link to Encord cannot be read: %s.", type(error).__name__)
            return ""
        return url if isinstance(url, str) else ""
