"""Checking that the branch and the ids in the filters of an export exist.

Encord returns nothing for a branch or id that does not exist, which looks like rows without labels. As in the export of
analytics, the ids are refused if any of them is unknown, because a mistake in one of many would not be noticed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.client.api.label_row_stamps import list_label_row_stamps
from airflow_provider_encord.client.api.labels import MOST_ROWS_PER_REQUEST, LabelRowFilter
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.exports.listing import Filters, Listing, RowSelection

_NAMED = 3


def require_known(client: EncordClient, selection: RowSelection, listing: Listing) -> None:
    """Check that no row is missing because of a wrong branch or id.

    :raises InvalidArgumentError: The project does not have the branch, or one of the data units or label rows.
    """
    if selection.filters.nothing:
        return
    if selection.restrictions.get("branch") and not listing.rows:
        _require_branch(client, selection)
    _require_ids(client, selection, "data_hashes", {row.data_hash for row in listing.rows})
    _require_ids(client, selection, "label_hashes", {row.label_hash for row in listing.rows})


def _require_ids(client: EncordClient, selection: RowSelection, name: str, listed: set[str]) -> None:
    """Search for the ids that were not listed. They may exist, but not match other filters or have no labels.

    A label row belongs to one branch, so its id is searched on the branch of the export.
    """
    branch = selection.branch if name == "label_hashes" else None
    wanted: Sequence[str] = getattr(selection.filters, name) or ()
    unlisted = [item for item in wanted if item not in listed]
    known: set[str | None] = set()
    for part in chunks(unlisted, MOST_ROWS_PER_REQUEST):
        field: dict[str, Any] = {name: list(part)}
        only = RowSelection(project_id=selection.project_id, branch=branch, filters=Filters(**field))
        stamps = client.send(list_label_row_stamps(selection.project_id, only.wire_filter()))
        known |= {stamp.data_hash if name == "data_hashes" else stamp.label_hash for stamp in stamps}
    unknown = [id_ for id_ in unlisted if id_ not in known]
    if unknown:
        where = f" on the branch {branch!r}" if branch is not None else ""
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        raise InvalidArgumentError(
            f"{name}: project {selection.project_id} does not have {', '.join(unknown[:_NAMED])}{more}{where} "
            f"({len(unknown)} of {len(wanted)} are unknown). Remove them from the filter, or pass ids of this project."
        )


def _require_branch(client: EncordClient, selection: RowSelection) -> None:
    every = LabelRowFilter(include_all_label_branches=True, include_workflow_graph_node=False)
    stamps = client.send(list_label_row_stamps(selection.project_id, every))
    branches = sorted({stamp.branch_name for stamp in stamps if stamp.label_hash is not None})
    if branches and selection.branch not in branches:  # in a project without any labels, the name cannot be checked
        raise InvalidArgumentError(
            f"branch: project {selection.project_id} has no labels on the branch {str(selection.branch)[:80]!r}. "
            f"Branches with labels: {', '.join(map(repr, branches[:10]))}."
        )
