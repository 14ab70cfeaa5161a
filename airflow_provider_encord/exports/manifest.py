"""``manifest.json``: what an export holds. It is written last, so an export with a manifest is complete.

Readers check `schema_version` first. The part before the dot grows when old readers would misread the file; the part
after it, when there are only new fields, which old readers skip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.defaults import JSON_LINES, SHARD_BYTES
from airflow_provider_encord.exports.file_names import MANIFEST as MANIFEST
from airflow_provider_encord.exports.listing import WORKER, Filters, ListedRow, RowSelection
from airflow_provider_encord.storage_paths import StoragePath

SCHEMA_VERSION = "1.0"
LABELS: Literal["labels"] = "labels"


class ManifestError(EncordError):
    """There is no whole export, one of its files is missing or damaged, or this version cannot read its manifest."""


class NewerManifestError(ManifestError):
    """It is of a schema that this version does not know."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of label rows. They add up.

    ``listed == with_labels + without_labels`` and ``with_labels == exported + not_found + failed + unchanged``.

    :param listed: Data units that the filters let through.
    :param with_labels: Those that have a label row.
    :param without_labels: Those that have no labels yet; they are not in the files.
    :param exported: Rows in the shards.
    :param not_found: Rows that were listed, and then deleted before they were read; named in `Manifest.not_found`.
    :param failed: Rows that cannot be read, or that Encord leaves out of its answers; named in `Manifest.failed`.
    :param unchanged: Not read again, because they have not changed since the previous export; 0 unless incremental.
    :param removed: Rows of the previous export that are not listed any more; named in the file `Manifest.removed`.
    """

    listed: int
    with_labels: int
    without_labels: int
    exported: int
    not_found: int
    failed: int = 0
    unchanged: int = 0
    removed: int = 0

    def problems(self) -> Iterator[str]:
        """The sums that do not match, in words. Each listed row has exactly one outcome."""
        if self.listed != self.with_labels + self.without_labels:
            yield f"{self.listed} rows were listed, {self.with_labels} with labels and {self.without_labels} without"
        outcomes = (self.exported, self.not_found, self.failed, self.unchanged)
        if self.with_labels != sum(outcomes):
            yield (
                f"{self.with_labels} rows have labels, and {self.exported} were exported, {self.not_found} are "
                f"missing, {self.failed} failed, {self.unchanged} are unchanged"
            )


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """One file of label rows. JSON Lines have a row as Encord sent it on each line, every line ended by a newline.

    :param name: File name, beside the manifest.
    :param rows: Label rows in it.
    :param bytes: Size of the file.
    :param sha256: Of the file, as 64 hexadecimal digits.
    :param unsupported: What of these rows the format cannot say, counted by reason.
    """

    name: str
    rows: int
    bytes: int
    sha256: str
    unsupported: dict[str, int] = {}


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A file beside the manifest that is not of label rows; see `listing_file`.

    :param name: File name.
    :param rows: Lines.
    :param bytes: Size of the file.
    :param sha256: Of the file.
    """

    name: str
    rows: int
    bytes: int
    sha256: str


class FailedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A label row whose content cannot be read.

    :param error: Why, and what to do.
    """

    data_hash: str
    branch: str
    label_hash: str
    error: str


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """How rows are put into files.

    :param format: Of `formats.FORMATS`; the suffix of the shards.
    :param max_shard_bytes: Label JSON in a shard at most, before it is compressed or converted.
    """

    format: str = JSON_LINES
    max_shard_bytes: int = SHARD_BYTES


class PreviousExport(msgspec.Struct, frozen=True, kw_only=True):
    """The export that an incremental one continues: it has the changes since then.

    :param manifest: URI of its manifest.
    :param plan_id: Its plan.
    :param logical_date: Its run.
    :param watermark: Its watermark.
    :param edited_after: Rows that were edited after this time were read again. It is the time at which that export
        listed the rows, less `lookback_seconds`.
    """

    manifest: str
    plan_id: str | None = None
    logical_date: str | None
    watermark: str | None
    edited_after: str


class ChainRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The incremental chain that an export belongs to.

    :param name: Distinguishes it from other chains in the same directory. All exports of a chain have the same project,
        branch, filters and layout.
    :param restarted: Why this export has all rows although the chain has earlier exports; null if it continues one, or
        is the first.
    """

    name: str
    restarted: str | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A whole export.

    :param schema_version: Of this file, ``"major.minor"``.
    :param kind: ``"labels"``.
    :param created_at: When the export was complete, ISO 8601, UTC.
    :param provider_version: Of airflow-provider-encord that wrote it.
    :param host: Host of the API that was asked.
    :param project_id: Id of the project that the labels come from.
    :param branch: The label branch; null for all branches.
    :param filters: Which rows were wanted; null does not restrict.
    :param counts: How many rows of what kind.
    :param bytes: Of all shards together.
    :param shards: In order; rows are ordered by data hash throughout.
    :param not_found: Rows that were listed, and then deleted before they were read.
    :param failed: Rows whose content cannot be read.
    :param watermark: The latest `last_edited_at` of all listed rows, as Encord wrote it; null if none has one. It was
        taken before any row was read, so a row edited later was edited after it.
    :param layout: How rows were put into files.
    :param plan_id: Id of the plan that was carried out.
    :param parts: How many tasks may have shared it; with more than one, names of shards begin with the part's number.
    :param logical_date: The logical date that it was made for, ISO 8601, UTC; null outside of Airflow.
    :param listed_at: When Encord was asked which rows there are.
    :param clock: Whose time that is: ``"encord"``, or ``"worker"`` if Encord's answers had no date.
    :param listing: The file of what was listed.
    :param previous: The export that this one continues; null if this one is of all rows.
    :param history: The chain that it belongs to; null if it is not incremental.
    :param removed: The file of the rows that are not listed any more; null if there is no previous export.
    :param replaces: Ids of plans that owned the directory before.
    :param fingerprint: Of all that decides which rows are in which files. An export is made again if another one is
        wanted.
    """

    schema_version: str
    kind: Literal["labels"]
    created_at: str
    provider_version: str
    host: str
    project_id: str
    branch: str | None
    filters: Filters
    counts: Counts
    bytes: int
    shards: Sequence[Shard]
    not_found: Sequence[ListedRow]
    failed: Sequence[FailedRow] = []
    watermark: str | None = None
    layout: Layout = Layout()
    plan_id: str | None = None
    parts: int = 1
    logical_date: str | None = None
    listed_at: str | None = None
    clock: str = WORKER
    listing: FileRecord | None = None
    previous: PreviousExport | None = None
    history: ChainRecord | None = None
    removed: FileRecord | None = None
    replaces: Sequence[str] = []
    fingerprint: str | None = None

    @property
    def file_names(self) -> list[str]:
        """The files beside the manifest."""
        beside = [record.name for record in (self.listing, self.removed) if record]
        return [*(shard.name for shard in self.shards), *beside]

    def problems(self) -> Iterator[str]:
        """The numbers that do not match, in words."""
        yield from self.counts.problems()
        for name, count, files in (
            ("rows", self.counts.exported, sum(shard.rows for shard in self.shards)),
            ("bytes", self.bytes, sum(shard.bytes for shard in self.shards)),
            ("missing rows", self.counts.not_found, len(self.not_found)),
            ("failed rows", self.counts.failed, len(self.failed)),
            ("rows that left", self.counts.removed, self.removed.rows if self.removed else 0),
            ("listed rows", self.counts.with_labels, self.listing.rows if self.listing else self.counts.with_labels),
        ):
            if count != files:
                yield f"its files have {files} {name}, and it says {count}"

    @property
    def selection(self) -> RowSelection:
        """What the export answers."""
        return RowSelection(project_id=self.project_id, branch=self.branch, filters=self.filters)


class _Version(msgspec.Struct, frozen=True, kw_only=True):
    schema_version: str


_MANIFEST = msgspec.json.Decoder(Manifest)
_VERSION = msgspec.json.Decoder(_Version)


def encode_manifest(manifest: msgspec.Struct) -> list[bytes]:
    """The content of the file."""
    return [msgspec.json.format(msgspec.json.encode(manifest), indent=2), b"\n"]


def read_manifest(directory: StoragePath) -> Manifest:
    """Read the manifest of the export in a directory.

    :raises ManifestError: It is missing, or of a newer schema, or not a manifest of label rows at all.
    """
    path = directory / MANIFEST
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ManifestError(f"There is no whole export in {directory}: it has no {MANIFEST}.") from None
    return decode_manifest(content, str(path))


def decode_manifest(content: bytes, title: str) -> Manifest:
    """Read a manifest from its bytes.

    :param title: Names it in messages.
    :raises ManifestError: It is of a newer schema, or not a manifest of label rows at all.
    """
    try:
        require_readable(content, title)
        return _MANIFEST.decode(content)
    except NOT_JSON as error:
        raise ManifestError(f"{title} is not the manifest of an export of label rows: {error}.") from None


def require_readable(content: bytes, title: str) -> None:
    """Check that a manifest is of a version that this one can read.

    :param content: Of its file.
    :raises ManifestError: It is not; `NewerManifestError` if it is newer.
    """
    version = _VERSION.decode(content).schema_version
    major, _, minor = version.partition(".")
    if not (major.isdecimal() and minor.isdecimal()):
        raise ManifestError(f"{title} has the schema_version {version!r}, which is not a version of ours.")
    if int(major) > int(SCHEMA_VERSION.partition(".")[0]):
        raise NewerManifestError(
            f"{title} has the schema_version {version}, and this version of airflow-provider-encord reads up to "
            f"{SCHEMA_VERSION}. Upgrade airflow-provider-encord to read it."
        )
