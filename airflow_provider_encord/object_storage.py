"""Paths of object stores, for which Airflow finds the file system and the credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_encord.client.errors import InvalidArgumentError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


def object_storage_path(uri: str | ObjectStoragePath, argument: str) -> ObjectStoragePath:
    """The path, with a file system that is installed.

    :param uri: An absolute URI of a disk or an object store, such as ``s3://connection_id@bucket/path``; or the path.
    :param argument: The argument that it comes from, for messages.
    :raises InvalidArgumentError: No file system for the scheme is installed, or the Airflow connection does not exist.
    :raises ImportError: Airflow is not installed.
    """
    from airflow.providers.common.compat.sdk import AirflowNotFoundException, ObjectStoragePath

    try:
        path = uri if isinstance(uri, ObjectStoragePath) else ObjectStoragePath(uri)
        path.fs  # noqa: B018 - raises now, before anything is read, if the file system is missing
    except AirflowNotFoundException as error:
        raise InvalidArgumentError(
            f"{argument}: the Airflow connection in {uri} does not exist ({error}). Create it, or correct its id."
        ) from None
    except (ValueError, ImportError) as error:
        scheme = str(uri).partition("://")[0]
        raise InvalidArgumentError(
            f"{argument}: {scheme}:// paths cannot be used here ({error}). Install the Airflow provider for them, or "
            "pass another path."
        ) from None
    return path
