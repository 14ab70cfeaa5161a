"""Label rows as objects of Encord's SDK, for functions that ask for ``LabelRowV2``. Needs the extra ``sdk``.

The SDK only lists the rows. Their content is what our client has read, so that both are about the same moment, and our
client saves it, so that edits of people are not overwritten.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.errors import EncordError, UnavailableError


class SdkRows:
    """Makes label rows of the SDK.

    :param sdk_client: Makes the client of the SDK; called once, when it is needed.
    """

    def __init__(self, sdk_client: Callable[[], Any], project_id: str):
        self._sdk_client, self._project_id = sdk_client, project_id

    @functools.cached_property
    def _project(self) -> Any:
        return self._sdk_client().get_project(self._project_id)

    def rows(self, branch: str, contents: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
        """Make the rows, by data hash.

        :param contents: The label rows that were read, by data hash.
        :raises UnavailableError: The SDK failed.
        """
        rows = {str(row.data_hash): row for row in self._listed(branch, list(contents))}
        for data_hash, row in rows.items():
            row.from_labels_dict(contents[data_hash])
        return rows

    def _listed(self, branch: str, data_hashes: Sequence[str]) -> list[Any]:
        try:
            found: list[Any] = self._project.list_label_rows_v2(data_hashes=list(data_hashes), branch_name=branch)
        except Exception as error:  # the SDK has many, and their text may quote anything
            if isinstance(error, EncordError) or type(error).__module__.startswith("airflow."):
                raise
            what = type(error).__name__
        else:
            return found
        raise UnavailableError(f"Encord's SDK could not list the label rows of project {self._project_id} ({what}).")
