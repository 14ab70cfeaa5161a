"""Operators on datasets: create, get and list datasets, and change their data rows and users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.assets import dataset_uri
from airflow_provider_encord.defaults import DUPLICATES_BEHAVIORS, IF_EXISTS
from airflow_provider_encord.links import dataset_url
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    parse_bool,
    parse_choice,
    parse_ids,
    parse_list,
    parse_text,
)
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.listing import ListingOperator
from airflow_provider_encord.operators.literals import check_literals, one_of
from airflow_provider_encord.operators.members import AddUsersOperator
from airflow_provider_encord.operators.records import as_dictionary

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class EncordCreateDatasetOperator(EncordBaseOperator):
    """Create a dataset, unless one with its title exists.

    Safe to retry with the default `if_exists`: a retry finds the dataset by its title, even if Encord's response was
    lost or the worker died. If several tasks created a dataset with this title at the same time (within ten minutes),
    the oldest is used and a warning is logged. An existing dataset is not changed. Needs an SSH key. Encord API:
    ``datasets`` POST (v2).

    :param title: Title (templated).
    :param description: Description (templated).
    :param create_backing_folder: Create a mirror dataset: Encord keeps its files in a storage folder with the same
        content (templated). Without a backing folder, every upload must name a folder. Default: True, as in Encord's
        SDK.
    :param if_exists: What to do if a dataset with this title exists (templated). ``"reuse"`` (default) returns the
        dataset with exactly this title that the connection can see, and fails if there are several. ``"fail"`` fails
        the task, also on a retry after an attempt that created the dataset. ``"new"`` creates another dataset at every
        attempt.
    :return: Id of the dataset.
    :raises AirflowFailException: A dataset with this title exists (see `if_exists`), or Encord rejects the arguments.
    :raises AirflowException: Encord could not be reached, or its response was lost. A retry first looks for the
        dataset.
    """

    knows_project = False
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
        check_literals(
            create_backing_folder=(create_backing_folder, parse_bool),
            if_exists=(if_exists, one_of(*IF_EXISTS)),
        )

    def _execute(self, context: Context) -> str:
        """Create or find the dataset."""
        created = self.client.create_dataset(
            parse_text(self.title, "title") or "",
            description=parse_text(self.description, "description"),
            create_backing_folder=parse_bool(self.create_backing_folder, "create_backing_folder"),
            if_exists=self.if_exists,
        )
        self.push_link(context, dataset_url, created.id)
        self.log.info("%s dataset %s, %r.", "Created" if created.created else "Reuse", created.id, self.title)
        extra = {"dataset_id": created.id, "created": int(created.created)}
        self.record_asset_event(context, dataset_uri(self.client.settings.base_url, created.id), extra)
        return created.id


class EncordGetDatasetOperator(EncordBaseOperator):
    """Read a dataset, without its rows.

    Only reads.

    :param dataset_id: Id of the dataset (templated). Optional with an API key; default: the dataset of the key.
    :return: The dataset as a dictionary: ``dataset_id``, ``title``, ``description``, ``dataset_type``, and
        ``folder_id`` (its backing folder).
    :raises AirflowFailException: The dataset does not exist, or the connection has no access to it.
    """

    knows_project = False
    template_fields: Sequence[str] = ("dataset_id", "encord_conn_id")

    def __init__(self, *, dataset_id: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.dataset_id = dataset_id

    def _execute(self, context: Context) -> dict[str, Any]:
        """Read the dataset."""
        dataset = self.client.dataset(blank_to_none(self.dataset_id))
        self.push_link(context, dataset_url, dataset.id)
        return as_dictionary(dataset.get())


class EncordListDatasetsOperator(ListingOperator):
    """List the datasets that the user of the connection can see.

    Only reads. Needs an SSH key. The filters and the link are the same as in `EncordListProjectsOperator`, except that
    datasets have no tags.

    :return: A list of dictionaries with the fields that `EncordGetDatasetOperator` returns, and ``created_at`` and
        ``last_edited_at``.
    """

    knows_project = False

    def _execute(self, context: Context) -> list[dict[str, Any]]:
        """List the datasets."""
        found = self.client.datasets(self.which())
        if len(found) == 1:
            self.push_link(context, dataset_url, found[0].dataset_hash)
        self.log.info("Found %d datasets.", len(found))
        return [as_dictionary(match) for match in found]


class EncordLinkItemsOperator(EncordBaseOperator):
    """Link storage items to a dataset, without copying files.

    Safe to retry with the default `duplicates_behavior`: items that are already in the dataset are skipped, so a retry
    continues where the previous attempt stopped. With the other values, a retry is safe on Airflow 3.3: there, the
    task stores which items were in the dataset when it began. If such a task is cleared after a success, it links the
    items again (or fails). If Encord's response is lost, the task reads the dataset to find out what was linked. Many
    items are sent in several requests. Needs an SSH key. Encord API: ``datasetlinkitems`` (v1).

    :param dataset_id: Id of the dataset (templated).
    :param item_ids: Ids of the storage items, or one id (templated). Pass exactly one of `item_ids`, `folder_id`
        and `collection_id`.
    :param folder_id: Id of a storage folder: links all items in it, but not those in its subfolders (templated).
    :param collection_id: Id of a collection: links all items of it that the user can see (templated).
    :param duplicates_behavior: What to do with items that are already in the dataset (templated): ``"SKIP"`` (default)
        skips them, ``"DUPLICATE"`` links them again, ``"FAIL"`` fails the task.
    :return: ``{"dataset_id", "items", "created", "unchanged"}``: the number of items, how many of them got a new data
        row, and how many already had one. The asset event of the dataset contains the same values.
    :raises AirflowFailException: There are no items, or Encord rejects the request. The message says how many items
        were linked.
    """

    knows_project = False
    template_fields: Sequence[str] = (
        *("dataset_id", "item_ids", "folder_id", "collection_id", "duplicates_behavior", "encord_conn_id"),
    )

    def __init__(
        self,
        *,
        dataset_id: str,
        item_ids: Sequence[str] | str | None = None,
        folder_id: str | None = None,
        collection_id: str | None = None,
        duplicates_behavior: str = "SKIP",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.item_ids = item_ids
        self.folder_id = folder_id
        self.collection_id = collection_id
        self.duplicates_behavior = duplicates_behavior
        check_literals(
            duplicates_behavior=(duplicates_behavior, _duplicates_behavior),
        )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Link the items that are not linked yet."""
        from airflow_provider_encord.datasets.linking import link_items

        behavior = _duplicates_behavior(self.duplicates_behavior, "duplicates_behavior")
        dataset = self.client.dataset(blank_to_none(self.dataset_id))
        self.push_link(context, dataset_url, dataset.id)
        counts = link_items(
            self.client,
            dataset,
            item_ids=parse_list(self.item_ids, "item_ids"),
            folder_id=blank_to_none(self.folder_id),
            collection_id=blank_to_none(self.collection_id),
            behavior=behavior,  # type: ignore[arg-type]
            store=context.get("task_state_store"),
        )
        self.log.info(
            "Linked %d of %d items to dataset %s; the others were already in it.",
            counts["created"],
            counts["items"],
            dataset.id,
        )
        result = {"dataset_id": dataset.id, **counts}
        self.record_asset_event(context, dataset_uri(self.client.settings.base_url, dataset.id), result)
        return result


