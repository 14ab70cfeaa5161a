"""Pulling media as a task does it: from arguments to the report and the result."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError, RefusedError, UnavailableError
from airflow_provider_encord.exports import read_manifest
from airflow_provider_encord.exports.arguments import latest_rows, naming
from airflow_provider_encord.media.fetching import Buckets, Fetcher
from airflow_provider_encord.media.frame_files import FrameFiles, FrameSelection, labelled_frames
from airflow_provider_encord.media.frames import require_frames
from airflow_provider_encord.media.layout import Layout
from airflow_provider_encord.media.pull import COUNTED, Pull, Pulled
from airflow_provider_encord.media.pull import PullSpec as PullSpec
from airflow_provider_encord.media.report import MediaReport
from airflow_provider_encord.media.wanted import (
    References,
    items_of_collection,
    items_of_dataset,
    items_of_folder,
    items_of_labels,
    items_of_list,
)
from airflow_provider_encord.storage_paths import StoragePath

_SOURCES = ("labels", "dataset_id", "folder_id", "collection_id", "item_ids")
ALL_FRAMES, LABELLED_FRAMES = "all", "labelled"


@dataclasses.dataclass(frozen=True, kw_only=True)
class MediaSource:
    """What to pull the files of; exactly one of the fields is set.

    :param labels: Manifest of an export of labels.
    """

    labels: StoragePath | None = None
    dataset_id: str | None = None
    folder_id: str | None = None
    collection_id: str | None = None
    item_ids: Sequence[str] | None = None
    recursive: bool = False

    def __post_init__(self) -> None:
        """:raises InvalidArgumentError: Not exactly one source was passed."""
        if sum(getattr(self, name) is not None for name in _SOURCES) != 1:
            raise InvalidArgumentError(
                f"Pass exactly one of {', '.join(f'`{name}`' for name in _SOURCES)} (check the rendered templates)."
            )

    @property
    def project_id(self) -> str | None:
        """The project of the labels; None without labels.

        :raises ManifestError: There is no complete export.
        """
        if self.labels is None:
            return None
        with naming("labels"):
            return read_manifest(self.labels).project_id  # type: ignore[arg-type] # a path of any kind

    def references(self, client: EncordClient) -> References:
        """The storage items."""
        if self.labels is not None:
            return items_of_labels(client, self.labels)
        if self.dataset_id is not None:
            return items_of_dataset(client, self.dataset_id)
        if self.folder_id is not None:
            return items_of_folder(client, self.folder_id, recursive=self.recursive)
        if self.collection_id is not None:
            return items_of_collection(client, self.collection_id)
        return items_of_list(self.item_ids or ())


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frames:
    """Which frames to take out of videos.

    :param which: `ALL_FRAMES` or `LABELLED_FRAMES`; None pulls videos as they are.
    :param suffix: ``"jpg"`` or ``"png"``.
    """

    which: str | None = None
    step: int = 1
    suffix: str = "jpg"

    def selection(self, labels: StoragePath | None) -> FrameSelection | None:
        """The frames of each video.

        :raises InvalidArgumentError: The extra is not installed, or frames with labels are asked for without labels.
        """
        if self.which is None:
            return None
        require_frames("frames: it", extra="media", modules=("av", "numpy", "PIL"))
        if self.which == ALL_FRAMES:
            return FrameSelection(step=self.step)
        if labels is None:
            raise InvalidArgumentError('frames: "labelled" needs `labels`, the manifest of an export in JSON Lines.')
        return FrameSelection(step=self.step, labelled=labelled_frames(latest_rows(labels, "labels")))


def pull_media(
    client: EncordClient,
    source: MediaSource,
    spec: PullSpec,
    *,
    layout: str,
    buckets: Mapping[str, Any],
    frames: Frames,
    verify_size: bool,
    report_path: StoragePath,
    owner: Owner,
) -> Pulled:
    """Pull the files, and write the report.

    :param buckets: Path objects by the beginning of addresses.
    :param report_path: Path of the report.
    :raises InvalidArgumentError: An argument is wrong. Nothing was pulled.
    :raises EncordError: Encord could not be reached. The report keeps what was pulled.
    """
    if not 0 <= spec.part < spec.parts:
        raise InvalidArgumentError(f"part: {spec.part} is not a part of {spec.parts}. Parts are counted from 0.")
    places = Layout(layout)
    references = source.references(client)
    selection = frames.selection(source.labels)
    fetcher = Fetcher(client, spec.destination, places, Buckets(buckets), verify_size=verify_size, mark=owner.attempt)
    frame_files = None if selection is None else FrameFiles(fetcher, spec.destination, selection, frames.suffix)
    report = MediaReport(report_path, owner, spec.destination)
    try:
        pulled = Pull(client, spec, fetcher, frame_files, report).run(references)
        report.finish()
    except BaseException:
        report.release()
        raise
    return pulled


def require_pulled(pulled: Pulled, *, skip_failed: bool) -> None:
    """Check that files did not fail.

    :param skip_failed: Accept files that a retry cannot help.
    :raises UnavailableError: A retry may help some of them.
    :raises RefusedError: It cannot.
    """
    failed = pulled.counts["failed"]
    if not failed:
        return
    text = f"{failed} of {pulled.files} files could not be pulled:\n" + "\n".join(
        f"- {name}" for name in pulled.failures
    )
    if pulled.retryable:
        raise UnavailableError(text)
    if not skip_failed:
        raise RefusedError(text)


def counts_of(pulled: Pulled) -> dict[str, int]:
    """The number of files by outcome, of all outcomes."""
    return {name: pulled.counts[name] for name in COUNTED}
