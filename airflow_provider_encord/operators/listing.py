"""What the operators that list have in common: the filters, and records as XCom takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.operators.arguments import literal_word, parse_bool, parse_datetime, parse_text
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.literals import check_literals

if TYPE_CHECKING:
    from airflow_provider_encord.client.api.listing import Filter


class ListingOperator(EncordBaseOperator):
    """Base of the operators that list.

    If just one is found, "Open in Encord" leads to it. No address of a list in Encord's web app is known, so otherwise
    there is no link.

    :param title: Exactly this title (templated).
    :param title_like: An SQL LIKE pattern for the title, such as ``"Street %"`` (templated).
    :param created_after: Only what was created after this time, as text or `datetime` (templated).
    :param created_before: Only what was created before this time (templated).
    :param edited_after: Only what was last edited after this time (templated).
    :param edited_before: Only what was last edited before this time (templated).
    :param include_organisation: Also what others in the organisation have; for its admins (templated).
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
        """The filters, as the client takes them."""
        from airflow_provider_encord.client.api.listing import Filter

        return Filter(
            title_eq=parse_text(self.title, "title"),  # a template that renders to nothing is not a filter
            title_like=parse_text(self.title_like, "title_like"),
            created_after=parse_datetime(self.created_after, "created_after"),
            created_before=parse_datetime(self.created_before, "created_before"),
            edited_after=parse_datetime(self.edited_after, "edited_after"),
            edited_before=parse_datetime(self.edited_before, "edited_before"),
            include_organisation=parse_bool(self.include_organisation, "include_organisation", empty=False),
        )
