"""The import: match, check, create rows where missing, read them whole, put the labels in, save what differs.

Reading the whole row before saving is not for show: a save replaces all labels of the row, so a row that was read
through a filter, or not at all, would lose what was not seen.
"""

from __future__ import annotations

import datetime
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import MAIN_BRANCH, LabelRowFilter, LabelRowMetadata
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import (
    ConflictError,
    EncordError,
    InvalidRequestError,
    OutcomeUnknownError,
    RefusedError,
)
from airflow_provider_encord.ingest.prelabels.build import labels_from
from airflow_provider_encord.ingest.prelabels.features import Features, WrongLabelsError
from airflow_provider_encord.ingest.prelabels.labels import Labels, labels_of, merged, put, substance
from airflow_provider_encord.ingest.prelabels.matching import CLIENT_METADATA, Matching
from airflow_provider_encord.ingest.prelabels.receipt import (
    FAILED,
    SAVED,
    SKIPPED,
    UNCHANGED,
    ImportReceipt,
    RowOutcome,
)
from airflow_provider_encord.ingest.prelabels.sources import Prelabel

log = logging.getLogger(__name__)

REPLACE = "replace"
MERGE = "merge"
SKIP = "skip"
FAIL = "fail"
ROWS_PER_BATCH = 50
ANNOTATIONS_PER_BUNDLE = 20_000
_MOST_NAMED = 20


class ImportOrder(msgspec.Struct, frozen=True, kw_only=True):
    """How labels are to be imported.

    :param branch: The branch that they go to.
    :param match_by: See `Matching`.
    :param if_exists: What to do with rows that have labels: `REPLACE` them, `MERGE` (what has the same hash is
        replaced) or `SKIP` the row.
    :param create_missing: Create label rows of data units that have none.
    :param on_error: `FAIL` sends nothing if a line is wrong; `SKIP` sends the others.
    """

    project: str
    branch: str = MAIN_BRANCH
    match_by: str = "data_hash"
    if_exists: str = REPLACE
    create_missing: bool = True
    on_error: str = FAIL


class _Work(msgspec.Struct):
    """A line that is right, and its row."""

    prelabel: Prelabel
    row: LabelRowMetadata
    labels: Labels
    created: bool = False


def import_labels(
    client: EncordClient,
    order: ImportOrder,
    prelabels: Callable[[Sequence[LabelRowMetadata]], Iterable[Prelabel]],
    receipt: ImportReceipt,
    *,
    check_first: bool,
) -> list[str]:
    """Import labels into a project.

    :param prelabels: Gives the lines; called with the rows of the project, for each pass anew.
    :param check_first: Go through all lines before anything is sent, and send nothing if one is wrong.
    :return: Label hashes of the rows whose labels are now those of the source.
    :raises InvalidRequestError: Lines are wrong, and `on_error` is `FAIL`; the message names the first.
    :raises EncordError: Encord refused, or was not reached; the receipt tells what was done.
    """
    project = client.project(order.project)
    features = Features(project.ontology().editor_ontology)
    rows = project.label_rows(
        LabelRowFilter(branch_name=order.branch, include_client_metadata=order.match_by.startswith(CLIENT_METADATA))
    )
    if check_first:
        _require_right(order, features, rows, prelabels)
    done: list[str] = []
    matching = Matching(order.match_by, rows)
    lines = iter(prelabels(rows))
    while batch := list(itertools.islice(lines, ROWS_PER_BATCH)):
        works, outcomes = _prepared(order, features, matching, batch)
        try:
            _import(client, order, works, outcomes, done)
        except EncordError as error:
            known = {one.place for one in outcomes}
            rest = [work for work in works if work.prelabel.place not in known]
            outcomes += [
                _outcome(one.prelabel, one.row, FAILED, created=one.created, reason=error.message) for one in rest
            ]
            raise
        finally:
            receipt.take(outcomes)
    return done


def _require_right(
    order: ImportOrder,
    features: Features,
    rows: Sequence[LabelRowMetadata],
    prelabels: Callable[[Sequence[LabelRowMetadata]], Iterable[Prelabel]],
) -> None:
    matching = Matching(order.match_by, rows)
    wrong: list[str] = []
    count = 0
    for one in prelabels(rows):
        _, outcomes = _prepared(order, features, matching, [one])
        failed = [outcome for outcome in outcomes if outcome.outcome == FAILED]
        count += len(failed)
        wrong += [f"{outcome.place}: {outcome.reason}" for outcome in failed][: max(0, _MOST_NAMED - len(wrong))]
    if wrong:
        more = f" and {count - len(wrong)} more" if count > len(wrong) else ""
        raise InvalidRequestError(
            f"source: nothing was imported, as these cannot be: {' '.join(wrong)}{more} Mend them, or import the "
            "others with on_error='skip'."
        )


def _prepared(
    order: ImportOrder, features: Features, matching: Matching, batch: Sequence[Prelabel]
) -> tuple[list[_Work], list[RowOutcome]]:
    """What of a batch is to be sent, and what became of the rest."""
    works: list[_Work] = []
    outcomes: list[RowOutcome] = []
    for prelabel in batch:
        row = None
        try:
            if prelabel.problem:
                raise WrongLabelsError(prelabel.problem)
            row = matching.row_of(prelabel)
            labels = labels_from(prelabel, features, row.data_hash, row.number_of_frames)
        except WrongLabelsError as error:
            outcomes.append(_outcome(prelabel, row, FAILED, reason=str(error)))
            continue
        if row.label_hash is None and not order.create_missing:
            reason = "there is no label row, and create_missing is false"
            outcomes.append(_outcome(prelabel, row, SKIPPED, reason=reason))
        else:
            works.append(_Work(prelabel, row, labels))
    return works, outcomes


