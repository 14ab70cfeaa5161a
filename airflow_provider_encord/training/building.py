"""Building a training set as a task does it: from arguments to the record."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord import __version__
from airflow_provider_encord.attempts import Owner, fingerprint
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError, RefusedError
from airflow_provider_encord.defaults import TRAINING_SHARD_BYTES
from airflow_provider_encord.exports import Manifest, read_manifest
from airflow_provider_encord.exports.arguments import latest_rows, naming
from airflow_provider_encord.exports.file_names import MANIFEST
from airflow_provider_encord.exports.formats.answers import Names
from airflow_provider_encord.exports.listing_file import read_rows
from airflow_provider_encord.storage_paths import is_local, plain, storage_errors, write_whole
from airflow_provider_encord.training.build import Builder, Built
from airflow_provider_encord.training.card import card_of, page_of
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.directory import TrainingDirectory
from airflow_provider_encord.training.filters import Filters
from airflow_provider_encord.training.filters import FilterSpec as FilterSpec
from airflow_provider_encord.training.forms.choice import PACKED, classes_of, form_of, require_extras
from airflow_provider_encord.training.media_index import MediaIndex
from airflow_provider_encord.training.pulled_files import PulledFiles
from airflow_provider_encord.training.record import CARD, KIND, PAGE, SCHEMA_VERSION, SPLITS, TrainingSet
from airflow_provider_encord.training.record import RECORD as RECORD
from airflow_provider_encord.training.sizes import in_order
from airflow_provider_encord.training.split_keys import SplitKeys
from airflow_provider_encord.training.splits import Splits
from airflow_provider_encord.training.strata import classes_by_key
from airflow_provider_encord.training.stratified import StratifiedSplits, former_splits

log = logging.getLogger(__name__)

_NAMED = 5


@dataclasses.dataclass(frozen=True, kw_only=True)
class BuildSpec:
    """What to build.

    :param labels: Path object of the manifest of an export in JSON Lines.
    :param media: Path object of the directory of the media.
    :param reports: Path objects of the reports of the pulled media.
    :param class_from: The question whose answer is the class of an image.
    :param caption_from: The question whose answer is the caption of an image.
    :param stratify_by: What the splits have in equal shares: ``"class"``, or None.
    :param previous: Path object of an earlier training set, whose data units keep their splits.
    """

    labels: Any
    media: Any
    reports: Sequence[Any]
    destination: Any
    format: str
    class_map: Mapping[str, Any]
    class_from: str | None
    caption_from: str | None = None
    stuff_classes: Sequence[str] = ()
    max_shard_bytes: int = TRAINING_SHARD_BYTES
    split: Mapping[str, Any]
    split_by: str
    seed: str
    min_box_size: float
    max_concurrency: int
    overwrite: bool
    filters: FilterSpec = FilterSpec()  # noqa: RUF009 - it is frozen
    stratify_by: str | None = None
    previous: Any = None


def manifest_of(spec: BuildSpec) -> Manifest:
    """The manifest of the labels.

    :raises InvalidArgumentError: It is one of all label branches.
    :raises ManifestError: There is no complete export.
    """
    with naming("labels"):
        manifest = read_manifest(spec.labels)
    if manifest.branch is None:
        raise InvalidArgumentError(
            "labels: the export has the rows of all label branches, so a data unit may be in it several times. Export "
            "one branch."
        )
    if manifest.counts.failed:
        log.warning(
            "%d label rows could not be read by the export. They are missing, or in an earlier state.",
            manifest.counts.failed,
        )
    return manifest


def build_training_set(
    client: EncordClient, spec: BuildSpec, manifest: Manifest, owner: Owner
) -> tuple[TrainingSet, bool]:
    """Build a training set, unless the destination has it already.

    :param manifest: That of the labels; see `manifest_of`.
    :return: Its record, and whether it was built now.
    :raises InvalidArgumentError: An argument is wrong, or the destination has another training set.
    :raises EncordError: Encord or a store cannot be reached.
    """
    require_extras(spec.format)
    _require_apart(spec)
    splits = _splits(spec)
    keys = SplitKeys(client, manifest.project_id, spec.split_by)
    structure = client.project(manifest.project_id).ontology().editor_ontology
    classes = classes_of(spec, structure)
    files = PulledFiles(spec.media, spec.max_concurrency)
    form = form_of(spec, classes, splits.names, structure, files)
    filters = Filters(client, manifest.project_id, spec.filters, structure)
    keys.read(_listed(spec.labels, manifest))
    filters.read(lambda: _listed(spec.labels, manifest))
    if keys.without_key:
        log.warning("%d data units have no %s. They are split by their data hash.", keys.without_key, spec.split_by)
    directory = TrainingDirectory(spec.destination, owner)
    with contextlib.closing(MediaIndex(spec.reports)) as index:
        about = _fingerprint(spec, manifest, index, keys, filters, splits, structure)
        known = _known(directory, spec, about)
        if known is not None:
            return known, False
        directory.claim()
        try:
            directory.begin(form.entries)
            names = Names(structure)
            if isinstance(splits, StratifiedSplits):
                rows, question = _kept(latest_rows(spec.labels, "labels"), directory), spec.class_from
                found = classes_by_key(rows, classes, question, index=index, names=names, keys=keys, filters=filters)
                splits.assign(found)
            builder = Builder(
                directory,
                form,
                files=files,
                index=index,
                names=names,
                splits=splits,
                keys=keys,
                filters=filters,
                max_concurrency=spec.max_concurrency,
            )
            built = builder.write(latest_rows(spec.labels, "labels"), manifest.counts.with_labels)
            _require_images(built)
            record = _record(spec, manifest, classes, built, about)
            directory.check()
            if isinstance(splits, StratifiedSplits):
                _write_text(spec.destination / SPLITS, splits.lines())
            for name, text in ((CARD, card_of(record)), (PAGE, page_of(record))):
                _write_text(spec.destination / name, [text.encode()])
            directory.finish(record)
        except BaseException:
            directory.release()
            raise
    return record, True


def _kept(rows: Iterable[dict[str, Any]], directory: TrainingDirectory) -> Iterator[dict[str, Any]]:
    """The rows. Meanwhile, the directory stays taken."""
    for row in rows:
        directory.keep()
        yield row


def _known(directory: TrainingDirectory, spec: BuildSpec, about: str) -> TrainingSet | None:
    """The training set of the destination, if it is the one that is asked for.

    :raises InvalidArgumentError: It is another one, and is not to be replaced.
    """
    known = directory.finished()
    if known is not None and known.fingerprint == about:
        log.info("%s has this training set already.", spec.destination)
        directory.release_left()
        return known
    if known is not None and not spec.overwrite:
        raise InvalidArgumentError(
            f"destination: {spec.destination} has another training set, of other labels, media or arguments. Pass "
            "overwrite=True to replace it, or another directory."
        )
    return None


def _require_apart(spec: BuildSpec) -> None:
    """Check that no input is in the destination, where it could be removed.

    :raises InvalidArgumentError: One is.
    """
    target = _place(spec.destination)
    inputs = [("labels", spec.labels), ("media_dir", spec.media), *(("media", one) for one in spec.reports)]
    inputs += [("gate_report", spec.filters.gate_report), ("previous", spec.previous)]
    for name, path in inputs:
        if path is not None and f"{_place(path)}/".startswith(f"{target}/"):
            raise InvalidArgumentError(
                f"destination: {spec.destination} contains {name} ({path}), which replacing the training set would "
                "remove. Pass another directory."
            )


def _place(path: Any) -> str:
    return str(plain(path).resolve()) if is_local(path) else str(path).rstrip("/")


def _require_images(built: Built) -> None:
    """Check that there is something to train on.

    :raises RefusedError: There is nothing.
    """
    if built.images:
        return
    reasons = "; ".join(f"{number}: {reason}" for reason, number in built.left_out.most_common(_NAMED))
    raise RefusedError(
        f"No image is in the training set. What was left out: {reasons or 'nothing, the export has no labels'}. Check "
        "the labels, and that `media` is the report of a task that pulled the files of these labels."
    )


def _listed(labels: Any, manifest: Manifest) -> Iterator[str]:
    """The data units that the export has listed."""
    directory = labels.parent if labels.name == MANIFEST else labels
    return (row.data_hash for row, _ in read_rows(directory, manifest.listing))


def _fingerprint(
    spec: BuildSpec,
    manifest: Manifest,
    index: MediaIndex,
    keys: SplitKeys,
    filters: Filters,
    splits: Splits | StratifiedSplits,
    structure: Mapping[str, Any],
) -> str:
    """What the training set depends on. Shards are named by their content, not by the plan that wrote them."""
    return fingerprint(
        version=SCHEMA_VERSION,
        labels=[shard.sha256 for shard in manifest.shards],
        previous=msgspec.to_builtins(manifest.previous),
        removed=manifest.removed and manifest.removed.sha256,
        split_keys=keys.fingerprint,
        media=index.fingerprint,
        ontology=structure,
        format=spec.format,
        class_map=dict(spec.class_map),
        class_from=spec.class_from,
        caption_from=spec.caption_from,
        stuff_classes=sorted(spec.stuff_classes),
        max_shard_bytes=spec.max_shard_bytes if spec.format in PACKED else None,
        split=list(spec.split.items()),
        split_by=spec.split_by,
        seed=spec.seed,
        min_box_size=spec.min_box_size,
        **({} if filters.fingerprint is None else {"filters": filters.fingerprint}),
        **({"stratified": splits.fingerprint} if isinstance(splits, StratifiedSplits) else {}),
    )


def _record(spec: BuildSpec, manifest: Manifest, classes: Classes, built: Built, about: str) -> TrainingSet:
    ordered = sorted(built.left_out.items(), key=lambda item: (-item[1], item[0]))
    for counts in built.splits.values():
        counts.objects = {name: counts.objects[name] for name in classes.names if name in counts.objects}
    return TrainingSet(
        schema_version=SCHEMA_VERSION,
        kind=KIND,
        provider_version=__version__,
        format=spec.format,
        project_id=manifest.project_id,
        labels=str(spec.labels),
        watermark=manifest.watermark,
        branch=manifest.branch,
        classes=classes.names,
        class_map=dict(spec.class_map),
        split={name: float(share) for name, share in spec.split.items()},
        split_by=spec.split_by,
        filters=spec.filters.asked,
        stratify_by=spec.stratify_by,
        image_sizes=in_order(built.image_sizes),
        box_sizes=in_order(built.box_sizes),
        splits=built.splits,
        left_out=dict(ordered),
        files=built.files,
        bytes=built.bytes,
        fingerprint=about,
    )


def _write_text(path: Any, blocks: Iterable[bytes]) -> None:
    with storage_errors("destination", path):
        write_whole(path, blocks)


def _splits(spec: BuildSpec) -> Splits | StratifiedSplits:
    """The splits, which may continue those of an earlier training set.

    :raises InvalidArgumentError: They are not usable.
    """
    splits = Splits(spec.split, spec.seed)
    if spec.stratify_by is None:
        if spec.previous is not None:
            raise InvalidArgumentError(
                "previous: only `stratify_by` uses it. Without, a data unit is always in the same split."
            )
        return splits
    former = {} if spec.previous is None else former_splits(spec.previous, splits, spec.split_by)
    if not former:
        log.info("No earlier training set was passed, so all data units are assigned to splits now.")
    return StratifiedSplits(splits, former)
