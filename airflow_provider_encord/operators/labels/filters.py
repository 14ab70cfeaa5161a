"""The arguments that select label rows; all operators that list label rows have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.assets import MAIN_BRANCH
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import SHADOW_DATA, TASK_STATUSES
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    branch_name,
    parse_bool,
    parse_choice,
    parse_datetime,
    parse_ids,
    parse_text,
    parse_texts,
)
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.literals import check_literals, one_of

if TYPE_CHECKING:
    from airflow_provider_encord.exports.listing import RowSelection


_WORDS = ("branch", "stage", "stage_title_like", "data_title", "data_title_like")


class LabelRowsOperator(EncordBaseOperator):
    """Base of operators that list label rows.

    If a template renders to an empty string, that filter is not used. The string ``None`` is an error: a template
    renders a missing value to it.

    :param project_id: Id of the project (templated). Optional with an API key; default: the project of the key.
    :param branch: Label branch (templated). Default: ``"main"``. If the branch has no labels but other branches of the
        project do, the task fails and lists those branches.
    :param all_branches: Take the label rows of all branches, also of the branches of consensus stages (templated).
    :param edited_after: Only rows last edited after this time: a `datetime` or a string, UTC if it has no offset
        (templated). With a time filter, Encord does not list rows without labels, so these are not counted.
    :param edited_before: Only rows last edited before this time (templated).
    :param stage: Only rows in this workflow stage, by title or id (templated). With an SSH key, an unknown stage is an
        error that lists the stages of the project.
    :param stage_title_like: Only rows in stages whose title matches this SQL LIKE pattern (templated).
    :param label_statuses: Only rows with these annotation task statuses, or one status (templated): ``"QUEUED"``,
        ``"ASSIGNED"``, ``"IN_REVIEW"``, ``"RETURNED"``, ``"COMPLETED"``. For projects without a workflow.
    :param data_title: Only data units with exactly this title (templated).
    :param data_title_like: Only data units whose title matches this SQL LIKE pattern, such as ``"street%.jpg"``
        (templated).
    :param data_hashes: Only these data units, or one id (templated). An empty list selects no rows. If the project does
        not have all of these data units, the task fails and lists those that are missing.
    :param label_hashes: Only these label rows, or one id (templated). The same rules as for `data_hashes` apply. They
        are looked for on `branch`.
    :param shadow_data: ``"ALL_DATA"``, ``"SHADOW_DATA"`` (benchmark tasks) or ``"NOT_SHADOW_DATA"`` (templated).
    :param collection_id: Only data units whose storage item is in this collection (templated). An image that is in the
        collection only as part of a group does not count. Needs an SSH key. The collection is read when the export is
        planned; a later change of it is for the next export.
    """

    template_fields: Sequence[str] = (
        "project_id",
        "branch",
        "all_branches",
        "edited_after",
        "edited_before",
        "stage",
        "stage_title_like",
        "label_statuses",
        "data_title",
        "data_title_like",
        "data_hashes",
        "label_hashes",
        "shadow_data",
        "collection_id",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        project_id: str | None = None,
        branch: str = "main",
        all_branches: bool | str = False,
        edited_after: Any = None,
        edited_before: Any = None,
        stage: str | None = None,
        stage_title_like: str | None = None,
        label_statuses: Sequence[str] | str | None = None,
        data_title: str | None = None,
        data_title_like: str | None = None,
        data_hashes: Sequence[str] | str | None = None,
        label_hashes: Sequence[str] | str | None = None,
        shadow_data: str | None = None,
        collection_id: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.branch = branch
        self.all_branches = all_branches
        self.edited_after = edited_after
        self.edited_before = edited_before
        self.stage = stage
        self.stage_title_like = stage_title_like
        self.label_statuses = label_statuses
        self.data_title = data_title
        self.data_title_like = data_title_like
        self.data_hashes = data_hashes
        self.label_hashes = label_hashes
        self.shadow_data = shadow_data
        self.collection_id = collection_id
        check_literals(
            branch=(branch, branch_name),
            all_branches=(all_branches, parse_bool),
            edited_after=(edited_after, parse_datetime),
            edited_before=(edited_before, parse_datetime),
            label_statuses=(label_statuses, _statuses),
            data_hashes=(data_hashes, parse_ids),
            label_hashes=(label_hashes, parse_ids),
            shadow_data=(shadow_data, one_of(*SHADOW_DATA)),
            **{name: (getattr(self, name), parse_text) for name in _WORDS if name != "branch"},
        )

    def selection(self) -> RowSelection:
        """Return the selected rows. A template that renders to an empty string is no filter; an empty list is one.

        :raises InvalidArgumentError: An argument is wrong, or two arguments contradict each other.
        """
        from airflow_provider_encord.exports.request import select_rows

        shadow_data = blank_to_none(self.shadow_data)
        filters = {
            "edited_after": parse_datetime(self.edited_after, "edited_after"),
            "edited_before": parse_datetime(self.edited_before, "edited_before"),
            "stage": parse_text(self.stage, "stage"),
            "stage_title_like": parse_text(self.stage_title_like, "stage_title_like"),
            "label_statuses": _statuses(self.label_statuses, "label_statuses"),
            "data_title": parse_text(self.data_title, "data_title"),
            "data_title_like": parse_text(self.data_title_like, "data_title_like"),
            "data_hashes": parse_ids(self.data_hashes, "data_hashes"),
            "label_hashes": parse_ids(self.label_hashes, "label_hashes"),
            "collection_id": blank_to_none(self.collection_id),
            "shadow_data": None if shadow_data is None else parse_choice(shadow_data, "shadow_data", SHADOW_DATA),
        }
        return select_rows(self.client, self.project_id or None, branch=self._branch(), filters=filters)

    def _branch(self) -> str | None:

        branch = branch_name(self.branch, "branch") or MAIN_BRANCH
        if not parse_bool(self.all_branches, "all_branches", empty=False):
            return branch
        if branch != MAIN_BRANCH:
            raise InvalidArgumentError("branch, all_branches: pass a branch, or all_branches=True, but not both.")
        return None


def _statuses(value: Any, name: str) -> list[str] | None:
    """The statuses; None if there is no filter. An empty list matches no row."""
    wanted = parse_texts(value, name)
    return None if wanted is None else [parse_choice(item, name, TASK_STATUSES) for item in wanted]
