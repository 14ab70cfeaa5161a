"""The file formats of label rows: JSON Lines as Encord sent them, tables of annotations, and COCO.

The name of a format is the suffix of its files. One encoder writes one file.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import JSON_LINES, LABEL_FORMATS
from airflow_provider_encord.exports.formats import json_lines
from airflow_provider_encord.storage_paths import BinaryWriter

PARQUET = "parquet"
COCO = "coco.json"
ANNOTATION_LINES = "annotations.jsonl"


class Encoder(Protocol):
    """Writes one file."""

    def write(self, row: LabelRow) -> None:
        """Add a label row."""

    def finish(self) -> dict[str, int]:
        """Write the end of the content. The caller closes the file.

        :return: Number of items in the rows that the format does not support, by reason.
        """


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The project that the label rows are of.

    :param project_id: Its id.
    :param structure: Structure of its ontology, for formats that need it.
    """

    project_id: str
    structure: Mapping[str, Any]


def _parquet(file: BinaryWriter, origin: Origin) -> Encoder:
    from airflow_provider_encord.exports.formats.parquet import ParquetEncoder

    return ParquetEncoder(file, origin.structure, origin.project_id)


def _annotation_lines(file: BinaryWriter, origin: Origin) -> Encoder:
    from airflow_provider_encord.exports.formats.annotation_lines import AnnotationLinesEncoder

    return AnnotationLinesEncoder(file, origin.structure, origin.project_id)


def _coco(file: BinaryWriter, origin: Origin) -> Encoder:
    from airflow_provider_encord.exports.formats.coco import CocoEncoder

    return CocoEncoder(file, origin.structure)


class Format(Protocol):
    """Creates the encoder of a file."""

    def __call__(self, file: BinaryWriter, origin: Origin, /) -> Encoder: ...


class _Compressed:
    """A format whose content is compressed."""

    def __init__(self, format_: Format, compression: Callable[[BinaryWriter], json_lines.Compressing]):
        self._format, self._compression = format_, compression

    def __call__(self, file: BinaryWriter, origin: Origin, /) -> Encoder:
        compressing = self._compression(file)
        return _Ending(self._format(compressing, origin), compressing)


class _Ending:
    """An encoder whose `finish` also finishes the compression."""

    def __init__(self, encoder: Encoder, compressing: json_lines.Compressing):
        self.write = encoder.write
        self._encoder, self._compressing = encoder, compressing

    def finish(self) -> dict[str, int]:
        left_out = self._encoder.finish()
        self._compressing.finish()
        return left_out


FORMATS: dict[str, Format] = {
    JSON_LINES: lambda file, _: json_lines.JsonLinesEncoder(file),
    ANNOTATION_LINES: _annotation_lines,
    PARQUET: _parquet,
    COCO: _coco,
}
_TEXTS = (JSON_LINES, ANNOTATION_LINES, COCO)
FORMATS |= {f"{name}.gz": _Compressed(FORMATS[name], json_lines.gzip_of) for name in _TEXTS}
FORMATS |= {f"{name}.zst": _Compressed(FORMATS[name], json_lines.zstandard_of) for name in _TEXTS}

_NEEDS = {"parquet": ("pyarrow", "parquet"), "coco": ("pycocotools", "coco"), "zst": ("zstandard", "zstd")}


def require_format(name: str) -> None:
    """Check that a format exists and that its extra is installed.

    :raises InvalidArgumentError: The format does not exist, or its extra is not installed.
    """
    if name not in LABEL_FORMATS:
        raise InvalidArgumentError(f"format: {name!r} is not one of {', '.join(LABEL_FORMATS)}.")
    for part in name.split("."):
        module, extra = _NEEDS.get(part, ("", ""))
        try:
            importlib.import_module(module or "json")
        except ImportError:
            raise InvalidArgumentError(
                f"format: {name} needs {module}, which is not installed. Install it with "
                f"`pip install 'airflow-provider-encord[{extra}]'`, or use another format."
            ) from None


def needs_structure(name: str) -> bool:
    """Whether a format needs the project's ontology."""
    return is_table(name) or name.startswith("coco")


def is_table(name: str) -> bool:
    """Whether a format is the table of annotations, which can do without the ontology."""
    return name == PARQUET or name.startswith(ANNOTATION_LINES)
