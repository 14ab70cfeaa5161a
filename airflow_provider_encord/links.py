"""Links from a task to the page of its project, dataset, folder or ontology in Encord's web app, and within Airflow.

The addresses are in `client.web_app`. For hosts other than Encord's own two (a private installation, the emulator),
there is a link only if the connection's field `web_app_url` names the web app.

The link is stored in an XCom. `EncordBaseOperator.push_link` pushes it, and Airflow 3 shows it from there. So it is
visible while the task is still running, and also after its worker was killed. `EncordLink.get_link` is called by the
web server of Airflow 2.11, which finds the class in the provider info. Airflow 3 calls it on the worker at the end of a
task, and stores its result in the same XCom.
"""

from __future__ import annotations

import logging
import urllib.parse
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import BaseOperatorLink, conf

from airflow_provider_encord.client.web_app import (
    dataset_url,
    folder_url,
    label_editor_url,
    ontology_url,
    project_url,
    queue_url,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

__all__ = [
    "EncordLink",
    "EncordProjectPageLink",
    "dataset_url",
    "folder_url",
    "label_editor_url",
    "ontology_url",
    "project_url",
    "queue_url",
]

XCOM_KEY = "encord_url"
PROJECT_XCOM_KEY = "encord_project_page"
_IN_BACKEND = "_in_backend"
_SINCE = (3, 1)
"""The version of Airflow that first has the pages of projects."""
_log = logging.getLogger(__name__)


def link_key(key: str = XCOM_KEY) -> str:
    """Return the XCom key under which a task stores an address.

    With a custom XCom backend, it is not the key that Airflow 3 shows. The web server of Airflow 3 does not call the
    backend: it would show the value in the database, which may be a path. In this case, the link appears only at the
    end of the task.

    :param key: The key that Airflow 3 shows.
    """
    from airflow.providers.common.compat.sdk import XCom

    return key if XCom.__name__ == "BaseXCom" else f"{key}{_IN_BACKEND}"


def has_project_pages() -> bool:
    """Whether Airflow's web interface has the pages of projects: with a history, since Airflow 3.1."""
    from airflow import __version__

    from airflow_provider_encord.hooks.history import history_option

    version = tuple(int(part) for part in __version__.split(".")[:2])
    return version >= _SINCE and history_option() is not None


def project_page_path(project_id: str) -> str:
    """The path of the page of a project on Airflow's web server."""
    above = urllib.parse.urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")
    return f"{above}/encord-projects/projects/{urllib.parse.quote(project_id, safe='')}"


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
            url = XCom.get_value(ti_key=ti_key, key=link_key(self.xcom_key))
        except Exception as error:  # noqa: BLE001 - no XCom backend may fail the task because of a link
            _log.warning("The link %r could not be read: %s.", self.name, type(error).__name__)
            return ""
        return url if isinstance(url, str) else ""


class EncordProjectPageLink(EncordLink):
    """The link "Project in Airflow" of a task: the page that Airflow's web interface has of its project."""

    name = "Project in Airflow"

    @property
    def xcom_key(self) -> str:
        """The XCom key from which Airflow 3 reads the address."""
        return PROJECT_XCOM_KEY


class TaskLinks:
    """The links of a class of operators: the one to Encord, and the one to the page of the project if there is one.

    An attribute of the class, because mapped tasks lose attributes of the instance; and read when a DAG is parsed,
    because Airflow's configuration decides.
    """

    def __get__(self, instance: object, owner: type) -> tuple[EncordLink, ...]:
        """:param owner: Its `knows_project` says whether there is a project."""
        if getattr(owner, "knows_project", False) and has_project_pages():
            return EncordLink(), EncordProjectPageLink()
        return (EncordLink(),)
