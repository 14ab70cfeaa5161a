"""Removing data rows from a dataset, so that a retry removes the rows that are left."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from airflow_provider_encord.attempts import Checkpoint, Store, fingerprint
from airflow_provider_encord.client.api.datasets import DataRow
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.identifiers import require_ids
from airflow_provider_encord.client.resources.datasets import Dataset

log = logging.getLogger(__name__)

_KEY = "encord_removal"
_NAMED_ROWS = 5  # in the log


def rows_to_remove(data_hashes: Sequence[str]) -> list[str]:
    """The ids of the data rows to remove, once each.

    :raises InvalidArgumentError: There are none, or one is not an id.
    """
    wanted = list(dict.fromkeys(require_ids(data_hashes, "data_hashes")))
    if not wanted:
        raise InvalidArgumentError("data_hashes: it is empty (check the rendered template); nothing was removed.")
    return wanted


class Removal:
    """The removal of data rows from one dataset.

    :param wanted: Ids of the data rows, as `rows_to_remove` returns them.
    :param store: Airflow's task state store; None without one.
    """

    def __init__(self, dataset: Dataset, wanted: Sequence[str], store: Store | None):
        self._dataset, self._wanted = dataset, wanted
        self._begun = Checkpoint(store, _KEY, fingerprint(dataset=dataset.id, rows=wanted), int)

    def remove(self, *, preview: bool) -> dict[str, int]:
        """Remove the rows that the dataset has. Call `forget` when the result is stored.

        :param preview: Only log what would be removed.
        :return: The numbers of rows that were selected, removed and not found.
        :raises InvalidArgumentError: The dataset has none of the rows.
        """
        chosen = set(self._wanted)
        there = [row for row in self._dataset.data_rows() if row.data_hash in chosen]
        # An earlier attempt that was killed may have removed some of them.
        found = max(self._begun.load() or 0, len(there))
        if not found:
            raise InvalidArgumentError(
                f"data_hashes: dataset {self._dataset.id} has none of the {len(self._wanted)} data units; nothing was "
                "removed. Pass ids of data units of this dataset, not ids of storage items. If an earlier run of this "
                "task removed them, mark the task as success."
            )
        self._announce(there, preview=preview)
        if there and not preview:
            self._begun.save(found)
            self._dataset.remove_data_rows([row.data_hash for row in there])
        return {
            "selected": len(self._wanted),
            "removed": 0 if preview else found,
            "not_found": len(self._wanted) - found,
        }

    def forget(self) -> None:
        """Delete what is stored for a retry."""
        self._begun.forget()

    def _announce(self, there: Sequence[DataRow], *, preview: bool) -> None:
        titles = ", ".join(repr(row.data_title[:80]) for row in there[:_NAMED_ROWS])
        log.info(
            "%s %d of %d data rows of dataset %s%s; %d were not found.",
            "Would remove" if preview else "Removing",
            len(there),
            len(self._wanted),
            self._dataset.id,
            f" ({titles}{', ...' if len(there) > _NAMED_ROWS else ''})" if there else "",
            len(self._wanted) - len(there),
        )
