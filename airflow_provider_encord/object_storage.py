"""Paths of object stores, for which Airflow finds the file system and the credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_encord.client.errors import InvalidArgumentError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath


def object_storage_path(uri: str | ObjectStoragePath, argument: str) -> ObjectStoragePath:
    """A path whose file system is there.

    :param uri: An absolute URI of a disk or an object store, such as ``s3://connection_id@bucket/path``; or the path.
    :param argument: The argument that it comes from, for messages.
    :raises InvalidArgumentError: This deployment has no file system for the scheme, or the connection is not there.
    :raises ImportError: Airflow is not installed.
    """
    from airflow.providers.common.compat.sdk import AirflowNotFoundException, ObjectStoragePath

    try:
        path = uri if isinstance(uri, ObjectStoragePath) else ObjectStoragePath(uri)
        path.fs  # noqa: B018 - looks for the file system now, so that a missing one is named before anything is read
    except AirflowNotFoundException as error:
        raise InvalidArgumentError(f"{argument}: {uri} names a connection that is not there ({error}).") from None
    except (ValueError, ImportError) as error:
        scheme = str(uri).partition("://")[0]
        raise InvalidArgumentError(
            f"{argument}: {scheme}:// cannot be used here ({error}). Install the Airflow provider for it, or give "
            "another path."
        ) from None
    return path
