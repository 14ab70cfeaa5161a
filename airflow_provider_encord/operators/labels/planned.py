"""Base of the operators that plan an export: the arguments for destination, format and history."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.defaults import JSON_LINES, LABEL_FORMATS, OVERLAP, SHARD_BYTES
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    parse_bool,
    parse_positive_int,
    parse_seconds,
    parse_text,
    parse_url,
    storage_path,
)
from airflow_provider_encord.operators.labels.filters import LabelRowsOperator
from airflow_provider_encord.operators.literals import check_destination, check_literals, one_of
from airflow_provider_encord.operators.runs import run_moment

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.exports.labels import ExportSpec


class PlannedExportOperator(LabelRowsOperator):
    """Base of operators that plan an export.

    :param destination: Directory for the files (templated): a URL of Airflow's object storage
        (``s3://connection_id@bucket/path``), an absolute local path, or an `ObjectStoragePath`. Relative paths are
        errors, because workers share no working directory.
    :param format: Format and suffix of the files (templated). ``jsonl`` (default): one line for each row, the JSON as
        Encord sent it. ``jsonl.gz`` and ``jsonl.zst``: the same, compressed (zst: extra ``zstd``).
        ``annotations.jsonl`` (or with ``.gz`` or ``.zst``): one line for each annotation on each frame or range.
        ``parquet``: the same table (extra ``parquet``). ``coco.json``, ``coco.json.gz`` and ``coco.json.zst``: COCO
        (extra ``coco``).
    :param max_shard_bytes: Maximum size of the label JSON in a file, in bytes, before compression or conversion
        (templated). A file with a single row may be larger. Default: 64 MiB.
    :param incremental: Export only the rows that are new or changed since the last export of the history, and list the
        rows that were removed (templated). The first export of a history contains all rows. If an earlier export is
        missing or damaged, all rows are exported, too; the log and the manifest then say why. Default: False.
    :param history_dir: Directory whose subdirectories are the exports of the history (templated). Default: the parent
        directory of `destination`.
    :param history_name: Name of the history, if the directory has several (templated). Default: the ids of the DAG and
        the task. All exports of a history must have the same project, branch, filters, `format` and
        `max_shard_bytes`.
    :param lookback_seconds: Rows that were edited less than this many seconds before the previous export listed them
        are exported again, even if their edit time did not change (templated). Default: 1.
    :param overwrite: Replace a complete export of this logical date (templated). Default: False.
    """

    template_fields: Sequence[str] = (
        "destination",
        "format",
        "max_shard_bytes",
        "incremental",
        "history_dir",
        "history_name",
        "lookback_seconds",
        "overwrite",
        *LabelRowsOperator.template_fields,
    )

    def __init__(
        self,
        *,
        destination: str | os.PathLike[str] | ObjectStoragePath,
        format: str = JSON_LINES,  # noqa: A002 - the word for it
        max_shard_bytes: int | str = SHARD_BYTES,
        incremental: bool | str = False,
        history_dir: str | os.PathLike[str] | ObjectStoragePath | None = None,
        history_name: str | None = None,
        lookback_seconds: float | str = OVERLAP,
        overwrite: bool | str = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.destination = destination
        self.format = format
        self.max_shard_bytes = max_shard_bytes
        self.incremental = incremental
        self.history_dir = history_dir
        self.history_name = history_name
        self.lookback_seconds = lookback_seconds
        self.overwrite = overwrite
        check_destination(destination)
        check_literals(
            format=(format, one_of(*LABEL_FORMATS)),
            max_shard_bytes=(max_shard_bytes, parse_positive_int),
            incremental=(incremental, parse_bool),
            history_dir=(history_dir, parse_url),
            history_name=(history_name, parse_text),
            lookback_seconds=(lookback_seconds, parse_seconds),
            overwrite=(overwrite, parse_bool),
        )

    def target(self) -> ObjectStoragePath:
        """Return the directory of the export.

        :raises InvalidArgumentError: It is empty or relative, or its file system is not installed.
        """
        return storage_path(self.destination, "destination")

    def spec(self, context: Context, target: ObjectStoragePath) -> ExportSpec:
        """Return the specification of the export.

        :raises InvalidArgumentError: An argument is wrong.
        """
        from airflow_provider_encord.exports.request import layout_of, specify_export

        layout = layout_of(
            str(blank_to_none(self.format) or JSON_LINES), parse_positive_int(self.max_shard_bytes, "max_shard_bytes")
        )
        return specify_export(
            history=self._history(target) if parse_bool(self.incremental, "incremental") else None,
            selection=self.selection(),
            layout=layout,
            logical_date=run_moment(context),
            overwrite=parse_bool(self.overwrite, "overwrite"),
        )

    def _history(self, target: ObjectStoragePath) -> dict[str, Any]:
        """The chain of incremental exports."""
        own = blank_to_none(self.history_dir)
        return {
            "directory": target.parent if own is None else storage_path(own, "history_dir"),
            "lookback_seconds": parse_seconds(self.lookback_seconds, "lookback_seconds"),
            "name": parse_text(self.history_name, "history_name") or f"{self.dag_id}.{self.task_id}",
        }
