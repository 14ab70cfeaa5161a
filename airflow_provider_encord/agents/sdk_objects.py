"""Objects of Encord's SDK for functions that ask for them. Needs the extra ``sdk``.

Of label rows, the SDK only lists the metadata. Their content is what our client has read, so that both are about the
same moment, and our client saves it, so that edits of people are not overwritten.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.agents.descriptions import described
from airflow_provider_encord.client.errors import EncordError, RefusedError, UnavailableError

REFUSALS = ("AuthorisationError", "InvalidArgumentsError", "ResourceNotFoundError")  # of the SDK


class RowArguments(msgspec.Struct, frozen=True, kw_only=True):
    """How the SDK reads label rows.

    :param listing: Arguments of ``Project.list_label_rows_v2``, such as ``include_client_metadata``.
    :param labels: Arguments of ``LabelRowV2.initialise_labels``; None takes the content that our client has read.
    """

    listing: Mapping[str, Any] = {}
    labels: Mapping[str, Any] | None = None


class SdkObjects:
    """Reads objects of the SDK about the tasks of a stage.

    :param make_client: Makes the client of the SDK; called once, when it is needed.
    :param rows: How label rows are read.
    """

    def __init__(
        self, make_client: Callable[[], Any], project_id: str, stage_id: str, rows: RowArguments | None = None
    ):
        self._make_client, self._project_id, self._stage_id = make_client, project_id, stage_id
        self._rows = rows or RowArguments()

    @functools.cached_property
    def client(self) -> Any:
        """The client of the SDK."""
        return self._make_client()

    @functools.cached_property
    def project(self) -> Any:
        """The project.

        :raises UnavailableError: The SDK failed. The same applies to the attributes and methods below.
        """
        with _sdk_errors(f"read project {self._project_id}"):
            return self.client.get_project(self._project_id)

    @functools.cached_property
    def stage(self) -> Any:
        """The stage."""
        with _sdk_errors(f"read stage {self._stage_id}"):
            return self.project.workflow.get_stage(uuid=self._stage_id)

    def rows(self, branch: str, contents: Mapping[str, dict[str, Any]]) -> tuple[dict[str, Any], dict[str, str]]:
        """Make label rows.

        :param contents: The label rows that were read, by data hash.
        :return: The rows, and why others cannot be made, by data hash.
        """
        with _sdk_errors(f"read the label rows of project {self._project_id}"):
            listed = self.project.list_label_rows_v2(
                data_hashes=list(contents), branch_name=branch, **self._rows.listing
            )
            rows = {str(row.data_hash): row for row in listed}
            if self._rows.labels is not None:
                with self.project.create_bundle() as bundle:
                    for row in rows.values():
                        row.initialise_labels(bundle=bundle, **self._rows.labels)
                return rows, {}
        filled = {data_hash: _fill(row, contents[data_hash]) for data_hash, row in rows.items()}
        problems = {data_hash: problem for data_hash, problem in filled.items() if problem is not None}
        return {data_hash: row for data_hash, row in rows.items() if data_hash not in problems}, problems

    def tasks(self, data_hashes: Sequence[str]) -> dict[str, Any]:
        """The tasks of data units, by id."""
        with _sdk_errors(f"list the tasks of stage {self._stage_id}"):
            return {str(task.uuid): task for task in self.stage.get_tasks(data_hash=list(data_hashes))}

    def items(self, item_uuids: Sequence[str]) -> dict[str, Any]:
        """Storage items with signed URLs, by id."""
        with _sdk_errors("read storage items"):
            found = self.client.get_storage_items(list(item_uuids), sign_url=True)
            return {str(item.uuid): item for item in found}


def _fill(row: Any, content: dict[str, Any]) -> str | None:
    """Give labels to a row. Return why the SDK cannot, such as an object that its ontology no longer has."""
    try:
        row.from_labels_dict(content)
    except Exception as error:  # noqa: BLE001 - it has many errors, and one row must not cost the others
        return f"Encord's SDK cannot read its labels: {described(error)}"
    return None


@contextlib.contextmanager
def _sdk_errors(what: str) -> Iterator[None]:
    """Translate the errors of the SDK. It has many, and their text may quote anything, so only the type is shown."""
    try:
        yield
        return
    except Exception as error:
        if isinstance(error, EncordError) or type(error).__module__.startswith("airflow."):
            raise
        kind = type(error).__name__
    translated = RefusedError if kind in REFUSALS else UnavailableError
    raise translated(f"Encord's SDK could not {what} ({kind}).")
