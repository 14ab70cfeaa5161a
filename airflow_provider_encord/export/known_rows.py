"""Whether what an export names is there at all, if it found no rows.

Encord answers a branch or an id that does not exist with no rows, which looks like rows without labels.
"""

from __future__ import annotations

from airflow_provider_encord.client.api.labels import LabelRowFilter, list_label_row_stamps
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.export.listing import Filters, Listing, Question


def require_known(client: EncordClient, question: Question, listing: Listing) -> None:
    """Make sure that an export without rows does not come of a wrong name.

    :raises InvalidRequestError: The project has no such branch, or none of the data units or label rows.
    """
    if listing.rows or question.filters.nothing:
        return
    if question.restrictions.get("branch"):
        _require_branch(client, question)
    for name in ("data_hashes", "label_hashes"):
        wanted = getattr(question.filters, name)
        only = Question(project=question.project, branch=None, filters=Filters(**{name: wanted}))
        if wanted and not client.send(list_label_row_stamps(question.project, only.wire_filter())):
            raise InvalidRequestError(
                f"{name}: project {question.project} has none of the {len(wanted)}, such as {wanted[0]}. Pass ids of "
                "its own, or leave the filter out."
            )


def _require_branch(client: EncordClient, question: Question) -> None:
    every = LabelRowFilter(include_all_label_branches=True, include_workflow_graph_node=False)
    stamps = client.send(list_label_row_stamps(question.project, every))
    branches = sorted({one.branch_name for one in stamps if one.label_hash is not None})
    if branches and question.branch not in branches:  # a project without any labels says nothing about the name
        raise InvalidRequestError(
            f"branch: project {question.project} has no labels on the branch {str(question.branch)[:80]!r}. It has "
            f"labels on: {', '.join(map(repr, branches[:10]))}."
        )
