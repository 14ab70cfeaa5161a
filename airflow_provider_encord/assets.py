"""Airflow assets for what stands in Encord: ``encord://<API host>/projects/<id>`` and what is below it.

=================================================  =======================================
URI, after ``encord://<API host>/``                 an event of it says
=================================================  =======================================
``projects/<id>``                                  the project changed
``projects/<id>/branches/<branch>/labels``         labels of the branch were read or written
``projects/<id>/stages/<id>``                      tasks of the stage moved
``datasets/<id>``                                  data rows came or went
``folders/<id>``                                   storage items came or went
=================================================  =======================================

The host is that of the API, as ids are only known in their region; without a connection's id, as several connections
lead to the same project. The branch is a part of the path, because Airflow drops fragments. Make URIs with the
functions below only: two spellings of one thing would be two assets.
"""

from __future__ import annotations

import re
import urllib.parse
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.openlineage.facet import Dataset as OpenLineageDataset
    from airflow.providers.common.compat.sdk import Asset

SCHEME = "encord"
DEFAULT_HOST = "api.encord.com"
_MAIN_BRANCH = "main"
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PATH = re.compile(rf"/(projects/{_ID}(/branches/[^/]+/labels|/stages/{_ID})?|(datasets|folders)/{_ID})")
_SHAPES = (
    "projects/<id>, projects/<id>/branches/<branch>/labels, projects/<id>/stages/<id>, datasets/<id>, folders/<id>"
)


def project_uri(api: str, project: str) -> str:
    """URI of a project.

    :param api: Base URL or host of the API; the same for the functions below.
    :param project: Its id.
    :raises ValueError: An id is no UUID, or there is no host; the same for the functions below.
    """
    return _uri(api, "projects", _id(project, "project"))


def labels_uri(api: str, project: str, branch: str = _MAIN_BRANCH) -> str:
    """URI of the labels of a project, on one branch."""
    if not branch:
        raise ValueError("branch: it is empty; name the label branch, such as 'main'.")
    return _uri(api, "projects", _id(project, "project"), "branches", urllib.parse.quote(branch, safe=""), "labels")


def stage_uri(api: str, project: str, stage: str) -> str:
    """URI of the tasks in a workflow stage."""
    return _uri(api, "projects", _id(project, "project"), "stages", _id(stage, "stage"))


def dataset_uri(api: str, dataset: str) -> str:
    """URI of a dataset."""
    return _uri(api, "datasets", _id(dataset, "dataset"))


def folder_uri(api: str, folder: str) -> str:
    """URI of a storage folder."""
    return _uri(api, "folders", _id(folder, "folder"))


def project_asset(project: str, *, host: str = DEFAULT_HOST) -> Asset:
    """Asset of a project, for ``outlets``, ``inlets`` and ``schedule``.

    :param project: Its id.
    :param host: The API's host, as in the connection; the same for the functions below.
    """
    return _asset(project_uri(host, project))


def labels_asset(project: str, branch: str = _MAIN_BRANCH, *, host: str = DEFAULT_HOST) -> Asset:
    """Asset of the labels of a project, on one branch."""
    return _asset(labels_uri(host, project, branch))


def stage_asset(project: str, stage: str, *, host: str = DEFAULT_HOST, watchers: list[Any] | None = None) -> Asset:
    """Asset of a workflow stage's tasks.

    :param stage: Id of the stage.
    :param watchers: Asset watchers (Airflow 3).
    """
    return _asset(stage_uri(host, project, stage), **({"watchers": watchers} if watchers else {}))


def dataset_asset(dataset: str, *, host: str = DEFAULT_HOST) -> Asset:
    """Asset of a dataset."""
    return _asset(dataset_uri(host, dataset))


def folder_asset(folder: str, *, host: str = DEFAULT_HOST) -> Asset:
    """Asset of a storage folder."""
    return _asset(folder_uri(host, folder))


def create_asset(
    *,
    host: str = DEFAULT_HOST,
    project: str | None = None,
    branch: str | None = None,
    stage: str | None = None,
    dataset: str | None = None,
    folder: str | None = None,
) -> Asset:
    """The factory that Airflow finds by the scheme: exactly one of project, dataset and folder.

    :param branch: With a project: its labels on this branch.
    :param stage: With a project: the tasks of this stage.
    :raises ValueError: They contradict each other.
    """
    named = [one for one in (project, dataset, folder) if one]
    if len(named) != 1 or ((branch or stage) and not project) or (branch and stage):
        raise ValueError(
            "project, dataset, folder: give exactly one; and with project, at most one of branch and stage."
        )
    if project and branch:
        return labels_asset(project, branch, host=host)
    if project and stage:
        return stage_asset(project, stage, host=host)
    if project:
        return project_asset(project, host=host)
    return dataset_asset(dataset, host=host) if dataset else folder_asset(str(folder), host=host)


def sanitize_uri(uri: urllib.parse.SplitResult) -> urllib.parse.SplitResult:
    """The handler that Airflow asks for each URI of the scheme: the one spelling of it.

    :raises ValueError: It is none of the shapes above, or has no host, a user, a query or a fragment.
    """
    if not uri.netloc:
        raise ValueError(f"{uri.geturl()} names no host; write encord://{DEFAULT_HOST}/...")
    if "@" in uri.netloc:
        raise ValueError("An encord:// URI has no user: credentials stand in the connection.")
    if uri.query or uri.fragment:
        raise ValueError(f"{uri.geturl()} has a query or a fragment; an encord:// URI has neither.")
    path = _lower_ids(uri.path.rstrip("/"))
    if not _PATH.fullmatch(path):
        raise ValueError(f"{uri.geturl()} is no asset of Encord. These are: {_SHAPES}.")
    return uri._replace(netloc=uri.netloc.lower(), path=path)


def to_openlineage(asset: Asset, lineage_context: Any) -> OpenLineageDataset:  # noqa: ARG001 - Airflow's signature
    """The dataset of OpenLineage that an asset is: namespace ``encord://<host>``, name the path."""
    from airflow.providers.common.compat.openlineage.facet import Dataset

    parts = urllib.parse.urlsplit(asset.uri)
    return Dataset(namespace=f"{SCHEME}://{parts.netloc}", name=parts.path.lstrip("/"))


def _asset(uri: str, **more: Any) -> Asset:
    from airflow.providers.common.compat.sdk import Asset

    return Asset(uri=uri, **more)


def _uri(api: str, *parts: str) -> str:
    host = api.partition("://")[2] if "://" in api else api
    host = host.partition("/")[0].lower().removesuffix(":443")
    if not host or "@" in host:
        raise ValueError(f"host: {api!r} is no API host, such as {DEFAULT_HOST}.")
    return f"{SCHEME}://{host}/{'/'.join(parts)}"


def _id(value: str, name: str) -> str:
    try:
        return str(uuid.UUID(str(value).strip()))
    except ValueError:
        raise ValueError(
            f"{name}: {str(value)[:80]!r} is not an id (UUID). An asset stands in the DAG file, where templates are "
            "not rendered."
        ) from None


def _lower_ids(path: str) -> str:
    """Ids in lower case, as Encord writes them; a branch keeps its letters."""
    parts = path.split("/")
    return "/".join(
        part if number > 0 and parts[number - 1] == "branches" else part.lower() for number, part in enumerate(parts)
    )
