"""Operators on datasets: create, get and list datasets, and change their data rows and users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.assets import dataset_uri
from airflow_provider_encord.client.errors import ConflictError, InvalidArgumentError
from airflow_provider_encord.client.identifiers import require_ids
from airflow_provider_encord.counts import require_sum
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

    from airflow_provider_encord.attempts import Checkpoint
    from airflow_provider_encord.client.api.datasets import DataRow
    from airflow_provider_encord.client.resources.datasets import Dataset

_NAMED_ROWS = 5  # in the log


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
    :param item_ids: Ids of the storage items, or one id (templated). Pass either `item_ids` or `folder_id`.
    :param folder_id: Id of a storage folder: links all items in it, but not those in its subfolders (templated).
    :param duplicates_behavior: What to do with items that are already in the dataset (templated): ``"SKIP"`` (default)
        skips them, ``"DUPLICATE"`` links them again, ``"FAIL"`` fails the task.
    :return: ``{"dataset_id", "items", "created", "unchanged"}``: the number of items, how many of them got a new data
        row, and how many already had one. The asset event of the dataset contains the same values.
    :raises AirflowFailException: There are no items, or Encord rejects the request. The message says how many items
        were linked.
    """

    template_fields: Sequence[str] = ("dataset_id", "item_ids", "folder_id", "duplicates_behavior", "encord_conn_id")

    def __init__(
        self,
        *,
        dataset_id: str,
        item_ids: Sequence[str] | str | None = None,
        folder_id: str | None = None,
        duplicates_behavior: str = "SKIP",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.dataset_id = dataset_id
        self.item_ids = item_ids
        self.folder_id = folder_id
        self.duplicates_behavior = duplicates_behavior
        check_literals(
            duplicates_behavior=(duplicates_behavior, _duplicates_behavior),
        )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Link the items that are not linked yet."""

        behavior = _duplicates_behavior(self.duplicates_behavior, "duplicates_behavior")
        dataset = self.client.dataset(blank_to_none(self.dataset_id))
        self.push_link(context, dataset_url, dataset.id)
        items = self._items()
        left = list(items) if behavior == "SKIP" else self._not_linked_by_us(context, dataset, items, behavior)
        rows = dataset.link_items(left, duplicates_behavior=behavior) if left else []  # type: ignore[arg-type]
        linked = len(items) - len(left) + len(rows)
        unchanged = 0 if linked == len(items) else self._there_before(dataset, left, rows)
        require_sum("The link", len(items), created=linked, unchanged=unchanged)
        self._progress(context, dataset, behavior).forget()
        result = {"dataset_id": dataset.id, "items": len(items), "created": linked, "unchanged": unchanged}
        self.log.info(
            "Linked %d of %d items to dataset %s; the others were already in it.", linked, len(items), dataset.id
        )
        self.record_asset_event(context, dataset_uri(self.client.settings.base_url, dataset.id), result)
        return result

    @staticmethod
    def _there_before(dataset: Dataset, items: Sequence[str], new: Sequence[DataRow]) -> int:
        """Count the items that had a data row before this task."""
        rows_before = {row.backing_item_uuid for row in dataset.data_rows()} - {row.backing_item_uuid for row in new}
        return len(rows_before.intersection(items))

    def _not_linked_by_us(self, context: Context, dataset: Dataset, items: Sequence[str], behavior: str) -> list[str]:
        """Return the items that no earlier attempt of this task linked.

        :raises ConflictError: `duplicates_behavior` is ``FAIL``, and some items were in the dataset before this task.
        """

        progress = self._progress(context, dataset, behavior)
        rows: dict[str, list[str]] = {item: [] for item in items}
        for row in dataset.data_rows():
            if row.backing_item_uuid in rows:
                rows[row.backing_item_uuid].append(row.data_hash)
        before = progress.load() or {}
        if new := {item: hashes for item, hashes in rows.items() if item not in before}:
            before |= new
            progress.save(before)
        there = {item for item in rows if before[item]}
        ours = {item for item, hashes in rows.items() if set(hashes) - set(before[item])}
        if behavior == "FAIL" and (twice := [item for item in items if item in there]):
            progress.forget()
            raise ConflictError(
                f"item_ids: {len(twice)} of {len(items)} items are already in dataset {dataset.id}, such as "
                f"{twice[0]}. Nothing was linked, because duplicates_behavior is 'FAIL'. Remove these items from "
                "item_ids, or set duplicates_behavior='SKIP'."
            )
        return [item for item in items if item not in ours]

    def _progress(self, context: Context, dataset: Dataset, behavior: str) -> Checkpoint[dict[str, list[str]]]:
        """The stored data rows that each item had before this task linked it."""
        from airflow_provider_encord.attempts import Checkpoint, fingerprint

        items = sorted(parse_list(self.item_ids, "item_ids"))
        about = fingerprint(dataset=dataset.id, items=items, folder=blank_to_none(self.folder_id), behavior=behavior)
        store: Any = context.get("task_state_store")
        return Checkpoint(store, "encord_link", about, dict[str, list[str]])

    def _items(self) -> list[str]:
        from airflow_provider_encord.client.api.storage_items import ItemFilter

        items, folder = parse_list(self.item_ids, "item_ids"), blank_to_none(self.folder_id)
        if bool(items) == (folder is not None):
            raise InvalidArgumentError("Pass exactly one of `item_ids` and `folder_id`.")
        if folder is None:
            return require_ids(items, "item_ids")
        which = ItemFilter(client_metadata=False, page_size=1000)
        found = [item.uuid for item in self.client.folder(folder).items(which) if not item.is_placeholder]
        if not found:
            raise InvalidArgumentError(f"folder_id: folder {folder} has no items. Check the id.")
        return found


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
        from airflow_provider_encord.attempts import Checkpoint, fingerprint

        preview = parse_bool(self.preview, "preview")
        wanted = list(dict.fromkeys(require_ids(parse_list(self.data_hashes, "data_hashes"), "data_hashes")))
        if not wanted:
            raise InvalidArgumentError("data_hashes: it is empty (check the rendered template); nothing was removed.")
        dataset = self.client.dataset(blank_to_none(self.dataset_id))
        self.push_link(context, dataset_url, dataset.id)
        chosen = set(wanted)
        there = [row for row in dataset.data_rows() if row.data_hash in chosen]
        store: Any = context.get("task_state_store")
        begun = Checkpoint(store, "encord_removal", fingerprint(dataset=dataset.id, rows=wanted), int)
        # An earlier attempt that was killed may have removed some of them.
        found = max(begun.load() or 0, len(there))
        if not found:
            raise InvalidArgumentError(
                f"data_hashes: dataset {dataset.id} has none of the {len(wanted)} data units; nothing was removed. "
                "Pass ids of data units of this dataset, not ids of storage items. If an earlier run of this task "
                "removed them, mark the task as success."
            )
        self._announce(dataset.id, there, len(wanted), preview=preview)
        if there and not preview:
            begun.save(found)
            dataset.remove_data_rows([row.data_hash for row in there])
        result = {
            "dataset_id": dataset.id,
            "selected": len(wanted),
            "removed": 0 if preview else found,
            "not_found": len(wanted) - found,
        }
        if not preview:
            self.record_asset_event(context, dataset_uri(self.client.settings.base_url, dataset.id), result)
            begun.forget()  # last: until here, a retry needs the number
        return result

    def _announce(self, dataset: str, there: Sequence[DataRow], wanted: int, *, preview: bool) -> None:
        titles = ", ".join(repr(row.data_title[:80]) for row in there[:_NAMED_ROWS])
        self.log.info(
            "%s %d of %d data rows of dataset %s%s; %d were not found.",
            "Would remove" if preview else "Removing",
            len(there),
            wanted,
            dataset,
            f" ({titles}{', ...' if len(there) > _NAMED_ROWS else ''})" if there else "",
            wanted - len(there),
        )


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
