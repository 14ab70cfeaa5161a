"""Saving labels to rows: read, merge, list again, save. Edits of people have priority.

A save replaces all labels of a row, and Encord has no conditional save. So a bundle of rows is read, merged and saved
quickly. Right before the save, the rows are listed again, and rows that somebody saved meanwhile are read and merged
again. If Encord refuses a bundle, each of its rows is read and merged again, too. Edit times may be rounded to seconds,
so rows that were edited just now are compared by their labels.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.api.labels import MAIN_BRANCH, LabelRowMetadata
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError, PartialFailureError, RefusedError
from airflow_provider_encord.client.flows.label_rows import read_rows
from airflow_provider_encord.defaults import IF_LABELS_EXIST
from airflow_provider_encord.prelabels.labels import (
    Labels,
    content_of,
    edited_by_hand,
    labels_of,
    put,
    substance,
)
from airflow_provider_encord.prelabels.merging import hashes_of, merge
from airflow_provider_encord.prelabels.report import (
    OPERATION,
    ImportLine,
    ImportReport,
)
from airflow_provider_encord.prelabels.sources import Prelabel
from airflow_provider_encord.prelabels.touched import edit_time, touched_since
from airflow_provider_encord.reports import (
    CONFLICT,
    CREATED,
    FAILED,
    SCHEMA_VERSION,
    SKIPPED,
    UNCHANGED,
    UPDATED,
    Outcome,
)

SKIP, MERGE, OVERWRITE = IF_EXISTS = IF_LABELS_EXIST
_REFUSALS = (RefusedError, InvalidArgumentError)  # errors of a bundle that one of its rows can cause
_TURNS = 3  # how often a row is read and merged if somebody saves it meanwhile


class ImportSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How to import labels.

    :param branch: The target branch.
    :param match_by: See `Matching`.
    :param if_exists: What to do with rows that have labels. `SKIP` leaves them alone, unless the report shows that
        they are those of an earlier import and were not edited since. `MERGE` adds to them, and changes only labels
        that the report knows. `OVERWRITE` replaces all, also those of people.
    :param create_missing: Create label rows of data units that have none.
    :param on_error: ``"fail"`` sends nothing if a line is wrong; ``"skip"`` sends the others.
    :param list_images: List the images of image groups too, because the source can name them.
    """

    project_id: str
    branch: str = MAIN_BRANCH
    match_by: str = "data_hash"
    if_exists: str = SKIP
    create_missing: bool = True
    on_error: str = "fail"
    list_images: bool = False


class Work(msgspec.Struct):
    """A valid line and its row.

    :param own_labels: Hashes of the labels that are from imports after the save; None if all are. In a row with merged
        labels, the others were made by people, so the report must not claim the whole row.
    :param previous_state: Hash of the labels and the edit time of the row when it was read.
    :param kept: Number of labels that exist in the row with another content, which is kept.
    """

    prelabel: Prelabel
    row: LabelRowMetadata
    labels: Labels
    created: bool = False
    own_labels: list[str] | None = None
    previous_state: str = ""
    kept: int = 0

    def outcome(self, outcome: Outcome, **more: Any) -> ImportLine:
        """Make the outcome. If the label row was created for it and the labels were saved, the outcome is `CREATED`."""
        if self.created and outcome in (UPDATED, UNCHANGED):
            outcome = CREATED
        known = {"id": self.row.label_hash, "error": None, "kept": self.kept, "label_row_created": self.created, **more}
        return ImportLine(
            schema_version=SCHEMA_VERSION,
            operation=OPERATION,
            source=self.prelabel.place,
            outcome=outcome,
            dropped=dict(self.prelabel.dropped),
            data_hash=self.row.data_hash,
            **known,
        )