class EncordRemoveDataRowsOperator(EncordBaseOperator):
    """Remove data rows from a dataset. This also removes their labels in every project.

    The task logs which rows it removes before it removes them. A retry removes the rows that are left. On Airflow 3.3,
    a retry also succeeds if an earlier attempt removed all rows. Otherwise, if the dataset has none of the rows, the
    task fails, because the ids are probably wrong. So a task that is cleared after a success also fails. Many rows are
    removed in several requests. Works with an SSH key, or with an API key of the dataset. Encord API: ``datasets``
    DELETE (v1).

    :param dataset_id: Id of the dataset (templated). Optional with an API key.
    :param data_hashes: Ids of the data units, or one id (templated). An empty list is an error.
    :param preview: Only log what would be removed (templated). Default: False. An empty string is an error.
    :return: ``{"dataset_id", "selected", "removed", "not_found"}``: the numbers of rows that were selected, removed,
        and not found; ``removed`` and ``not_found`` add up to ``selected``. With `preview`, ``removed`` is 0, and
        ``selected`` less ``not_found`` is how many would be removed. The asset event of the dataset contains the same
        values; with `preview` there is no event.
    :raises AirflowFailException: `data_hashes` is empty, the dataset has none of the rows, or Encord rejects the
        request. The message says how many rows were removed.
    """

    knows_project = False
    template_fields: Sequence[str] = ("dataset_id", "data_hashes", "preview", "encord_conn_id")

    def __init__(
        self,
        *,
        data_hashes: Sequence[str] | str,
        dataset_id: str | None = None,
        preview: bool | str = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.data_hashes = data_hashes
        self.preview = preview
        check_literals(data_hashes=(data_hashes, parse_ids), preview=(preview, parse_bool))

    def _execute(self, context: Context) -> dict[str, Any]:
        """Remove the rows that the dataset has."""
        from airflow_provider_encord.datasets.removal import Removal, rows_to_remove

        preview = parse_bool(self.preview, "preview")
        wanted = rows_to_remove(parse_list(self.data_hashes, "data_hashes"))
        dataset = self.client.dataset(blank_to_none(self.dataset_id))
        self.push_link(context, dataset_url, dataset.id)
        removal = Removal(dataset, wanted, context.get("task_state_store"))
        result = {"dataset_id": dataset.id, **removal.remove(preview=preview)}
        if not preview:
            self.record_asset_event(context, dataset_uri(self.client.settings.base_url, dataset.id), result)
            removal.forget()  # last: until here, a retry needs the number
        return result


class EncordAddDatasetUsersOperator(AddUsersOperator):
    """Add users to a dataset.

    Safe to repeat: users who are already in the dataset keep their role; a warning lists those with another role.
    Needs an SSH key. Encord API: ``datasets/{id}/users`` POST (v2).

    :param dataset_id: Id of the dataset (templated).
    :param user_emails: Email addresses of the users, or one address (templated).
    :param role: ``"admin"`` or ``"user"`` (templated).
    :return: ``{"users", "role_unchanged"}``: how many of these users are in the dataset now, and the addresses of
        those who keep another role.
    :raises AirflowFailException: An address or the role is invalid, or Encord rejects the request.
    """

    knows_project = False
    template_fields: Sequence[str] = ("dataset_id", *AddUsersOperator.template_fields)

    def __init__(self, *, dataset_id: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.dataset_id = dataset_id

    def _execute(self, context: Context) -> dict[str, Any]:
        """Add the users who are not in the dataset."""
        dataset = self.client.dataset(blank_to_none(self.dataset_id))
        self.push_link(context, dataset_url, dataset.id)
        result = self.add_to(dataset)
        extra = {"dataset_id": dataset.id, **result}
        self.record_asset_event(context, dataset_uri(self.client.settings.base_url, dataset.id), extra)
        return result


def _duplicates_behavior(value: Any, name: str) -> str:
    return parse_choice(str(value).upper(), name, DUPLICATES_BEHAVIORS)
