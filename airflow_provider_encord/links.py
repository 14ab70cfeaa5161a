"""Links from a task to the page of its project, dataset, folder or ontology in Encord's web app.

Encord does not document the addresses of its web app, and they are known only for its two regions. For other hosts (a
private installation, the emulator) there is no link.

The link is stored in an XCom. `EncordBaseOperator.push_link` pushes it, and Airflow 3 shows it from there. So it is
visible while the task is still running, and also after its worker was killed. `EncordLink.get_link` is called by the
web server of Airflow 2.11, which finds the class in the provider info. Airflow 3 calls it on the worker at the end of a
task, and stores its result in the same XCom.
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
    """Address of the summary page of a project.

    :param api: Base URL of the API.
    :param project_id: Id of the project.
    :return: The address; None if the web app of that API is not known. The same applies to the functions below.
    """
    return _url(api, "projects", "view", project_id, "summary")


def dataset_url(api: str, dataset_id: str) -> str | None:
    """Address of a dataset."""
    return _url(api, "datasets", "view", dataset_id)  # confirmed, unlike /data/datasets/<id>, which may be newer


def folder_url(api: str, folder_id: str) -> str | None:
    """Address of a storage folder."""
    return _url(api, "data", "files", folder_id)  # unconfirmed: found only in a README by a third party


def ontology_url(api: str, ontology_id: str) -> str | None:
    """Address of an ontology's structure."""
    return _url(api, "ontologies", "view", ontology_id, "structure")  # unconfirmed, like the address of folders


def label_editor_url(api: str, project_id: str, data_hash: str, frame: int = 0) -> str | None:
    """Address of a data unit in the label editor.

    :param api: Base URL of the API.
    :param project_id: Id of the project.
    :param data_hash: Id of the data unit.
    :param frame: Number of the frame, from 0.
    """
    return _url(api, "label_editor", project_id, data_hash, str(frame))


def _url(api: str, *parts: str) -> str | None:
    from airflow_provider_encord.client.regions import WEB_APPS  # not at the top, to keep DAG parsing fast

    web_app = WEB_APPS.get(api.removesuffix("/").removesuffix(":443"))
    return web_app and "/".join([web_app, *(urllib.parse.quote(part, safe="") for part in parts)])


def link_key() -> str:
    """Return the XCom key under which a task stores the address.

    With a custom XCom backend, it is not the key that Airflow 3 shows. The web server of Airflow 3 does not call the
    backend: it would show the value in the database, which may be a path. In this case, the link appears only at the
    end of the task.
    """
    from airflow.providers.common.compat.sdk import XCom

    return XCOM_KEY if XCom.__name__ == "BaseXCom" else _KEY_IN_BACKEND


class EncordLink(BaseOperatorLink):
    """The link "Open in Encord" of a task."""

    name = "Open in Encord"

    @property
    def xcom_key(self) -> str:
        """The XCom key from which Airflow 3 reads the address."""
        return XCOM_KEY

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """Return the address that the task pushed; an empty string if there is no address or it cannot be read."""
        from airflow.providers.common.compat.sdk import XCom

        try:
            url = XCom.get_value(ti_key=ti_key, key=link_key())
        except Exception as error:  # noqa: BLE001 - no XCom backend may fail the task because of a link
            _log.warning("The link to Encord could not be read: %s.", type(error).__name__)
            return ""
        return url if isinstance(url, str) else ""
