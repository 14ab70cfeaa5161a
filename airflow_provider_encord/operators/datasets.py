"""Operators on datasets: create, get, list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.links import dataset_url
from airflow_provider_encord.operators.arguments import flag, given, text
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.listing import ListingOperator
from airflow_provider_encord.operators.records import as_dictionary

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class EncordCreateDatasetOperator(EncordBaseOperator):
    """Create a dataset, unless there is one of its title.

    Safe to repeat with the default `if_exists`: the dataset of this title is found again, also when the answer to its
    creation was lost or the worker died. What is found is not changed. Needs an SSH key. Encord API: ``datasets`` POST
    (v2).

    :param title: Title (templated).
    :param description: Description (templated).
    :param create_backing_folder: Make it a mirror dataset, with a storage folder kept in step (templated). Without one,
        every upload has to name a folder. Default: True, as in Encord's SDK.
    :param if_exists: ``"reuse"`` (default) takes the one dataset of exactly this title that the connection can see, and
        fails if there are several; ``"fail"`` fails if there is one, so also on a retry after the dataset was created;
        ``"new"`` makes another dataset at every try.
    :return: Id of the dataset.
    :raises AirflowFailException: The title is taken (see `if_exists`), or Encord refuses the arguments.
    :raises AirflowException: Encord was not reached, or did not say what came of it; a retry looks.
    """

    template_fields: Sequence[str] = ("title", "description", "create_backing_folder", "if_exists", "encord_conn_id")

    def __init__(
        self,
        *,
        title: str,
        description: str | None = None,
        create_backing_folder: bool | str = True,
        if_exists: str = "reuse",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.title = title
        self.description = description
        self.create_backing_folder = create_backing_folder
        self.if_exists = if_exists

    def act(self, context: Context) -> str:
        """Create or find the dataset."""
        created = self.client.create_dataset(
            text(self.title),
            description=text(self.description),
            create_backing_folder=flag(self.create_backing_folder, "create_backing_folder"),
            if_exists=self.if_exists,
        )
        self.show(context, dataset_url, created.id)
        self.log.info("%s dataset %s, %r.", "Created" if created.created else "Reuse", created.id, self.title)
        return created.id


class EncordGetDatasetOperator(EncordBaseOperator):
    """Read a dataset, without its rows.

    Only reads.

    :param dataset: Id (templated). With an API key it may be left out: the key's own dataset is read.
    :return: The dataset as a dictionary: ``dataset_hash``, ``title``, ``description``, ``dataset_type``,
        ``backing_folder_uuid``.
    :raises AirflowFailException: There is no such dataset, or the connection may not see it.
    """

    template_fields: Sequence[str] = ("dataset", "encord_conn_id")

    def __init__(self, *, dataset: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.dataset = dataset

    def act(self, context: Context) -> dict[str, Any]:
        """Read the dataset."""
        dataset = self.client.dataset(given(self.dataset))
        self.show(context, dataset_url, dataset.id)
        return as_dictionary(dataset.get())


class EncordListDatasetsOperator(ListingOperator):
    """List the datasets that the connection's user can see.

    Only reads. Needs an SSH key. The filters, and where the link leads, are as with `EncordListProjectsOperator`,
    without tags.

    :return: A list of dictionaries as `EncordGetDatasetOperator` gives them, with ``created_at`` and
        ``last_edited_at``.
    """

    def act(self, context: Context) -> list[dict[str, Any]]:
        """List the datasets."""
        found = self.client.datasets(self.which())
        if len(found) == 1:
            self.show(context, dataset_url, found[0].dataset_hash)
        self.log.info("Found %d datasets.", len(found))
        return [as_dictionary(one) for one in found]
