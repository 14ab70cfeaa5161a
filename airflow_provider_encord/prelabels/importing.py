"""The import of labels: match and check the lines, create missing rows, and pass them to `RowSaver` in bundles."""

from __future__ import annotations

import collections
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from airflow_provider_encord.client.api.labels import LabelRowFilter, LabelRowMetadata
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError
from airflow_provider_encord.counts import require_sum
from airflow_provider_encord.prelabels.build import labels_from
from airflow_provider_encord.prelabels.creating import create_rows
from airflow_provider_encord.prelabels.features import Features, WrongLabelsError
from airflow_provider_encord.prelabels.matching import CLIENT_METADATA, Matching
from airflow_provider_encord.prelabels.report import (
    OPERATION,
    OUTCOMES_OF_IMPORTS,
    SAVED,
    ImportLine,
    ImportReport,
)
from airflow_provider_encord.prelabels.rows import ImportSpec, RowSaver, Work
from airflow_provider_encord.prelabels.sources import Prelabel, Target
from airflow_provider_encord.progress import ProgressLogger
from airflow_provider_encord.reports import FAILED, SCHEMA_VERSION, SKIPPED, UNCHANGED, Outcome

log = logging.getLogger(__name__)

FAIL = "fail"
ROWS_PER_BUNDLE = 50
ANNOTATIONS_PER_BUNDLE = 20_000
BYTES_PER_BUNDLE = 8 << 20
"""The limits of a bundle of lines. Rows are read, merged and saved in bundles, which limits memory and time."""
_MOST_NAMED = 20
_MOST_CLASSES = 50


def import_labels(
    client: EncordClient,
    spec: ImportSpec,
    prelabels: Callable[[Target], Iterable[Prelabel]],
    report: ImportReport,
    *,
    check_first: bool,
) -> list[str]:
    """Import labels into a project.

    :param prelabels: Returns the lines; called for each pass, with the rows and the ontology of the project.
    :param check_first: Check all lines before anything is sent, and send nothing if one is not valid.
    :return: Label hashes of the rows that now have the labels of the source.
    :raises InvalidArgumentError: Lines are not valid, and `on_error` is `FAIL`. The message names the first ones.
    :raises EncordError: Encord refused a request, or cannot be reached. The report contains what was done.
    """
    project = client.project(spec.project_id)
    features = Features(project.ontology().editor_ontology)
    rows = project.label_rows(
        LabelRowFilter(
            branch_name=spec.branch,
            include_client_metadata=spec.match_by.startswith(CLIENT_METADATA),
            include_images_data=spec.list_images,
        )
    )
    target = Target(rows=rows, features=features)
    total = _require_right(spec, target, _kept(prelabels(target), report)) if check_first else None
    progress = ProgressLogger("pre-labels", total, log=log.info)
    done: list[str] = []
    lines = 0
    matching = Matching(spec.match_by, rows)
    saver = RowSaver(client, spec, report)
    for bundle in _bundles(_kept(prelabels(target), report)):
        lines += len(bundle)
        works, outcomes = _prepared(spec, features, matching, bundle)
        try:
            if works:
                report.check()
                outcomes += saver.save(_with_rows(client, spec, works))
        except EncordError as error:
            known = {outcome.source for outcome in outcomes}
            rest = [work for work in works if work.prelabel.place not in known]
            outcomes += [work.outcome(FAILED, error=error.message) for work in rest]
            raise
        finally:
            report.take(outcomes)
        progress.add(len(bundle), known=all(outcome.outcome == UNCHANGED for outcome in outcomes))
        done += [outcome.id for outcome in outcomes if outcome.outcome in SAVED and outcome.id]
    require_sum("The import", lines, **{name: report.counts[name] for name in OUTCOMES_OF_IMPORTS})
    return done


def _kept(lines: Iterable[Prelabel], report: ImportReport) -> Iterator[Prelabel]:
    """The lines. The claim on the report is extended for each, because a function may need long for a line."""
    for line in lines:
        report.keep()
        yield line


