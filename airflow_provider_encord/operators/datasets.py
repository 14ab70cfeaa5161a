"""Operators on datasets: create, get, list; what is in them, and who."""

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

    from airflow_provider_encord.attempts import Checkpoint
    from airflow_provider_encord.client.api.datasets import DataRow
    from airflow_provider_encord.client.resources.datasets import Dataset

_NAMED_ROWS = 5  # in the log


class EncordCreateDatasetOperator(EncordBaseOperator):
    """Create a dataset, unless one with its title exists.

    Safe to repeat with the default `if_exists`: the dataset of this title is found again, also when the answer to its
    creation was lost or the worker died. Of several that tasks created at the same time (within ten minutes) the oldest
    is taken, with a warning. What is found is not changed. Needs an SSH key. Encord API: ``datasets`` POST (v2).

    :param title: Title (templated).
    :param description: Description (templated).
    :param create_backing_folder: Make it a mirror dataset, with a storage folder kept in step (templated). Without one,
        every upload has to name a folder. Default: True, as in Encord's SDK.
    :param if_exists: What to do if its title is taken (templated): ``"reuse"`` (default) takes the one dataset of
        exactly this title that the connection can see, and fails if there are several; ``"fail"`` fails if there is
        one, so also on a retry after the dataset was created; ``"new"`` makes another dataset at every try.
    :return: Id of the dataset.
    :raises AirflowFailException: The title is taken (see `if_exists`), or Encord refuses the arguments.
    :raises AirflowException: Encord was not reached, or its answer was lost; a retry looks first.
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

    :param dataset_id: Id (templated). With an API key it may be left out: the key's own dataset is read.
    :return: The dataset as a dictionary: ``dataset_id``, ``title``, ``description``, ``dataset_type``,
        ``folder_id`` of its backing folder.
    :raises AirflowFailException: There is no such dataset, or the connection may not see it.
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

    Only reads. Needs an SSH key. The filters, and where the link leads, are as with `EncordListProjectsOperator`,
    without tags.

    :return: A list of dictionaries as `EncordGetDatasetOperator` gives them, with ``created_at`` and
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

    Safe to repeat with the default `duplicates_behavior`: items that are in the dataset are left alone, so a retry
    continues where the attempt before stopped. With the others a retry is safe on Airflow 3.3, where the task notes
    what was there when it began; a task that is cleared after its success links once more (or fails). An answer that
    is lost is looked up in any case. Large numbers go in several requests. Needs an SSH key. Encord API:
    ``datasetlinkitems`` (v1).

    :param dataset_id: Id of the dataset (templated).
    :param item_ids: Ids of the items, or one id (templated).
    :param folder_id: Id of a storage folder, instead: all items in it, not those in its subfolders (templated).
    :param duplicates_behavior: ``"SKIP"`` (default) leaves items alone that are there; ``"DUPLICATE"`` links them once
        more; ``"FAIL"`` fails (templated).
    :return: ``{"dataset_id", "items", "created", "unchanged"}``: the number of items, and how many of them got a data
        row or had one already. The asset event of the dataset gets the same.
    :raises AirflowFailException: There are no items, or Encord refuses; the message says what is done.
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
        """Link what is not linked."""
        from airflow_provider_encord.counts import require_sum

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
        self.log.info("Linked %d of %d items to dataset %s; the others were there.", linked, len(items), dataset.id)
        self.record_asset_event(context, dataset_uri(self.client.settings.base_url, dataset.id), result)
        return result

    @staticmethod
    def _there_before(dataset: Dataset, items: Sequence[str], new: Sequence[DataRow]) -> int:
        """How many items have a data row that is not new."""
        rows_before = {row.backing_item_uuid for row in dataset.data_rows()} - {row.backing_item_uuid for row in new}
        return len(rows_before.intersection(items))

    def _not_linked_by_us(self, context: Context, dataset: Dataset, items: Sequence[str], behavior: str) -> list[str]:
        """The items that an earlier attempt of this task did not link.

        :raises ConflictError: Duplicates are to fail, and some items are there from before.
        """
        from airflow_provider_encord.client.errors import ConflictError

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
                f"item_ids: {len(twice)} of {len(items)} are in dataset {dataset.id} already, such as {twice[0]}, and "
                "duplicates_behavior is 'FAIL'. Nothing was linked."
            )
        return [item for item in items if item not in ours]

    def _progress(self, context: Context, dataset: Dataset, behavior: str) -> Checkpoint[dict[str, list[str]]]:
        """The data rows of each item that were there before an attempt at this work linked it."""
        from airflow_provider_encord.attempts import Checkpoint, fingerprint

        items = sorted(parse_list(self.item_ids, "item_ids"))
        about = fingerprint(dataset=dataset.id, items=items, folder=blank_to_none(self.folder_id), behavior=behavior)
        store: Any = context.get("task_state_store")
        return Checkpoint(store, "encord_link", about, dict[str, list[str]])

    def _items(self) -> list[str]:
        from airflow_provider_encord.client.api.storage_items import ItemFilter
        from airflow_provider_encord.client.errors import InvalidArgumentError
        from airflow_provider_encord.client.resources.identifiers import require_ids

        items, folder = parse_list(self.item_ids, "item_ids"), blank_to_none(self.folder_id)
        if bool(items) == (folder is not None):
            raise InvalidArgumentError("Pass exactly one of `item_ids` and `folder_id`.")
        if folder is None:
            return require_ids(items, "item_ids")
        which = ItemFilter(client_metadata=False, page_size=1000)
        found = [item.uuid for item in self.client.folder(folder).items(which) if not item.is_placeholder]
        if not found:
            raise InvalidArgumentError(f"folder_id: {folder} has no items.")
        return found


class EncordRemoveDataRowsOperator(EncordBaseOperator):
    """Remove data rows from a dataset, and with them the labels on them in every project.

    The task logs what it will remove before it does. A retry removes the other rows. If none of the rows is there, the
    task fails, because the selection is most likely wrong; so a task that is cleared after its success fails, too. On
    Airflow 3.3 a retry succeeds if an earlier attempt removed all rows. Large numbers go in several requests. Works
    with an SSH key and with an API key of the dataset. Encord API: ``datasets`` DELETE (v1).

    :param dataset_id: Id of the dataset (templated). With an API key it may be left out.
    :param data_hashes: Ids of the data units, or one id (templated). An empty selection is refused.
    :param preview: Only say what would be removed (templated). Default: False. An empty text is refused.
    :return: ``{"dataset_id", "selected", "removed", "not_found"}``: numbers of rows that were named, removed, and not
        there. ``removed`` and ``not_found`` add up to ``selected``. With `preview`, ``removed`` is 0, and ``selected``
        less ``not_found`` is how many would be removed. The asset event of the dataset gets the same, not with
        `preview`.
    :raises AirflowFailException: The selection is empty, or none of it is there, or Encord refuses; the message says
        what is done.
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
        """Remove what is there."""
        from airflow_provider_encord.attempts import Checkpoint, fingerprint
        from airflow_provider_encord.client.errors import InvalidArgumentError
        from airflow_provider_encord.client.resources.identifiers import require_ids

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
        # An attempt that was killed may have removed some before.
        found = max(begun.load() or 0, len(there))
        if not found:
            raise InvalidArgumentError(
                f"data_hashes: none of the {len(wanted)} is in dataset {dataset.id}; nothing was removed. Pass ids of "
                "its data units (not of storage items, and not of another dataset). If an earlier run of this task "
                "removed them, all is well: mark the task as success."
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
            begun.forget()  # last: an attempt that is killed after this is one that ended, to the next
        return result

    def _announce(self, dataset: str, there: Sequence[DataRow], wanted: int, *, preview: bool) -> None:
        titles = ", ".join(repr(row.data_title[:80]) for row in there[:_NAMED_ROWS])
        self.log.info(
            "%s %d of %d data rows of dataset %s%s; %d are not there.",
            "Would remove" if preview else "Removing",
            len(there),
            wanted,
            dataset,
            f" ({titles}{', ...' if len(there) > _NAMED_ROWS else ''})" if there else "",
            wanted - len(there),
        )


class EncordAddDatasetUsersOperator(AddUsersOperator):
    """Add users to a dataset.

    Safe to repeat: who is there already keeps the old role, and is named. Needs an SSH key. Encord API:
    ``datasets/{id}/users`` POST (v2).

    :param dataset_id: Id of the dataset (templated).
    :param user_emails: Their addresses, or one address (templated).
    :param role: ``"admin"`` or ``"user"`` (templated).
    :return: ``{"users", "role_unchanged"}``: how many of them are in the dataset now, and the addresses of those who
        already had another role, which they keep.
    :raises AirflowFailException: An address or the role is wrong, or Encord refuses.
    """

    template_fields: Sequence[str] = ("dataset_id", *AddUsersOperator.template_fields)

    def __init__(self, *, dataset_id: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.dataset_id = dataset_id

    def _execute(self, context: Context) -> dict[str, Any]:
        """Add who is not there."""
        dataset = self.client.dataset(blank_to_none(self.dataset_id))
        self.push_link(context, dataset_url, dataset.id)
        result = self.add_to(dataset)
        extra = {"dataset_id": dataset.id, **result}
        self.record_asset_event(context, dataset_uri(self.client.settings.base_url, dataset.id), extra)
        return result


def _duplicates_behavior(value: Any, name: str) -> str:
    return parse_choice(str(value).upper(), name, DUPLICATES_BEHAVIORS)
