"""What a gate measures in label rows, in one pass, with one data unit in memory at a time."""

from __future__ import annotations

import collections
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.exports.formats.annotations import Annotation, annotations_of, readable
from airflow_provider_encord.gates.agreement import Tally, compare
from airflow_provider_encord.gates.answers import ComparableAnswers
from airflow_provider_encord.gates.required import RequiredAttributes

AGREEMENT = "agreement"
REJECTION_RATE = "rejection_rate"
ISSUE_RATE = "issue_rate"
MISSING_ATTRIBUTES = "missing_attributes"
INVALID_ROWS = "invalid_rows"
CLASS_DRIFT = "class_drift"
UNKNOWN = "(unknown)"

Row = Mapping[str, Any]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something that counts against the labels of a data unit.

    :param value: The measured value, if the measure has one for a data unit.
    """

    measure: str
    data_hash: str | None
    label_hash: str | None
    data_title: str
    message: str
    annotator: str | None = None
    class_name: str | None = None
    value: float | None = None


class Rate(msgspec.Struct):
    """A share of things, such as rows that are not valid, in all and by annotator and class."""

    total: Tally = msgspec.field(default_factory=Tally)
    by_annotator: dict[str, Tally] = msgspec.field(default_factory=lambda: collections.defaultdict(Tally))
    by_class: dict[str, Tally] = msgspec.field(default_factory=lambda: collections.defaultdict(Tally))

    def add(
        self,
        hits: int,
        total: int,
        not_compared: int = 0,
        *,
        annotators: Iterable[str] = (),
        class_name: str | None = None,
    ) -> None:
        """Count `hits` of `total`."""
        self.total.add(hits, total, not_compared)
        for annotator in annotators:
            self.by_annotator[annotator].add(hits, total, not_compared)
        if class_name is not None:
            self.by_class[class_name].add(hits, total, not_compared)


class Measured(msgspec.Struct):
    """The measures of an export.

    :param rows: Number of label rows.
    :param classes: Number of annotations by class; an object counts once, however many frames it is on.
    """

    rows: int = 0
    classes: collections.Counter[str] = msgspec.field(default_factory=collections.Counter)
    agreement: Rate = msgspec.field(default_factory=Rate)
    missing: Rate = msgspec.field(default_factory=Rate)
    invalid: Rate = msgspec.field(default_factory=Rate)


def measure(
    rows: Iterable[Row],
    structure: Mapping[str, Any],
    measured: Measured,
    *,
    main_branch: str,
    min_iou: float | None = None,
) -> Iterator[Finding]:
    """Measure label rows, and yield what counts against them.

    :param rows: In order of their data hash, so that the branches of a data unit follow each other.
    :param structure: Structure of the ontology.
    :param measured: Where the measures are added.
    :param main_branch: The branch whose rows are measured. The rows of the other branches, which consensus annotators
        have, are compared with each other.
    :param min_iou: See `agreement.compare`. None: the annotators are not compared.
    :raises UnexpectedResponseError: A row does not have the form of Encord's label rows; the error names it.
    """
    names, required = ComparableAnswers(structure), RequiredAttributes(structure)
    for _, branches in itertools.groupby(rows, key=lambda row: str(row.get("data_hash"))):
        compared: dict[str, tuple[Row, list[Annotation]]] = {}
        for row in branches:
            branch = str(row.get("branch_name") or main_branch)
            if branch == main_branch:
                yield from _measure_row(row, _annotations(row, names), required, measured)
            elif min_iou is not None:
                compared[branch] = (row, _annotations(row, names))
        if min_iou is not None:
            yield from _compare_branches(compared, measured, min_iou)


def _annotations(row: Row, names: ComparableAnswers) -> list[Annotation]:
    ids = LabelRow(label_hash=str(row.get("label_hash")), data_hash=str(row.get("data_hash")), content=msgspec.Raw())
    with readable(ids):
        return [item for item in annotations_of(row, names) if isinstance(item, Annotation)]


def _measure_row(
    row: Row, annotations: list[Annotation], required: RequiredAttributes, measured: Measured
) -> Iterator[Finding]:
    measured.rows += 1
    valid = row.get("is_valid")
    if isinstance(valid, bool):  # otherwise Encord says nothing about the row
        measured.invalid.add(int(not valid), 1, annotators={_creator(annotation) for annotation in annotations})
    if valid is False:
        yield _finding(row, INVALID_ROWS, "Its labels do not match the ontology.")
    frames: dict[str, list[Annotation]] = collections.defaultdict(list)
    for annotation in annotations:
        frames[annotation.hash].append(annotation)
    for on_frames in frames.values():
        annotation = on_frames[-1]
        class_name = annotation.name or UNKNOWN
        measured.classes[class_name] += 1
        if not any(required.of(one) for one in on_frames):
            continue
        missing = required.missing(on_frames)
        annotator = _creator(annotation)
        measured.missing.add(int(bool(missing)), 1, annotators=[annotator], class_name=class_name)
        if missing:
            message = f"{class_name} {annotation.hash} has no answer to {', '.join(missing)}."
            yield _finding(row, MISSING_ATTRIBUTES, message, annotator=annotator, class_name=class_name)


def _compare_branches(
    branches: Mapping[str, tuple[Row, list[Annotation]]], measured: Measured, min_iou: float
) -> Iterator[Finding]:
    """Compare each pair of annotators. The finding is about the data unit; whether it counts, the threshold decides."""
    if len(branches) < 2:
        return
    whole = Tally()
    for one, other in itertools.combinations(sorted(branches), 2):
        sides = [branches[branch] for branch in (one, other)]
        people = [_annotator(branch, annotations) for branch, (_, annotations) in zip((one, other), sides, strict=True)]
        for class_name, tally in compare(sides[0][1], sides[1][1], min_iou).items():
            whole.add(tally.matched, tally.annotations)
            measured.agreement.add(
                tally.matched, tally.annotations, tally.not_compared, annotators=people, class_name=class_name
            )
    share = whole.share
    if share is not None and share < 1:
        row = next(iter(branches.values()))[0]
        message = f"{len(branches)} annotators agree about {share:.0%} of their annotations."
        yield _finding(row, AGREEMENT, message, value=share)


def _annotator(branch: str, annotations: Iterable[Annotation]) -> str:
    people = collections.Counter(_creator(annotation) for annotation in annotations)
    del people[UNKNOWN]
    return people.most_common(1)[0][0] if people else branch


def _creator(annotation: Annotation) -> str:
    return annotation.created_by if isinstance(annotation.created_by, str) and annotation.created_by else UNKNOWN


def _finding(row: Row, measure: str, message: str, **more: Any) -> Finding:
    return Finding(
        measure=measure,
        data_hash=row.get("data_hash"),
        label_hash=row.get("label_hash"),
        data_title=str(row.get("data_title") or ""),
        message=message,
        **more,
    )


def class_drift(now: Mapping[str, int], before: Mapping[str, int]) -> tuple[float | None, dict[str, float]]:
    """How much the shares of the classes differ from a reference.

    :return: The Jensen-Shannon distance (base 2): 0 for equal shares, 1 if no class is in both; None if one of them has
        no annotations. And the difference of each class's share.
    """
    totals = sum(now.values()), sum(before.values())
    if not all(totals):
        return None, {}
    classes = sorted({*now, *before})
    shares = [(now.get(name, 0) / totals[0], before.get(name, 0) / totals[1]) for name in classes]
    divergence = sum(_part(p, (p + q) / 2) + _part(q, (p + q) / 2) for p, q in shares) / 2
    return math.sqrt(max(divergence, 0.0)), {
        name: share - reference for name, (share, reference) in zip(classes, shares, strict=True)
    }


def _part(share: float, mean: float) -> float:
    return share * math.log2(share / mean) if share else 0.0


def classes_of(rows: Iterable[Row], structure: Mapping[str, Any], main_branch: str) -> collections.Counter[str]:
    """Count the annotations of label rows by class."""
    measured = Measured()
    for _ in measure(rows, structure, measured, main_branch=main_branch):
        pass
    return measured.classes
