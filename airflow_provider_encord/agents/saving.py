"""Saving the labels of several tasks. Edits of people have priority, and one refused row does not cost the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.agents.contents import new_row, version_of
from airflow_provider_encord.agents.inputs import InputReader, Prepared, branch_of
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import (
    AuthenticationError,
    InvalidArgumentError,
    PartialFailureError,
    PermissionDeniedError,
    RefusedError,
)
from airflow_provider_encord.client.flows.label_rows import read_rows
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.touched import touched_since

_REFUSALS = (RefusedError, InvalidArgumentError)  # errors of a bundle that one of its rows can cause
_OF_CREDENTIAL = (AuthenticationError, PermissionDeniedError)  # each row would get the same error


class Saved(msgspec.Struct, kw_only=True):
    """What happened to the labels of a task.

    :param saved: They were sent. False if the row has them already.
    :param conflict: Somebody has saved the row since it was read, so it was left alone.
    :param error: Why they cannot be saved.
    """

    saved: bool = False
    conflict: str | None = None
    error: str | None = None
    kept: int = 0


class _Row(msgspec.Struct, kw_only=True):
    branch: str
    read: dict[str, Any]
    new: dict[str, Any]
    outcome: Saved


class LabelSaver:
    """Saves labels of tasks.

    :param reader: Reads label rows that the function did not ask for.
    """

    def __init__(self, client: EncordClient, project_id: str, reader: InputReader):
        self._client, self._project_id, self._reader = client, project_id, reader

    def save(self, works: Sequence[tuple[Prepared, Any]]) -> dict[str, Saved]:
        """Save labels.

        :param works: Tasks with the labels of their results.
        :return: The outcomes by task id.
        :raises EncordError: Encord cannot be reached, or does not accept the credential.
        """
        labels = {prepared.task.uuid: labels for prepared, labels in works}
        unread = {prepared.task.uuid for prepared, _ in works if prepared.content is None}
        complete = self._reader.with_rows([prepared for prepared, _ in works])
        outcomes = {prepared.task.uuid: Saved() for prepared in complete}
        rows: dict[str, _Row] = {}
        for prepared in complete:
            outcome = outcomes[prepared.task.uuid]
            row = self._row(prepared, labels[prepared.task.uuid], outcome)
            if row is not None and prepared.task.uuid in unread:
                row.read = _as_the_function_read_it(row.read, row.new)
            if row is not None:
                rows[row.read["label_hash"]] = row
        self._send(rows)
        return outcomes

    def _row(self, prepared: Prepared, labels: Any, outcome: Saved) -> _Row | None:
        """The row to save; None if there is nothing to save, or an error."""
        read = prepared.label_row()
        if read is None:
            outcome.error = prepared.problem or "its label row does not exist"
            return None
        try:
            new = new_row(prepared, labels, lambda: self._reader.features)
        except (WrongLabelsError, InvalidArgumentError) as error:
            outcome.error = f"labels: {error}"
            return None
        outcome.kept = new.kept
        if version_of(new.row) == version_of(read):
            return None
        return _Row(branch=branch_of(prepared.task), read=read, new=new.row, outcome=outcome)

    def _send(self, rows: Mapping[str, _Row]) -> None:
        """Save a bundle. If Encord refuses it, each row is saved alone, which shows the one that is not valid."""
        touched = self._touched(rows)
        present = self._present(touched)
        for label_hash in touched:
            if present.get(label_hash) != version_of(rows[label_hash].new):
                rows[label_hash].outcome.conflict = "somebody has edited the labels since the function got them"
        left = {label_hash: row for label_hash, row in rows.items() if label_hash not in touched}
        if not left:
            return
        try:
            self._client.project(self._project_id).save_label_rows({name: row.new for name, row in left.items()})
        except (PartialFailureError, *_REFUSALS) as error:
            cause = error.cause if isinstance(error, PartialFailureError) else error
            if isinstance(cause, _OF_CREDENTIAL) or not isinstance(cause, _REFUSALS):
                raise
            self._refused(left, set(error.outcome.done) if isinstance(error, PartialFailureError) else set(), cause)
            return
        for row in left.values():
            row.outcome.saved = True

    def _refused(self, rows: Mapping[str, _Row], done: set[str], cause: RefusedError | InvalidArgumentError) -> None:
        if len(rows) == 1:
            (row,) = rows.values()
            row.outcome.error = f"Encord refused the labels: {cause.message}"
            return
        for label_hash, row in rows.items():
            if label_hash in done:
                row.outcome.saved = True
            else:
                self._send({label_hash: row})

    def _present(self, label_hashes: set[str]) -> dict[str, str]:
        """The versions of rows now. A save of a worker that died may arrive late; then the labels are there."""
        if not label_hashes:
            return {}
        read = self._client.run(read_rows(self._project_id, sorted(label_hashes)))
        return {row.label_hash: version_of(row.decoded()) for row in read.rows}

    def _touched(self, rows: Mapping[str, _Row]) -> set[str]:
        """The rows that somebody has saved since the function got them."""
        branches: dict[str, dict[str, dict[str, Any]]] = {}
        for label_hash, row in rows.items():
            branches.setdefault(row.branch, {})[label_hash] = row.read
        parts = (touched_since(self._client, self._project_id, branch, read) for branch, read in branches.items())
        return set().union(*parts)


def _as_the_function_read_it(row: dict[str, Any], returned: Mapping[str, Any]) -> dict[str, Any]:
    """The row with the edit time that the function has seen, if it has read the row by itself and returns all of it."""
    seen = returned.get("last_edited_at")
    return {**row, "last_edited_at": seen} if isinstance(seen, str) else row
