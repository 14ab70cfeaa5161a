"""Which rows count as edited since an export: its selection, the time of its listing, and what it knew already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.defaults import OVERLAP
from airflow_provider_encord.exports.incremental import Chain, since_of
from airflow_provider_encord.exports.listing_file import read_rows
from airflow_provider_encord.exports.manifest import Manifest
from airflow_provider_encord.storage_paths import StoragePath

_NOT_SENT = {"edited_after", "edited_before"}


class SinceExport(msgspec.Struct, frozen=True, kw_only=True):
    """How to ask for the rows that were edited since an export.

    :param edited_after: ISO 8601. It is a little before the listing of the export, because edit times may be rounded.
    :param known: Rows edited after that time that the export listed: their edit times, by label hash.
    :param which: Other fields of the `LabelRowFilter` of the export, as JSON types.
    """

    edited_after: str
    known: Mapping[str, str | None]
    which: Mapping[str, Any]


def rows_since(directory: StoragePath, manifest: Manifest, *, most_known: int) -> SinceExport:
    """How to ask for the rows that were edited since an export.

    :param most_known: Maximum size of `SinceExport.known`. If there are more such rows, the time of the listing itself
        is used, without the allowance for rounded times.
    :raises ManifestError: The listing of the export is missing or damaged.
    """
    after = _edited_after(directory, manifest, OVERLAP)
    known = _known(directory, manifest, after)
    if len(known) > most_known:
        after, known = _edited_after(directory, manifest, 0.0), {}
    return SinceExport(edited_after=after, known=known, which=_fields_sent(manifest))


def _edited_after(directory: StoragePath, manifest: Manifest, lookback_seconds: float) -> str:
    chain = Chain(directory=directory, lookback_seconds=lookback_seconds)
    return since_of(chain, (directory, manifest)).edited_after


def _known(directory: StoragePath, manifest: Manifest, edited_after: str) -> dict[str, str | None]:
    after = parse_time(edited_after)
    return {
        row.label_hash: row.last_edited_at
        for row, _ in read_rows(directory, manifest.listing)
        if row.last_edited_at and parse_time(row.last_edited_at) > after
    }


def _fields_sent(manifest: Manifest) -> dict[str, Any]:
    wire = manifest.selection.wire_filter()
    default = type(wire)()
    fields = {name: getattr(wire, name) for name in wire.__struct_fields__ if name not in _NOT_SENT}
    changed = {name: value for name, value in fields.items() if value != getattr(default, name)}
    plain: dict[str, Any] = msgspec.to_builtins(changed)
    return plain