def _bundles(lines: Iterable[Prelabel]) -> Iterator[list[Prelabel]]:
    """The lines in bundles: few large lines, or many small ones."""
    bundle: list[Prelabel] = []
    annotations = size = 0
    for line in lines:
        full = len(bundle) == ROWS_PER_BUNDLE or size + line.size > BYTES_PER_BUNDLE
        if bundle and (full or annotations + line.annotations > ANNOTATIONS_PER_BUNDLE):
            yield bundle
            bundle, annotations, size = [], 0, 0
        bundle.append(line)
        annotations += line.annotations
        size += line.size
    if bundle:
        yield bundle


def _require_right(
    spec: ImportSpec,
    target: Target,
    prelabels: Iterable[Prelabel],
) -> int:
    """Check all lines; their number."""
    matching = Matching(spec.match_by, target.rows)
    wrong: list[str] = []
    unknown: collections.Counter[str] = collections.Counter()
    count = lines = 0
    for lines, prelabel in enumerate(prelabels, 1):  # noqa: B007 - used after the loop
        unknown.update(prelabel.unknown_classes)
        _, outcomes = _prepared(spec, target.features, matching, [prelabel])
        failed = [outcome for outcome in outcomes if outcome.outcome == FAILED]
        count += len(failed)
        wrong += [f"{outcome.source}: {outcome.error}" for outcome in failed][: max(0, _MOST_NAMED - len(wrong))]
    if unknown:
        raise InvalidArgumentError(
            f"class_map: nothing was imported, because the ontology has no single feature for the classes "
            f"{_classes(unknown)}. It has {target.features.names}. Map each class to a feature, or to None to leave it "
            "out."
        )
    if wrong:
        more = f" and {count - len(wrong)} more" if count > len(wrong) else ""
        raise InvalidArgumentError(
            f"source: nothing was imported, because some lines are not valid: {' '.join(wrong)}{more} Correct them, or "
            "import the others with on_error='skip'."
        )
    return lines


def _classes(counts: Mapping[str, int]) -> str:
    """Classes with their number of annotations, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    named = ", ".join(f"{name[:80]!r} ({count})" for name, count in ordered[:_MOST_CLASSES])
    return named + (f" and {len(ordered) - _MOST_CLASSES} more" if len(ordered) > _MOST_CLASSES else "")


def _prepared(
    spec: ImportSpec, features: Features, matching: Matching, bundle: Sequence[Prelabel]
) -> tuple[list[Work], list[ImportLine]]:
    """The lines of a bundle to send, and the outcomes of the others."""
    works: list[Work] = []
    outcomes: list[ImportLine] = []
    for prelabel in bundle:
        row = None
        try:
            if prelabel.problem:
                raise WrongLabelsError(prelabel.problem)
            row = matching.row_of(prelabel)
            if prelabel.unknown_classes:
                raise WrongLabelsError(f"class_map: no single feature for {_classes(prelabel.unknown_classes)}.")
            labels = labels_from(prelabel, features, row.data_hash, row.number_of_frames)
        except WrongLabelsError as error:
            outcomes.append(_refused(prelabel, row, FAILED, str(error)))
            continue
        if row.label_hash is None and not spec.create_missing:
            reason = "it has no label row, and create_missing is false"
            outcomes.append(_refused(prelabel, row, SKIPPED, reason))
        else:
            works.append(Work(prelabel, row, labels))
    return works, outcomes


def _with_rows(client: EncordClient, spec: ImportSpec, works: Sequence[Work]) -> dict[str, Work]:
    """The works by label hash. Missing rows are created."""
    known = {work.row.data_hash: work.row.label_hash for work in works if work.row.label_hash}
    missing = [work for work in works if not work.row.label_hash]
    if missing:
        log.info("Creating the label rows of %d data units, which moves them to 'label in progress'.", len(missing))
        known |= create_rows(client, spec.project_id, spec.branch, [work.row.data_hash for work in missing])
        for work in missing:
            work.created = True
            work.row = msgspec.structs.replace(work.row, label_hash=known[work.row.data_hash])
    return {known[work.row.data_hash]: work for work in works}


def _refused(prelabel: Prelabel, row: LabelRowMetadata | None, outcome: Outcome, error: str) -> ImportLine:
    data_hash, label_hash = (row.data_hash, row.label_hash) if row else (None, None)
    return ImportLine(
        schema_version=SCHEMA_VERSION,
        operation=OPERATION,
        source=prelabel.place,
        id=label_hash,
        outcome=outcome,
        error=error,
        data_hash=data_hash,
        dropped=dict(prelabel.dropped),
    )
