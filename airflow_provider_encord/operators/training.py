"""Training sets: labels with their media, in the forms that training code reads."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import (
    DEFAULT_SPLIT,
    MEASURES_OF_DATA_UNITS,
    MOST_PARALLEL_DOWNLOADS,
    PARALLEL_DOWNLOADS,
    STRATIFY_BY,
    TRAINING_FORMATS,
    TRAINING_SHARD_BYTES,
)
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    parse_bool,
    parse_choice,
    parse_list,
    parse_mapping,
    parse_positive_int,
    parse_text,
    parse_texts,
    parse_url,
    storage_path,
)
from airflow_provider_encord.operators.base import EncordBaseOperator, owner_of
from airflow_provider_encord.operators.literals import (
    InvalidLiteralError,
    check_destination,
    check_literals,
    is_literal,
    one_of,
    up_to,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath


class EncordBuildTrainingSetOperator(EncordBaseOperator):
    """Build a training set of exported labels and pulled media, in a form that training code reads.

    Of Encord, it reads only the ontology of the project, with ``split_by="client_metadata.<key>"`` the metadata of its
    data units, and with `stage` their stages. The files of the training set depend only on these, the labels, the media
    and the arguments: two builds of the same inputs are equal, byte for byte. What filters or the form leave out is
    counted, and listed in ``left_out.jsonl``. ``README.md`` and ``card.html`` describe the training set;
    ``training_set.json`` is written last.

    Safe to repeat: if the destination has this training set already, nothing is written. A retry writes the same files
    again. Another training set at the destination is an error unless `overwrite` is set; then no file of it is left.
    Works with an SSH key, or with the API key of the project (by data hash). Encord API: ``ontology``, ``labelrows``
    GET (v1).

    :param labels: Path or URI of the manifest of an export in JSON Lines (templated). Of an incremental export, the
        earlier exports are read, too. It must have one label branch.
    :param media: Path or URI of the report of `EncordPullMediaOperator`, or a list of reports if it was mapped
        (templated). Frames of videos must have been pulled as frames.
    :param media_dir: Path or URI of the directory of the media (templated). Default: the directory of the first report.
    :param destination: Path or URI of an empty directory for the training set (templated).
    :param format: Form of the training set (templated): ``"yolo-detect"``, ``"yolo-segment"``, ``"yolo-obb"`` (rotated
        boxes), ``"yolo-pose"`` (skeletons), ``"coco"``, ``"coco-panoptic"``, ``"coco-captions"``, ``"semantic-masks"``
        and ``"instance-masks"`` (PNG), ``"mot"`` (tracks in videos and image groups), ``"webdataset"`` (tar files),
        ``"parquet"`` and ``"imagefolder"`` (both of the library ``datasets``), or ``"folders"`` (a folder of images for
        each class).
    :param class_map: New names of classes, by their names in the ontology (templated). Classes with the same new name
        are merged; None drops a class. Classes that are not in it keep their names. Default: no changes.
    :param class_from: The name of the classification, or of an attribute of it, whose answer is the class of an image
        (templated). The format ``"folders"`` needs it. With it, ``"webdataset"`` and ``"parquet"`` have classified
        images; without it, objects.
    :param caption_from: With the format ``"coco-captions"``, the name of the text classification, or of a text
        attribute of one, whose answer is the caption (templated).
    :param stuff_classes: With the format ``"coco-panoptic"``, the classes that are stuff, such as sky, by their names
        after `class_map` (templated). All objects of such a class on an image are one segment. Default: none; each
        object is a thing.
    :param split: The share of each split, by name (templated). The shares add up to 1. Default: ``{"train": 0.8, "val":
        0.1, "test": 0.1}``.
    :param split_by: What is kept together in one split (templated): ``"data_hash"`` (default), a data unit with all its
        frames or images; or ``"client_metadata.<key>"``, all data units with the same value, such as a scene. The split
        is decided by a hash of the value alone, so it does not change when data are added.
    :param stratify_by: ``"class"`` gives each split its share of the labels of each class (templated). Data units that
        are in `previous` stay in their split, and new ones go where their rarest class is lacking. Default: the split
        is decided by the hash alone.
    :param previous: With `stratify_by`, path or URI of the record of an earlier training set, such as the ``record``
        that this task returned in its last run (templated). Without it, all data units are assigned again.
    :param seed: Another seed gives another assignment to splits (templated). Default: empty.
    :param stage: Keep only data units whose task is in this workflow stage, or in one of several: titles or ids
        (templated). The stage is read when the training set is built. Default: all stages.
    :param classification_answers: Keep only images with these answers to classifications, by the name of the
        classification or of an attribute of it (templated): ``{"Weather": "Sun", "Lens": ["clean", None]}``. Of a list,
        any answer will do. None stands for no answer. True and False stand for options of these names.
    :param object_answers: Keep only objects with these answers, by the name of the attribute (templated):
        ``{"Occluded": [False, None]}``. Objects whose class has no such attribute are kept. An image stays if its last
        object is left out.
    :param gate_report: Path or URI of the report of `EncordQualityGateOperator` on the project: leave out the data
        units that it names, such as those with less agreement than the limit of the gate (templated).
    :param gate_measures: With `gate_report`, the measures that count, such as ``["agreement"]`` (templated). Default:
        all measures.
    :param min_box_size: Leave out objects whose box is narrower or lower, in pixels (templated). Default: 0.
    :param max_shard_bytes: With the formats ``"webdataset"`` and ``"parquet"``, the most bytes of images in a file
        (templated). A larger image has a file for itself. Default: 256 MiB.
    :param max_concurrency: How many files to copy at once (templated). Default: 8.
    :param overwrite: Replace another training set at the destination (templated). Default: False.
    :return: ``{"destination", "record", "format", "classes", "images", "objects", "splits", "left_out", "built"}``:
        the number of images and labels, the images of each split, the number of labels that were left out, and whether
        the training set was built now.
    :raises AirflowFailException: An argument is wrong, no image is left, or the destination has another training set or
        other files.
    :raises AirflowException: Encord or a store could not be reached; a retry may help.
    """

    template_fields: Sequence[str] = (
        *("labels", "media", "media_dir", "destination", "format", "class_map", "class_from", "caption_from"),
        *("stuff_classes", "split", "split_by", "stratify_by", "previous", "seed"),
        *("stage", "classification_answers", "object_answers", "gate_report", "gate_measures"),
        *("min_box_size", "max_shard_bytes", "max_concurrency", "overwrite"),
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        labels: str | os.PathLike[str] | ObjectStoragePath,
        media: str | os.PathLike[str] | ObjectStoragePath | Sequence[Any],
        destination: str | os.PathLike[str] | ObjectStoragePath,
        format: str,  # noqa: A002 - the word for it, as in the export
        media_dir: str | os.PathLike[str] | ObjectStoragePath | None = None,
        class_map: Mapping[str, str | None] | str | None = None,
        class_from: str | None = None,
        caption_from: str | None = None,
        stuff_classes: Sequence[str] | str | None = None,
        split: Mapping[str, float] | str | None = None,
        split_by: str = "data_hash",
        stratify_by: str | None = None,
        previous: str | os.PathLike[str] | ObjectStoragePath | None = None,
        seed: str = "",
        stage: Sequence[str] | str | None = None,
        classification_answers: Mapping[str, Any] | str | None = None,
        object_answers: Mapping[str, Any] | str | None = None,
        gate_report: str | os.PathLike[str] | ObjectStoragePath | None = None,
        gate_measures: Sequence[str] | str | None = None,
        min_box_size: float | str = 0,
        max_shard_bytes: int | str = TRAINING_SHARD_BYTES,
        max_concurrency: int | str = PARALLEL_DOWNLOADS,
        overwrite: bool | str = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.labels = labels
        self.media = media
        self.destination = destination
        self.format = format
        self.media_dir = media_dir
        self.class_map = class_map
        self.class_from = class_from
        self.caption_from = caption_from
        self.stuff_classes = stuff_classes
        self.split = split
        self.split_by = split_by
        self.stratify_by = stratify_by
        self.previous = previous
        self.seed = seed
        self.stage = stage
        self.classification_answers = classification_answers
        self.object_answers = object_answers
        self.gate_report = gate_report
        self.gate_measures = gate_measures
        self.min_box_size = min_box_size
        self.max_shard_bytes = max_shard_bytes
        self.max_concurrency = max_concurrency
        self.overwrite = overwrite
        check_destination(destination)
        check_literals(
            labels=(labels, parse_url),
            media_dir=(media_dir, parse_url),
            format=(format, one_of(*TRAINING_FORMATS)),
            classification_answers=(classification_answers, _answers),
            object_answers=(object_answers, _answers),
            stratify_by=(stratify_by, one_of(*STRATIFY_BY)),
            previous=(previous, parse_url),
            gate_report=(gate_report, parse_url),
            gate_measures=(gate_measures, _measures),
            max_shard_bytes=(max_shard_bytes, parse_positive_int),
            max_concurrency=(max_concurrency, up_to(MOST_PARALLEL_DOWNLOADS)),
            overwrite=(overwrite, parse_bool),
        )
        if gate_report is None and gate_measures is not None and is_literal(gate_measures):
            raise InvalidLiteralError("gate_measures: it needs `gate_report`, the report of a quality gate.")

    def _execute(self, context: Context) -> dict[str, Any]:
        """Build the training set."""
        from airflow_provider_encord.training import building

        reports = [storage_path(report, "media") for report in parse_list(self.media, "media")]
        if not reports:
            raise InvalidArgumentError("media: it is empty. Pass the report of the pulled media.")
        stratify_by = blank_to_none(self.stratify_by)
        spec = building.BuildSpec(
            labels=storage_path(self.labels, "labels"),
            media=self._path("media_dir") or reports[0].parent,
            reports=reports,
            destination=storage_path(self.destination, "destination"),
            format=parse_choice(self.format, "format", TRAINING_FORMATS),
            class_map=parse_mapping(self.class_map, "class_map") or {},
            class_from=parse_text(self.class_from, "class_from"),
            caption_from=parse_text(self.caption_from, "caption_from"),
            stuff_classes=[str(name) for name in parse_list(self.stuff_classes, "stuff_classes")],
            split=parse_mapping(self.split, "split") or DEFAULT_SPLIT,
            split_by=parse_text(self.split_by, "split_by") or "data_hash",
            stratify_by=None if stratify_by is None else parse_choice(stratify_by, "stratify_by", STRATIFY_BY),
            previous=self._path("previous"),
            seed=parse_text(self.seed, "seed") or "",
            min_box_size=_size(self.min_box_size),
            max_shard_bytes=parse_positive_int(self.max_shard_bytes, "max_shard_bytes"),
            max_concurrency=parse_positive_int(self.max_concurrency, "max_concurrency", most=MOST_PARALLEL_DOWNLOADS),
            overwrite=parse_bool(self.overwrite, "overwrite"),
            filters=building.FilterSpec(
                stage=parse_texts(self.stage, "stage") or (),
                classification_answers=_answers(self.classification_answers, "classification_answers"),
                object_answers=_answers(self.object_answers, "object_answers"),
                gate_report=self._path("gate_report"),
                gate_measures=_measures(self.gate_measures, "gate_measures"),
            ),
        )
        manifest = building.manifest_of(spec)
        self.push_link(context, project_url, manifest.project_id)
        record, built = building.build_training_set(self.client, spec, manifest, owner_of(context))
        return {
            "destination": str(spec.destination),
            "record": str(spec.destination / building.RECORD),
            "format": record.format,
            "classes": len(record.classes),
            "images": record.images,
            "objects": record.objects,
            "splits": {name: counts.images for name, counts in record.splits.items()},
            "left_out": sum(record.left_out.values()),
            "built": built,
        }

    def _path(self, name: str) -> Any:
        value = blank_to_none(getattr(self, name))
        return None if value is None else storage_path(value, name)


def _size(value: Any) -> float:
    """A number of pixels; 0 for an empty value."""
    try:
        size = float(blank_to_none(value) or 0)
    except (TypeError, ValueError):
        size = -1.0
    if not 0 <= size < float("inf"):
        raise InvalidArgumentError(f"min_box_size: {str(value)[:80]!r} is not a number of pixels, 0 or more.")
    return size


def _answers(value: Any, name: str) -> dict[str, list[Any]]:
    """Wanted answers by question, each as a list; empty for an empty value."""
    found: dict[str, list[Any]] = {}
    for question, given in (parse_mapping(value, name) or {}).items():
        answers = list(given) if isinstance(given, list | tuple | set | frozenset) else [given]
        wrong = [one for one in answers if one == "" or not (one is None or isinstance(one, str | bool | int | float))]
        if wrong or not answers:
            raise InvalidArgumentError(
                f"{name}: {str(given)[:80]!r} is not an answer to {str(question)[:80]!r}. Pass a text, a number, True, "
                "False, None for no answer, or a list of these."
            )
        found[str(question)] = answers
    return found


def _measures(value: Any, name: str) -> list[str]:
    """Measures of quality gates; empty for an empty value."""
    return [parse_choice(measure, name, MEASURES_OF_DATA_UNITS) for measure in parse_texts(value, name) or ()]
