"""Base of the operators that list projects or datasets: the filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.operators.arguments import literal_word, parse_bool, parse_datetime, parse_text
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.literals import check_literals

if TYPE_CHECKING:
    from airflow_provider_encord.client.api.core.listing import Filter


class ListingOperator(EncordBaseOperator):
    """Base of the operators that list.

    If exactly one is found, "Open in Encord" opens it. Otherwise there is no link, because the address of a filtered
    list in Encord's web app is not known.

    :param title: Only those with exactly this title (templated).
    :param title_like: Only those whose title matches this SQL LIKE pattern, such as ``"Street %"`` (templated).
    :param created_after: Only those created after this time, a string or `datetime` (templated).
    :param created_before: Only those created before this time (templated).
    :param edited_after: Only those last edited after this time (templated).
    :param edited_before: Only those last edited before this time (templated).
    :param include_organisation: Also list those of other users of the organisation; only for its admins (templated).
    """

    template_fields: Sequence[str] = (
        "title",
        "title_like",
        "created_after",
        "created_before",
        "edited_after",
        "edited_before",
        "include_organisation",
        "encord_conn_id",
    )

    def __init__(
        self,
        *,
        title: str | None = None,
        title_like: str | None = None,
        created_after: Any = None,
        created_before: Any = None,
        edited_after: Any = None,
        edited_before: Any = None,
        include_organisation: bool | str = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.title = title
        self.title_like = title_like
        self.created_after = created_after
        self.created_before = created_before
        self.edited_after = edited_after
        self.edited_before = edited_before
        self.include_organisation = include_organisation
        check_literals(
            title=(title, literal_word),
            title_like=(title_like, literal_word),
            created_after=(created_after, parse_datetime),
            created_before=(created_before, parse_datetime),
            edited_after=(edited_after, parse_datetime),
            edited_before=(edited_before, parse_datetime),
            include_organisation=(include_organisation, parse_bool),
        )

    def which(self) -> Filter:
        """The filters in the form that the client takes."""
        from airflow_provider_encord.client.api.core.listing import Filter

        return Filter(
            title_eq=parse_text(self.title, "title"),  # an empty string is no filter
            title_like=parse_text(self.title_like, "title_like"),
            created_after=parse_datetime(self.created_after, "created_after"),
            created_before=parse_datetime(self.created_before, "created_before"),
            edited_after=parse_datetime(self.edited_after, "edited_after"),
            edited_before=parse_datetime(self.edited_before, "edited_before"),
            include_organisation=parse_bool(self.include_organisation, "include_organisation", empty=False),
        )
