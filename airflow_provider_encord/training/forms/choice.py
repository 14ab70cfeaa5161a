"""Which form writes a training set, what its classes are, and what it needs."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.formats.answers import mappings
from airflow_provider_encord.training.classes import Classes, answer_names, names_by_hash, object_names
from airflow_provider_encord.training.forms import Form
from airflow_provider_encord.training.pulled_files import PulledFiles

_FOLDERS, _COCO, _IMAGE_FOLDER, _MOT, _PANOPTIC = "folders", "coco", "imagefolder", "mot", "coco-panoptic"
_CAPTIONS, _WEB_DATASET, _PARQUET = "coco-captions", "webdataset", "parquet"
_MASKS = ("semantic-masks", "instance-masks")
_CLASSIFIED = (_FOLDERS, _WEB_DATASET, _PARQUET)
PACKED = (_WEB_DATASET, _PARQUET)
"""The forms that pack images into shards."""
_TEXT = "text"
_REGIONS = ("numpy", "shapely")
_DRAWN = (*_REGIONS, "pycocotools", "PIL")
_EXTRAS = {"pyarrow": "parquet"}
_NEEDS = {
    _FOLDERS: (),
    _COCO: (*_REGIONS, "pycocotools"),
    _PANOPTIC: _DRAWN,
    _PARQUET: (*_REGIONS, "pyarrow"),
    **dict.fromkeys(_MASKS, _DRAWN),
}
"""The modules of extras that a form needs, if not `_REGIONS`."""


class FormSpec(Protocol):
    """What a form is made for; see `building.BuildSpec`."""

    @property
    def format(self) -> str: ...
    @property
    def class_map(self) -> Mapping[str, Any]: ...
    @property
    def class_from(self) -> str | None: ...
    @property
    def caption_from(self) -> str | None: ...
    @property
    def stuff_classes(self) -> Collection[str]: ...
    @property
    def min_box_size(self) -> float: ...
    @property
    def max_shard_bytes(self) -> int: ...


def require_extras(format_: str) -> None:
    """Check that the modules of a form are installed.

    :raises InvalidArgumentError: One is not.
    """
    for module in _NEEDS.get(format_, _REGIONS):
        try:
            importlib.import_module(module)
        except ImportError:
            raise InvalidArgumentError(
                f"format: {format_} needs {module}, which is not installed. Install it with "
                f"`pip install 'airflow-provider-encord[{_EXTRAS.get(module, 'training')}]'`."
            ) from None


def classes_of(spec: FormSpec, structure: Mapping[str, Any]) -> Classes:
    """The classes of a training set.

    :param structure: Structure of the ontology.
    :raises InvalidArgumentError: An argument names what the ontology does not have, or the form does not use it.
    """
    _refuse_unused("class_from", spec.class_from, spec.format, _CLASSIFIED)
    _refuse_unused("caption_from", spec.caption_from, spec.format, (_CAPTIONS,))
    _refuse_unused("stuff_classes", spec.stuff_classes, spec.format, (_PANOPTIC,))
    if spec.format == _CAPTIONS:
        return _captions(spec, structure)
    if spec.class_from is not None:
        return Classes(answer_names(structure, spec.class_from), spec.class_map)
    if spec.format == _FOLDERS:
        raise InvalidArgumentError(
            f"class_from: the format {_FOLDERS!r} needs the name of the classification whose answer is the class."
        )
    return Classes(object_names(structure), spec.class_map, names_by_hash(structure))


def _captions(spec: FormSpec, structure: Mapping[str, Any]) -> Classes:
    """Captions have one class, which is counted."""
    if spec.caption_from is None:
        raise InvalidArgumentError(
            f"caption_from: the format {_CAPTIONS!r} needs the name of the text classification whose answer is the "
            "caption."
        )
    if spec.class_map:
        raise InvalidArgumentError(f"class_map: the format {_CAPTIONS!r} has no classes. Do not pass it.")
    known = [
        name
        for classification in mappings(structure.get("classifications"))
        for name in _text_questions(classification.get("attributes"))
    ]
    if spec.caption_from not in known:
        raise InvalidArgumentError(
            f"caption_from: the ontology has no classification {spec.caption_from!r} with text. It has "
            f"{', '.join(map(repr, dict.fromkeys(known))) or 'none'}."
        )
    return Classes([spec.caption_from], {})


def _text_questions(attributes: Any) -> Iterator[str]:
    """The names of attributes that are answered with text, also of those that are nested in options."""
    for attribute in mappings(attributes):
        if attribute.get("type") == _TEXT:
            yield str(attribute.get("name"))
        for option in mappings(attribute.get("options")):
            yield from _text_questions(option.get("options"))


def _refuse_unused(argument: str, value: Any, format_: str, users: Sequence[str]) -> None:
    if value and format_ not in users:
        *others, last = map(repr, users)
        only = f"the formats {', '.join(others)} and {last} use" if others else f"the format {last} uses"
        raise InvalidArgumentError(f"{argument}: only {only} it. Do not pass it.")


def form_of(
    spec: FormSpec, classes: Classes, splits: Sequence[str], structure: Mapping[str, Any], files: PulledFiles
) -> Form:
    """The form, whose module needs an extra.

    :param splits: Names of the splits.
    :param structure: Structure of the ontology.
    :raises InvalidArgumentError: The form cannot be made of these classes, or with these splits.
    """
    if spec.format == _FOLDERS:
        from airflow_provider_encord.training.forms.folders import FoldersForm

        return FoldersForm(spec.class_from or "", classes, splits)
    if spec.format in PACKED:
        return _packed_form(spec, classes, splits, files)
    if spec.format.startswith(_COCO):
        return _coco_form(spec, classes, splits, structure)
    least = spec.min_box_size
    if spec.format in _MASKS:
        from airflow_provider_encord.training.forms.masks import MasksForm

        return MasksForm(spec.format, classes, splits, min_box_size=least)
    if spec.format == _IMAGE_FOLDER:
        from airflow_provider_encord.training.forms.imagefolder import ImageFolderForm

        return ImageFolderForm(classes, splits, min_box_size=least)
    if spec.format == _MOT:
        from airflow_provider_encord.training.forms.mot import MotForm

        return MotForm(classes, splits, min_box_size=least)
    from airflow_provider_encord.training.forms.yolo import YoloForm

    return YoloForm(spec.format, classes, splits, structure, min_box_size=least)


def _coco_form(spec: FormSpec, classes: Classes, splits: Sequence[str], structure: Mapping[str, Any]) -> Form:
    if spec.format == _CAPTIONS:
        from airflow_provider_encord.training.forms.captions import CaptionsForm

        return CaptionsForm(spec.caption_from or "", splits)
    if spec.format == _PANOPTIC:
        from airflow_provider_encord.training.forms.panoptic import PanopticForm

        return PanopticForm(classes, splits, stuff_classes=spec.stuff_classes, min_box_size=spec.min_box_size)
    from airflow_provider_encord.training.forms.coco import CocoForm

    return CocoForm(classes, splits, structure, min_box_size=spec.min_box_size)


def _packed_form(spec: FormSpec, classes: Classes, splits: Sequence[str], files: PulledFiles) -> Form:
    if spec.format == _PARQUET:
        from airflow_provider_encord.training.forms.parquet import ParquetForm as Packed
    else:
        from airflow_provider_encord.training.forms.webdataset import WebDatasetForm as Packed  # type: ignore[assignment]
    return Packed(
        classes,
        splits,
        files,
        question=spec.class_from,
        max_shard_bytes=spec.max_shard_bytes,
        min_box_size=spec.min_box_size,
    )