class RowSaver:
    """Saves labels to rows that exist.

    :param report: Contains the evidence of earlier imports, and records what is about to be saved.
    """

    def __init__(self, client: EncordClient, spec: ImportSpec, report: ImportReport):
        self._client, self._spec, self._report = client, spec, report

    def save(self, works: Mapping[str, Work], *, turns: int = _TURNS) -> list[ImportLine]:
        """Read the rows, decide what to save, and save it.

        :param works: The works by label hash.
        :return: One outcome for each work.
        :raises EncordError: Encord cannot be reached, or refuses all rows.
        """
        outcomes: list[ImportLine] = []
        read, unreadable = self._read(list(works))
        outcomes += [works[data_hash].outcome(FAILED, error=reason) for data_hash, reason in unreadable.items()]
        to_save: dict[str, dict[str, Any]] = {}
        now = datetime.datetime.now(datetime.UTC)
        for label_hash, work in works.items():
            if label_hash in unreadable:
                continue
            if label_hash not in read:
                outcomes.append(work.outcome(FAILED, error="the data unit was deleted"))
                continue
            decision = self._decide(work, read[label_hash])
            if isinstance(decision, ImportLine):
                outcomes.append(decision)
            else:
                to_save[label_hash] = put(read[label_hash], decision, now)
        lines = _saved(to_save, works)
        if to_save:
            self._report.intend([*lines.values()])
        touched = self._touched({data_hash: read[data_hash] for data_hash in to_save})
        if touched and turns > 1:
            self._report.withdraw(touched)
            outcomes += self.save({data_hash: works[data_hash] for data_hash in touched}, turns=turns - 1)
        elif self._spec.if_exists != OVERWRITE:
            self._report.withdraw(touched)
            reason = "somebody keeps saving the row; run the task again"
            outcomes += [works[data_hash].outcome(CONFLICT, error=reason) for data_hash in touched]
        else:
            touched = set()
        rows = {data_hash: row for data_hash, row in to_save.items() if data_hash not in touched}
        return outcomes + (self._send(rows, works, lines) if rows else [])

    def _read(self, label_hashes: Sequence[str]) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
        """The rows, and the reasons for those that cannot be read."""
        answer = self._client.run(read_rows(self._spec.project_id, label_hashes))
        return {row.label_hash: row.decoded() for row in answer.rows}, {
            data_hash: str(error) for data_hash, error in answer.unreadable.items()
        }

    def _decide(self, work: Work, row: dict[str, Any]) -> Labels | ImportLine:
        """The labels to save to the row; or the outcome, if the row must not be saved."""
        there, label_hash = labels_of(row), row["label_hash"]
        content = content_of(there)
        evidence = self._report.evidence(label_hash, content)
        whole = evidence is not None and evidence.own_labels is None
        labels = self._wanted(work, there, evidence)
        work.previous_state = fingerprint(content=content, edited=str(edit_time(row.get("last_edited_at"))))
        made = {"id": label_hash, "annotations": work.labels.count}
        unchanged = substance(labels) == substance(there)
        if unchanged and not work.kept:
            return work.outcome(UNCHANGED, **made, **self._claim(work, there, evidence))
        if self._spec.if_exists == OVERWRITE:
            return labels
        if self._report.is_edited(label_hash, content, work.previous_state):
            reason = "somebody has edited the row since an earlier import; if_exists='overwrite' replaces the edits"
            return work.outcome(CONFLICT, error=reason, **made)
        if unchanged:
            return work.outcome(CONFLICT, error=_kept(work), **made, **self._claim(work, there, evidence))
        if self._spec.if_exists == SKIP and there.count and not whole:
            reason = "it has labels; see if_exists"
            return work.outcome(SKIPPED, error=reason, **made)
        return labels

    def _wanted(self, work: Work, there: Labels, evidence: ImportLine | None) -> Labels:
        """The labels to save if no one has edited the row. Also records in the work which labels are from imports."""
        work.kept, work.own_labels = 0, None
        if self._spec.if_exists != MERGE or not there.count:
            return work.labels
        whole = evidence is not None and evidence.own_labels is None
        ours = hashes_of(there) if whole else set((evidence and evidence.own_labels) or ())
        merged = merge(there, work.labels, ours)
        work.kept = len(merged.kept)
        work.own_labels = None if whole else sorted((ours | merged.new) & hashes_of(merged.labels))
        return merged.labels

    def _claim(self, work: Work, there: Labels, evidence: ImportLine | None) -> dict[str, Any]:
        """The fields of the report line for a row that is not saved: which of its labels are from imports."""
        if evidence is not None:
            return {"content": evidence.content, "own_labels": evidence.own_labels}
        same = substance(work.labels) == substance(there)
        if self._spec.if_exists == OVERWRITE or (same and not edited_by_hand(there)):
            return {"content": content_of(there)}
        return {}

    def _touched(self, read: Mapping[str, dict[str, Any]]) -> set[str]:
        """The rows that somebody has saved since they were read."""
        if not read:
            return set()
        self._report.check()
        return touched_since(self._client, self._spec.project_id, self._spec.branch, read)

    def _send(
        self, rows: Mapping[str, dict[str, Any]], works: Mapping[str, Work], lines: Mapping[str, ImportLine]
    ) -> list[ImportLine]:
        """Save a bundle. If Encord refuses it, each row is read, merged and saved separately.

        This shows which row is not valid. The rows are read again, because people may have saved them meanwhile.

        :param lines: The outcome of each row if it is saved.
        """
        try:
            self._client.project(self._spec.project_id).save_label_rows(dict(rows))
        except (PartialFailureError, *_REFUSALS) as error:
            saved = error.outcome.done if isinstance(error, PartialFailureError) else []
            if isinstance(error, PartialFailureError) and not isinstance(error.cause, _REFUSALS):
                raise
            if len(rows) > 1:
                rest = [outcome for row in rows if row not in saved for outcome in self.save({row: works[row]})]
                return [lines[label_hash] for label_hash in saved] + rest
            ((label_hash, _),) = rows.items()
            self._report.withdraw(rows)
            reason = f"Encord refused: {error.message}"
            return [works[label_hash].outcome(FAILED, id=label_hash, error=reason)]
        return [lines[label_hash] for label_hash in rows]


def _saved(rows: Mapping[str, dict[str, Any]], works: Mapping[str, Work]) -> dict[str, ImportLine]:
    """The outcome of each row if it is saved."""
    return {
        label_hash: works[label_hash].outcome(
            UPDATED,
            id=label_hash,
            annotations=works[label_hash].labels.count,
            note=_kept(works[label_hash]),
            content=content_of(labels_of(row)),
            own_labels=works[label_hash].own_labels,
            previous_state=works[label_hash].previous_state,
        )
        for label_hash, row in rows.items()
    }


def _kept(work: Work) -> str | None:
    """A note about labels that were not saved; None without any."""
    if not work.kept:
        return None
    return (
        f"{work.kept} of the labels exist in the row with another content and were not changed; "
        "if_exists='overwrite' replaces all labels of the row"
    )
