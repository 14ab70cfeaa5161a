"""Exports that operators get as arguments: what is wrong with them names the argument."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports import Manifest, ManifestError, read, read_manifest


@contextlib.contextmanager
def naming(argument: str) -> Iterator[None]:
    """Let errors about an export begin with the name of the argument that it was passed as."""
    try:
        yield
    except (ManifestError, InvalidArgumentError) as error:
        raise type(error)(f"{argument}: {str(error).removeprefix('manifest: ')}") from None


def manifest_of_project(path: Any, argument: str, project_id: str) -> Manifest:
    """Read the manifest of an export of a project.

    :param path: Path object of the manifest, or of its directory.
    :param argument: Name of the operator's argument, for error messages.
    :raises InvalidArgumentError: It is an export of another project.
    """
    with naming(argument):
        manifest = read_manifest(path)
    if manifest.project_id.lower() != project_id.lower():
        raise InvalidArgumentError(
            f"{argument}: {path} is an export of the project {manifest.project_id}, not of {project_id}. Pass an "
            "export of this project."
        )
    return manifest


def latest_rows(path: Any, argument: str) -> Iterator[dict[str, Any]]:
    """The rows of an export; of an incremental one that continues an earlier one, all rows in their latest state."""
    with naming(argument):
        return read(path, history=read_manifest(path).previous is not None)
