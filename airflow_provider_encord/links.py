"""Links from a task to the page of its project, dataset, folder or ontology in Encord's web app.

The addresses are in `client.web_app`. For hosts other than Encord's own two (a private installation, the emulator),
there is a link only if the connection's field `web_app_url` names the web app.

The link is stored in an XCom. `EncordBaseOperator.push_link` pushes it, and Airflow 3 shows it from there. So it is
visible while the task is still running, and also after its worker was killed. `EncordLink.get_link` is called by the
web server of Airflow 2.11, which finds the class in the provider info. Airflow 3 calls it on the worker at the end of a
task, and stores its result in the same XCom.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import BaseOperatorLink

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
    "dataset_url",
    "folder_url",
    "label_editor_url",
    "ontology_url",
    "project_url",
    "queue_url",
]

XCOM_KEY = "encord_url"
_KEY_IN_BACKEND = "encord_url_in_backend"
_log = logging.getLogger(__name__)


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
