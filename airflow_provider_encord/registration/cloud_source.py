"""The source of a registration: a manifest or a listing, cut into jobs, which can be continued after any of them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.api import folder_uploads, uploads
from airflow_provider_encord.client.api.data_items import Kind, Unit
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.errors import InvalidArgumentError, UnavailableError
from airflow_provider_encord.client.resources.jobs import DATASET_UPLOAD, FOLDER_UPLOAD, Job
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
    """What to register.

    :param path: A path object: a manifest, or a directory that is listed.
    :param url_prefix: What stands for a directory in URLs that Encord reads.
    :param kind: Of objects that do not say it.
    :param units_per_job: At most so many units in a job.
    :param switches: The switches of Encord's upload JSON as they are used, by name.
    """

    path: Any
    url_prefix: str | None
    kind: Kind | None
    units_per_job: int
    switches: Mapping[str, bool] | None = None

    def require_elsewhere(self, path: Any, argument: str) -> None:
        """Make sure that what a task writes is not the source, and not in the listing of it.

        :param path: Of the file or directory that is written.
        :param argument: The argument that it comes from, for messages.
        :raises InvalidArgumentError: It is.
        """
        source, inner = (uri_of(path).rstrip("/") for path in (self.path, path))
        if inner == source:
            raise InvalidArgumentError(f"{argument}: it is the source itself. Name another path.")
        if inner.startswith(f"{source}/") and is_listed(inner, self.kind):
            raise InvalidArgumentError(
                f"{argument}: it is in the directory that is listed as source, so it would be registered. Name a "
                "place in another directory."
            )

    def version(self) -> str | None:
        """The version of a manifest, which changes when it is written; None for a listing, continued by key."""
        with storage_errors("source", self.path):
            return None if self.path.is_dir() else version_of(self.path)

    def require_version(self, version: str | None, *, retry_is_safe: bool) -> None:
        """Make sure that a manifest is still the one that was checked.

        :param version: What `version` returned then.
        :param retry_is_safe: Whether Encord skips what is registered already.
        :raises UnavailableError: It is not, and a retry registers what is missing.
        :raises InvalidArgumentError: It is not, and a retry would register the first part twice.
        """
        if version is None or self.version() == version:
            return
        changed = f"source: {self.path} was changed while it was being registered."
        if retry_is_safe:
            raise UnavailableError(
                f"{changed} A retry reads it from the start; objects that are registered by then are skipped."
            )
        raise InvalidArgumentError(
            f"{changed} With skip_duplicate_urls=False a retry would register its first part twice. Write each "
            "manifest under a name of its own, or set skip_duplicate_urls=True."
        )

    def jobs(self, place: Any = None) -> Iterator[tuple[list[Unit], Any]]:
        """The units of each job, and small JSON that this method takes to continue after it."""
        if self.path.is_dir():
            prefix = self.url_prefix or without_connection(str(self.path))
            entries: Iterator[tuple[CloudObject | Unit, Any]] = (
                (one, one.key) for one in list_prefix(self.path, prefix, kind=self.kind, after=place)
            )
        else:
            start = START if place is None else Place(**place)
            entries = manifest_entries(self.path, kind=self.kind, start=start, switches=self.switches)
        for units, end in placed_parts(placed_units(entries), size=self.units_per_job):
            yield units, msgspec.to_builtins(end)


def start_registration(
    items: Mapping[str, Any], *, dataset: str | None, folder: str | None, integration: str
) -> Flow[Job]:
    """Start the job of one part; one bad object does not stop the others.

    :param items: As `client.api.data_items.data_items` makes them.
    :raises OutcomeUnknownError: The answer was lost, so it may have started.
    """
    if dataset:
        start = uploads.start_private_data(dataset, integration, items=items, ignore_errors=True, folder=folder)
        return Job(kind=DATASET_UPLOAD, resource=dataset, id=(yield from start))
    start = folder_uploads.start_folder_upload(str(folder), items=items, integration=integration, ignore_errors=True)
    return Job(kind=FOLDER_UPLOAD, resource=str(folder), id=(yield from start))


def digest(items: Mapping[str, Any]) -> str:
    """Identify what a job is sent."""
    return hashlib.sha256(msgspec.json.encode(items)).hexdigest()


def without_connection(uri: str) -> str:
    """The URI of a place in an object store, without the id of the connection that Airflow reads it with."""
    scheme, separator, rest = uri.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
