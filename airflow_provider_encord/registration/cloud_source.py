"""The source of a registration: a manifest or a listing, split into jobs. It can be continued after any job."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.api import folder_uploads, uploads
from airflow_provider_encord.client.api.core.data_items import Kind, Unit
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import InvalidArgumentError, UnavailableError
from airflow_provider_encord.client.flows.jobs import DATASET_UPLOAD, FOLDER_UPLOAD, Job
from airflow_provider_encord.registration.cloud import (
    CloudObject,
    is_listed,
    list_prefix,
    manifest_entries,
    placed_parts,
    placed_units,
)
from airflow_provider_encord.sources.files import uri_of
from airflow_provider_encord.sources.rows import START, Place
from airflow_provider_encord.storage_paths import storage_errors, version_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class CloudSource:
    """The objects to register.

    :param path: A path object: a manifest, or a directory to list.
    :param url_prefix: URL of the directory, as Encord reads it.
    :param kind: Kind of the objects whose line has no kind.
    :param units_per_job: Maximum number of units in a job.
    :param switches: The values of the switches of Encord's upload JSON, by name.
    """

    path: Any
    url_prefix: str | None
    kind: Kind | None
    units_per_job: int
    switches: Mapping[str, bool] | None = None

    def require_elsewhere(self, path: Any, argument: str) -> None:
        """Check that a file that the task writes is neither the source nor part of its listing.

        :param path: Path of the file or directory.
        :param argument: Name of the argument with the path, for messages.
        :raises InvalidArgumentError: It is the source or part of its listing.
        """
        source, inner = (uri_of(path).rstrip("/") for path in (self.path, path))
        if inner == source:
            raise InvalidArgumentError(f"{argument}: it is the source itself. Use another path.")
        if inner.startswith(f"{source}/") and is_listed(inner, self.kind):
            raise InvalidArgumentError(
                f"{argument}: it is in the directory that is listed as source, so it would be registered. Use a path "
                "in another directory."
            )

    def version(self) -> str | None:
        """The version of a manifest, which changes when it is written; None for a listing."""
        with storage_errors("source", self.path):
            return None if self.path.is_dir() else version_of(self.path)

    def require_version(self, version: str | None, *, retry_is_safe: bool) -> None:
        """Check that a manifest was not changed.

        :param version: The earlier result of `version`.
        :param retry_is_safe: Whether Encord skips objects that are registered already.
        :raises UnavailableError: It was changed, and a retry registers the missing objects.
        :raises InvalidArgumentError: It was changed, and a retry would register the first part twice.
        """
        if version is None or self.version() == version:
            return
        changed = f"source: {self.path} was changed while it was being registered."
        if retry_is_safe:
            raise UnavailableError(
                f"{changed} A retry reads it from the start and skips objects that are registered already."
            )
        raise InvalidArgumentError(
            f"{changed} With skip_duplicate_urls=False, a retry would register its first part twice. Use a "
            "different file name for each manifest, or set skip_duplicate_urls=True."
        )

    def jobs(self, place: Any = None) -> Iterator[tuple[list[Unit], Any]]:
        """The units of each job, with a small JSON value. Pass this value as `place` to continue after the job."""
        if self.path.is_dir():
            prefix = self.url_prefix or without_connection(str(self.path))
            entries: Iterator[tuple[CloudObject | Unit, Any]] = (
                (item, item.key) for item in list_prefix(self.path, prefix, kind=self.kind, after=place)
            )
        else:
            start = START if place is None else Place(**place)
            entries = manifest_entries(self.path, kind=self.kind, start=start, switches=self.switches)
        for units, end in placed_parts(placed_units(entries), size=self.units_per_job):
            yield units, msgspec.to_builtins(end)


def start_registration(
    items: Mapping[str, Any], *, dataset: str | None, folder: str | None, integration: str
) -> Flow[Job]:
    """Start the job of one part. A bad object does not stop the others.

    :param items: The objects, as `client.api.core.data_items.data_items` returns them.
    :raises OutcomeUnknownError: The response was lost, so the job may have started.
    """
    if dataset:
        start = uploads.start_private_data(dataset, integration, items=items, ignore_errors=True, folder=folder)
        return Job(kind=DATASET_UPLOAD, resource=dataset, id=(yield from start))
    start = folder_uploads.start_folder_upload(str(folder), items=items, integration=integration, ignore_errors=True)
    return Job(kind=FOLDER_UPLOAD, resource=str(folder), id=(yield from start))


def digest(items: Mapping[str, Any]) -> str:
    """A hash that identifies the content of a job."""
    return hashlib.sha256(msgspec.json.encode(items)).hexdigest()


def without_connection(uri: str) -> str:
    """The URI of a path in an object store, without the id of Airflow's connection."""
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
