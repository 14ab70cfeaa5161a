"""Media: the files behind data units."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import (
    FRAME_FORMATS,
    FRAMES,
    MEDIA_LAYOUT,
    MOST_PARALLEL_DOWNLOADS,
    PARALLEL_DOWNLOADS,
)
from airflow_provider_encord.links import dataset_url, folder_url, project_url
from airflow_provider_encord.operators.arguments import (
    ON_ERROR,
    blank_to_none,
    parse_bool,
    parse_choice,
    parse_count,
    parse_ids,
    parse_mapping,
    parse_positive_int,
    parse_url,
    storage_path,
)
from airflow_provider_encord.operators.base import EncordBaseOperator, owner_of
from airflow_provider_encord.operators.literals import check_destination, check_literals, one_of, up_to

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath


class EncordPullMediaOperator(EncordBaseOperator):
    """Pull the files behind data units to a directory: images, videos and other files, or the frames of videos.

    Only reads from Encord. The files come through signed URLs, which are requested right before they are used and
    renewed if they expire; or directly from your bucket (`bucket_paths`). A file appears at the destination only when
    it is complete and has the right size. Of an image group, DICOM series or data group, all files are pulled.

    Safe to repeat: files that the report lists and that are unchanged at the destination are not fetched again. A retry
    continues after the last batch of 200 items. A storage item that is in several datasets is fetched once, unless the
    layout gives it several paths. Nothing at the destination is removed, except for temporary files of a killed attempt
    at the same report. If data units were deleted in Encord meanwhile, they count as ``not_found``. Needs an SSH key.
    Encord API: ``storage/items/get-bulk`` POST, ``storage/folders/{id}/items`` GET (v2), ``labelrows`` and ``datarow``
    GET (v1).

    :param labels: Path or URI of the manifest of an export of labels: pull the files of all label rows that it has
        listed (templated). Of an incremental export, these are also the rows that did not change.
    :param dataset_id: Pull the files of this dataset (templated).
    :param folder_id: Pull the files of this storage folder (templated).
    :param collection_id: Pull the files of this collection, as far as the user can see its items (templated).
    :param item_ids: Pull the files of these storage items (templated). Pass exactly one of these five arguments.
    :param recursive: With `folder_id`, also pull the files of folders inside of it (templated). Default: False.
    :param destination: Path or URI of the directory for the files (templated).
    :param layout: Path of a file below the destination (templated). For each file, these fields are filled in:
        ``{item_id}``, ``{data_hash}``, ``{title}``, ``{stem}`` (the title without its extension) and ``{extension}``
        (with its dot). It must contain ``{item_id}`` or ``{data_hash}``. Default: ``"{item_id}{extension}"``.
    :param bucket_paths: Read files directly from your buckets (templated): a dictionary from the beginning of a file's
        address in Encord to the path or URI of the same place, such as
        ``{"s3://my-bucket/": "s3://aws_default@my-bucket/"}``. Other files come through signed URLs.
    :param frames: Take frames out of videos instead of pulling the videos (templated): ``"all"``, or ``"labelled"`` for
        the frames that have labels in the export `labels` (in JSON Lines). The frames are in a directory that is named
        like the video. Needs the extra ``media``. Default: None, pull videos as they are.
    :param frame_step: Take only every n-th frame, counted from frame 0 (templated). Default: 1.
    :param frame_format: ``"jpg"`` (default) or ``"png"`` (templated).
    :param verify_size: Fail files whose size is not the one that Encord states (templated). Default: True.
    :param overwrite: Fetch also files that were pulled before (templated). Default: False.
    :param part: Pull only one of `parts` parts of the files, counted from 0 (templated), to spread them over mapped
        tasks: ``.partial(parts=4, ...).expand(part=[0, 1, 2, 3])``. An item is always in the same part. Default: 0.
    :param parts: Number of parts (templated). Default: 1.
    :param max_concurrency: How many files to fetch at once (templated). Default: 8.
    :param on_error: What to do if files fail and a retry cannot help (templated): ``"fail"`` (default) fails the task
        after all other files were pulled; ``"skip"`` only reports them.
    :param report: Path or URI of a JSON Lines file to write, with one line for each file or frame: outcome, path below
        the destination, size and SHA-256 (templated). The schema ``report`` of `airflow_provider_encord.schemas` lists
        the fields. Use the same report at every run, so that files are known. Default: ``media.jsonl`` in the
        destination; with `parts`, ``media-<part>-of-<parts>.jsonl``.
    :return: ``{"destination", "report", "created", "unchanged", "skipped", "not_found", "failed", "bytes"}``: the
        number of files with each outcome, and the number of bytes that were fetched. ``skipped`` counts items for which
        Encord has no file, and videos without frames to take.
    :raises AirflowFailException: An argument is wrong, or files could not be pulled and a retry cannot help.
    :raises AirflowException: Encord or a store could not be reached; a retry continues.
    """

    template_fields: Sequence[str] = (
        *("labels", "dataset_id", "folder_id", "collection_id", "item_ids", "recursive", "destination", "layout"),
        "bucket_paths",
        *("frames", "frame_step", "frame_format", "verify_size", "overwrite", "part", "parts", "max_concurrency"),
        *("on_error", "report"),
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        destination: str | os.PathLike[str] | ObjectStoragePath,
        labels: str | os.PathLike[str] | ObjectStoragePath | None = None,
        dataset_id: str | None = None,
        folder_id: str | None = None,
        collection_id: str | None = None,
        item_ids: Sequence[str] | str | None = None,
        recursive: bool | str = False,
        layout: str = MEDIA_LAYOUT,
        bucket_paths: Mapping[str, Any] | str | None = None,
        frames: str | None = None,
        frame_step: int | str = 1,
        frame_format: str = "jpg",
        verify_size: bool | str = True,
        overwrite: bool | str = False,
        part: int | str = 0,
        parts: int | str = 1,
        max_concurrency: int | str = PARALLEL_DOWNLOADS,
        on_error: str = "fail",
        report: str | os.PathLike[str] | ObjectStoragePath | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.destination = destination
        self.labels = labels
        self.dataset_id = dataset_id
        self.folder_id = folder_id
        self.collection_id = collection_id
        self.item_ids = item_ids
        self.recursive = recursive
        self.layout = layout
        self.bucket_paths = bucket_paths
        self.frames = frames
        self.frame_step = frame_step
        self.frame_format = frame_format
        self.verify_size = verify_size
        self.overwrite = overwrite
        self.part = part
        self.parts = parts
        self.max_concurrency = max_concurrency
        self.on_error = on_error
        self.report = report
        check_destination(destination)
        check_literals(
            labels=(labels, parse_url),
            report=(report, parse_url),
            recursive=(recursive, parse_bool),
            frames=(frames, one_of(*FRAMES)),
            frame_step=(frame_step, parse_positive_int),
            frame_format=(frame_format, one_of(*FRAME_FORMATS)),
            verify_size=(verify_size, parse_bool),
            overwrite=(overwrite, parse_bool),
            part=(part, parse_count),
            parts=(parts, parse_positive_int),
            max_concurrency=(max_concurrency, up_to(MOST_PARALLEL_DOWNLOADS)),
            on_error=(on_error, one_of(*ON_ERROR)),
        )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Pull the files."""
        from airflow_provider_encord.media import pulling

        destination = storage_path(self.destination, "destination")
        source = pulling.MediaSource(
            labels=self._path("labels"),
            dataset_id=blank_to_none(self.dataset_id),
            folder_id=blank_to_none(self.folder_id),
            collection_id=blank_to_none(self.collection_id),
            item_ids=parse_ids(self.item_ids, "item_ids"),
            recursive=parse_bool(self.recursive, "recursive"),
        )
        spec = pulling.PullSpec(
            destination=destination,
            max_concurrency=parse_positive_int(self.max_concurrency, "max_concurrency", most=MOST_PARALLEL_DOWNLOADS),
            overwrite=parse_bool(self.overwrite, "overwrite"),
            part=parse_count(self.part, "part"),
            parts=parse_positive_int(self.parts, "parts"),
        )
        on_error = parse_choice(self.on_error, "on_error", ON_ERROR)
        report = self._path("report") or destination / _report_name(spec.part, spec.parts)
        self._push_link_to(context, source)
        pulled = pulling.pull_media(
            self.client,
            source,
            spec,
            layout=str(self.layout),
            buckets=self._buckets(),
            frames=self._frames(pulling.Frames),
            verify_size=parse_bool(self.verify_size, "verify_size"),
            report_path=report,
            owner=owner_of(context),
        )
        result = {
            "destination": str(destination),
            "report": str(report),
            **pulling.counts_of(pulled),
            "bytes": pulled.bytes,
        }
        pulling.require_pulled(pulled, skip_failed=on_error == "skip")
        return result

    def _frames(self, class_: Any) -> Any:
        which = blank_to_none(self.frames)
        return class_(
            which=None if which is None else parse_choice(which, "frames", FRAMES),
            step=parse_positive_int(self.frame_step, "frame_step"),
            suffix=parse_choice(self.frame_format, "frame_format", FRAME_FORMATS),
        )

    def _buckets(self) -> dict[str, Any]:
        given = parse_mapping(self.bucket_paths, "bucket_paths") or {}
        for beginning in given:
            if not beginning.endswith("/"):
                raise InvalidArgumentError(
                    f"bucket_paths: {beginning!r} does not end with a slash, so it could be a part of the name of "
                    "another bucket. Add a slash."
                )
        return {beginning: storage_path(path, "bucket_paths") for beginning, path in given.items()}

    def _path(self, name: str) -> Any:
        value = blank_to_none(getattr(self, name))
        return None if value is None else storage_path(value, name)

    def _push_link_to(self, context: Context, source: Any) -> None:
        if source.labels is not None:
            self.push_link(context, project_url, source.project_id)
        elif source.dataset_id is not None:
            self.push_link(context, dataset_url, source.dataset_id)
        elif source.folder_id is not None:
            self.push_link(context, folder_url, source.folder_id)


def _report_name(part: int, parts: int) -> str:
    return "media.jsonl" if parts == 1 else f"media-{part}-of-{parts}.jsonl"