def _import(
    client: EncordClient, order: ImportOrder, works: list[_Work], outcomes: list[RowOutcome], done: list[str]
) -> None:
    """Create, read and save the rows of a batch; what becomes of them is added to `outcomes` as it is known."""
    if not works:
        return
    label_hashes = _with_rows(client, order, works)
    project = client.project(order.project)
    found = {row.data_hash: row.decoded() for row in project.read_label_rows(list(label_hashes.values()))}
    now = datetime.datetime.now(datetime.UTC)
    to_save: list[tuple[_Work, dict[str, Any]]] = []
    for work in works:
        row = found.get(work.row.data_hash)
        if row is None:
            outcomes.append(_outcome(work.prelabel, work.row, FAILED, reason="the data unit is gone"))
            continue
        new, outcome = _new_row(order, work, row, now)
        if new is None:
            outcomes.append(outcome)
            if outcome.outcome == UNCHANGED:
                done.append(row["label_hash"])
        else:
            to_save.append((work, new))
    for bundle in _bundles(to_save):
        outcomes += _saved(client, order, bundle, done)


def _new_row(
    order: ImportOrder, work: _Work, row: dict[str, Any], now: datetime.datetime
) -> tuple[dict[str, Any] | None, RowOutcome]:
    there = labels_of(row)
    made = {"label_hash": row["label_hash"], "created": work.created, "annotations": work.labels.count}
    labels = merged(there, work.labels) if order.if_exists == MERGE else work.labels
    if substance(labels) == substance(there):
        return None, _outcome(work.prelabel, work.row, UNCHANGED, **made)
    if order.if_exists == SKIP and there.count:
        return None, _outcome(work.prelabel, work.row, SKIPPED, reason="it has labels", **made)
    return put(row, labels, now), _outcome(work.prelabel, work.row, SAVED, **made)


def _with_rows(client: EncordClient, order: ImportOrder, works: Sequence[_Work]) -> dict[str, str]:
    """Label hashes by data hash; rows are created where there are none."""
    known = {work.row.data_hash: work.row.label_hash for work in works if work.row.label_hash}
    missing = [work for work in works if not work.row.label_hash]
    if missing:
        log.info("Creating the label rows of %d data units, which moves them to 'label in progress'.", len(missing))
        known |= _created(client, order, [work.row.data_hash for work in missing])
        for work in missing:
            work.created = True
    return known


def _created(client: EncordClient, order: ImportOrder, data_hashes: Sequence[str]) -> dict[str, str]:
    """Create label rows. If somebody was quicker, or the answer was lost, what is there now counts."""
    project = client.project(order.project)
    branch = None if order.branch == MAIN_BRANCH else order.branch
    try:
        return {row.data_hash: row.label_hash for row in project.create_label_rows(data_hashes, branch=branch)}
    except (ConflictError, OutcomeUnknownError):
        there = _existing(client, order, data_hashes)
    missing = [one for one in data_hashes if one not in there]
    if missing:
        there |= {row.data_hash: row.label_hash for row in project.create_label_rows(missing, branch=branch)}
    return there


def _existing(client: EncordClient, order: ImportOrder, data_hashes: Sequence[str]) -> dict[str, str]:
    which = LabelRowFilter(branch_name=order.branch, data_hashes=list(data_hashes))
    listed = client.project(order.project).label_rows(which)
    return {row.data_hash: row.label_hash for row in listed if row.label_hash}


def _bundles(rows: Sequence[tuple[_Work, dict[str, Any]]]) -> Iterator[list[tuple[_Work, dict[str, Any]]]]:
    """Rows to be saved in one request: few heavy ones, or many light ones."""
    bundle: list[tuple[_Work, dict[str, Any]]] = []
    weight = 0
    for work, row in rows:
        if bundle and weight + work.labels.count > ANNOTATIONS_PER_BUNDLE:
            yield bundle
            bundle, weight = [], 0
        bundle.append((work, row))
        weight += work.labels.count
    if bundle:
        yield bundle


def _saved(
    client: EncordClient, order: ImportOrder, bundle: Sequence[tuple[_Work, dict[str, Any]]], done: list[str]
) -> list[RowOutcome]:
    """Save a bundle; if Encord refuses it, one row after the other, so that it is known which."""
    rows = {row["label_hash"]: row for _, row in bundle}
    try:
        client.project(order.project).save_label_rows(rows)
    except RefusedError as error:
        if len(bundle) > 1:
            return [outcome for one in bundle for outcome in _saved(client, order, [one], done)]
        work, row = bundle[0]
        made = {"label_hash": row["label_hash"], "created": work.created}
        return [_outcome(work.prelabel, work.row, FAILED, reason=f"Encord refused: {error.message}", **made)]
    done += rows
    return [
        _outcome(
            work.prelabel,
            work.row,
            SAVED,
            label_hash=row["label_hash"],
            created=work.created,
            annotations=work.labels.count,
        )
        for work, row in bundle
    ]


def _outcome(prelabel: Prelabel, row: LabelRowMetadata | None, outcome: str, **more: Any) -> RowOutcome:
    known = {"data_hash": row.data_hash if row else None, "label_hash": row.label_hash if row else None}
    return RowOutcome(place=prelabel.place, outcome=outcome, **{**known, **more})
