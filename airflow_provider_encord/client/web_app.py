"""Addresses in Encord's web app.

Encord does not document them, and they are known only for its two regions. For other hosts (a private installation, the
emulator) there is an address only if the connection names the web app. Where each comes from stands in section 1.3 of
the protocol notes, or here.
"""

from __future__ import annotations

import urllib.parse

from airflow_provider_encord.client.regions import WEB_APPS


class WebApp(str):
    """Address of a web app, where the base URL of an API is expected: for hosts that are not Encord's own."""

    __slots__ = ()


def project_url(api: str, project_id: str) -> str | None:
    """Address of the summary page of a project.

    :param api: Base URL of the API; or the `WebApp` itself, which `Settings.link_base` returns if it is known.
    :param project_id: Id of the project.
    :return: The address; None if the web app of that API is not known. The same applies to the functions below.
    """
    return _url(api, "projects", "view", project_id, "summary")


def queue_url(api: str, project_id: str) -> str | None:
    """Address of the tasks of a project, by stage. An address that opens one stage is not known."""
    return _url(api, "projects", "view", project_id, "queue")  # unconfirmed: found only in code by a third party


def dataset_url(api: str, dataset_id: str) -> str | None:
    """Address of a dataset."""
    return _url(api, "datasets", "view", dataset_id)  # confirmed, unlike /data/datasets/<id>, which may be newer


def folder_url(api: str, folder_id: str) -> str | None:
    """Address of a storage folder."""
    return _url(api, "data", "files", folder_id)  # unconfirmed: found only in a README by a third party


def ontology_url(api: str, ontology_id: str) -> str | None:
    """Address of an ontology's structure."""
    return _url(api, "ontologies", "view", ontology_id, "structure")  # unconfirmed, like the address of folders


def label_editor_url(
    api: str, project_id: str, data_hash: str, frame: int = 0, *, stage_id: str | None = None
) -> str | None:
    """Address of a data unit in the label editor.

    :param api: Base URL of the API.
    :param project_id: Id of the project.
    :param data_hash: Id of the data unit.
    :param frame: Number of the frame, from 0.
    :param stage_id: Id of the workflow stage whose task is opened.
    """
    address = _url(api, "label_editor", project_id, data_hash, str(frame))
    if address is None or stage_id is None:
        return address
    return f"{address}?selectedStageUuid={urllib.parse.quote(stage_id, safe='')}"


def _url(api: str, *parts: str) -> str | None:
    web_app = str(api) if isinstance(api, WebApp) else WEB_APPS.get(api.removesuffix("/").removesuffix(":443"))
    return web_app and "/".join([web_app, *(urllib.parse.quote(part, safe="") for part in parts)])
