"""The label reviews of one task in a review stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from airflow_provider_encord.client.api import workflow_reviews as api
from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.workflow_actions import MOST_ACTIONS_PER_REQUEST
from airflow_provider_encord.client.api.workflow_reviews import LabelReview
from airflow_provider_encord.client.call import Call, Flow
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.errors import OutcomeUnknownError
from airflow_provider_encord.client.flows.chunks import in_parts
from airflow_provider_encord.client.flows.pages import each
from airflow_provider_encord.client.identifiers import require_id

Reviews: TypeAlias = Iterable[LabelReview | str] | LabelReview | str
"""Label reviews from a listing, or their ids; one of them or several."""


class TaskReviews:
    """Handle on the label reviews of one task. Iterate over it to read them, page by page."""

    def __init__(self, client: ClientProtocol, project: str, stage: str, task: str):
        self._client, self._place = client, (project, stage, task)

    def __repr__(self) -> str:
        return f"TaskReviews(task={self._place[2]!r})"

    def __iter__(self) -> Iterator[LabelReview]:
        return each(self._client, lambda page: api.list_label_reviews(*self._place, page=page))

    def approve(self, reviews: Reviews) -> None:
        """Approve labels; safe to repeat."""
        self._act(reviews, lambda some: api.approve_label_reviews(*self._place, some))

    def reject(self, reviews: Reviews, *, comment: str | None = None, tags: Sequence[str] | None = None) -> None:
        """Reject labels.

        :param comment: Describes what is wrong. Encord adds it as an issue to each label.
        :param tags: Names of the project's issue tags for these issues.
        """

        def reject(some: Sequence[str]) -> Call[None]:
            return api.reject_label_reviews(*self._place, some, comment=comment, tags=tags)

        self._client.run(self._reject(_ids(reviews), reject))

    def reopen(self, reviews: Reviews) -> None:
        """Open label reviews again; safe to repeat."""
        self._act(reviews, lambda some: api.reopen_label_reviews(*self._place, some))

    def _act(self, reviews: Reviews, call: Callable[[Sequence[str]], Call[None]]) -> None:
        self._client.run(in_parts(_ids(reviews), call, size=MOST_ACTIONS_PER_REQUEST))

    def _reject(self, reviews: list[str], call: Callable[[Sequence[str]], Call[None]]) -> Flow[None]:
        """Reject labels.

        If the response is lost, check the reviews first: a repeat would add the comment a second time.
        """
        try:
            yield from in_parts(reviews, call, size=MOST_ACTIONS_PER_REQUEST)
        except OutcomeUnknownError:
            listed = yield from every_page(lambda page: api.list_label_reviews(*self._place, page=page))
            rejected = {row.review_uuid for row in listed if row.status == "REJECTED"}
            if not rejected.issuperset(reviews):
                raise


def _ids(reviews: Reviews) -> list[str]:
    given = [reviews] if isinstance(reviews, LabelReview | str) else list(reviews)
    ids = [require_id(value if isinstance(value, str) else value.review_uuid, "reviews") for value in given]
    return list(dict.fromkeys(ids))
