"""Airflow assets for resources in Encord, with URIs such as ``encord://<API host>/projects/<id>``.

=================================================  =======================================
URI, after ``encord://<API host>/``                 meaning of an event
=================================================  =======================================
``projects/<id>``                                  the project changed
``projects/<id>/branches/<branch>/labels``         labels of the branch were read or written
``projects/<id>/stages/<id>``                      tasks of the stage moved
``datasets/<id>``                                  data rows were added or removed
``folders/<id>``                                   storage items were added or removed
=================================================  =======================================

The URI contains the host of the API, because an id is valid only in its region. It does not contain a connection id,
because several connections can have access to the same project. The branch is a part of the path, because Airflow
removes fragments. Create URIs only with the functions below: two spellings of a URI would be two assets.
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
MAIN_BRANCH = "main"
_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PATH = re.compile(rf"/(projects/{_ID}(/branches/[^/]+/labels|/stages/{_ID})?|(datasets|folders)/{_ID})")
_SHAPES = (
    "projects/<id>, projects/<id>/branches/<branch>/labels, projects/<id>/stages/<id>, datasets/<id>, folders/<id>"
)


def project_uri(api: str, project_id: str) -> str:
    """URI of a project.

    :param api: Base URL or host of the API. The functions below have the same argument.
    :param project_id: Id of the project.
    :raises ValueError: An id is not a UUID, or the host is missing. The functions below raise the same error.
    """
    return _uri(api, "projects", _id(project_id, "project_id"))


def labels_uri(api: str, project_id: str, branch: str = MAIN_BRANCH) -> str:
    """URI of the labels of a project, on one branch."""
    if not branch:
        raise ValueError("branch: it is empty. Pass the name of the label branch, such as 'main'.")
    return _uri(
        api, "projects", _id(project_id, "project_id"), "branches", urllib.parse.quote(branch, safe=""), "labels"
    )


def stage_uri(api: str, project_id: str, stage_id: str) -> str:
    """URI of the tasks in a workflow stage."""
    return _uri(api, "projects", _id(project_id, "project_id"), "stages", _id(stage_id, "stage_id"))


def dataset_uri(api: str, dataset_id: str) -> str:
    """URI of a dataset."""
    return _uri(api, "datasets", _id(dataset_id, "dataset_id"))


def folder_uri(api: str, folder_id: str) -> str:
    """URI of a storage folder."""
    return _uri(api, "folders", _id(folder_id, "folder_id"))


def project_asset(project_id: str, *, host: str = DEFAULT_HOST) -> Asset:
    """Asset of a project, for ``outlets``, ``inlets`` and ``schedule``.

    :param project_id: Id of the project.
    :param host: Host of the API, as in the connection. The functions below have the same argument.
    """
    return _asset(project_uri(host, project_id))


def labels_asset(
    project_id: str, branch: str = MAIN_BRANCH, *, host: str = DEFAULT_HOST, watchers: list[Any] | None = None
) -> Asset:
    """Asset of the labels of a project, on one branch.

    :param watchers: Asset watchers (Airflow 3), such as one with an `EncordLabelsEventTrigger`.
    """
    return _asset(labels_uri(host, project_id, branch), **({"watchers": watchers} if watchers else {}))


def stage_asset(
    project_id: str, stage_id: str, *, host: str = DEFAULT_HOST, watchers: list[Any] | None = None
) -> Asset:
    """Asset of the tasks in a workflow stage.

    :param project_id: Id of the project.
    :param stage_id: Id of the stage.
    :param watchers: Asset watchers (Airflow 3), such as one with an `EncordTasksEventTrigger`.
    """
    return _asset(stage_uri(host, project_id, stage_id), **({"watchers": watchers} if watchers else {}))


def dataset_asset(dataset_id: str, *, host: str = DEFAULT_HOST) -> Asset:
    """Asset of a dataset."""
    return _asset(dataset_uri(host, dataset_id))


def folder_asset(folder_id: str, *, host: str = DEFAULT_HOST) -> Asset:
    """Asset of a storage folder."""
    return _asset(folder_uri(host, folder_id))


def create_asset(
    *,
    host: str = DEFAULT_HOST,
    project_id: str | None = None,
    branch: str | None = None,
    stage_id: str | None = None,
    dataset_id: str | None = None,
    folder_id: str | None = None,
) -> Asset:
    """Create an asset. Airflow calls this factory for the scheme ``encord``.

    Pass exactly one of `project_id`, `dataset_id` and `folder_id`.

    :param branch: With `project_id`: the asset of the labels on this branch.
    :param stage_id: With `project_id`: the asset of the tasks in this stage.
    :raises ValueError: The arguments contradict each other.
    """
    named = [text for text in (project_id, dataset_id, folder_id) if text]
    if len(named) != 1 or ((branch or stage_id) and not project_id) or (branch and stage_id):
        raise ValueError(
            "Pass exactly one of `project_id`, `dataset_id` and `folder_id`, and with `project_id` at most one of "
            "`branch` and `stage_id`."
        )
    if project_id and branch:
        return labels_asset(project_id, branch, host=host)
    if project_id and stage_id:
        return stage_asset(project_id, stage_id, host=host)
    if project_id:
        return project_asset(project_id, host=host)
    return dataset_asset(dataset_id, host=host) if dataset_id else folder_asset(str(folder_id), host=host)


def sanitize_uri(uri: urllib.parse.SplitResult) -> urllib.parse.SplitResult:
    """Normalize a URI. Airflow calls this handler for each URI with the scheme ``encord``.

    :raises ValueError: The URI has none of the forms above, no host, or it has a user, a query or a fragment.
    """
    if not uri.netloc:
        raise ValueError(f"{uri.geturl()} has no host. Write encord://{DEFAULT_HOST}/...")
    if "@" in uri.netloc:
        raise ValueError("An encord:// URI must not contain a user. Put credentials in the Airflow connection.")
    if uri.query or uri.fragment:
        raise ValueError(f"{uri.geturl()} has a query or a fragment. Remove it; an encord:// URI has neither.")
    path = _lower_ids(uri.path.rstrip("/"))
    if not _PATH.fullmatch(path):
        raise ValueError(f"{uri.geturl()} is not the URI of an Encord asset. The path must be one of: {_SHAPES}.")
    return uri._replace(netloc=uri.netloc.lower(), path=path)


def to_openlineage(asset: Asset, lineage_context: Any) -> OpenLineageDataset:  # noqa: ARG001 - Airflow's signature
    """Convert an asset to an OpenLineage dataset. Its namespace is ``encord://<host>``, its name is the path."""
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
        raise ValueError(f"host: {api!r} is not an API host. Pass one such as {DEFAULT_HOST}.")
    return f"{SCHEME}://{host}/{'/'.join(parts)}"


def _id(value: str, name: str) -> str:
    try:
        return str(uuid.UUID(str(value).strip()))
    except ValueError:
        raise ValueError(
            f"{name}: {str(value)[:80]!r} is not an id (UUID). Pass the id itself; templates are not rendered in "
            "assets."
        ) from None


def _lower_ids(path: str) -> str:
    """Convert ids to lower case, as Encord writes them. The name of a branch is not changed."""
    parts = path.split("/")
    return "/".join(
        part if number > 0 and parts[number - 1] == "branches" else part.lower() for number, part in enumerate(parts)
    )
