"""Create a storage folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.assets import folder_uri
from airflow_provider_encord.defaults import IF_EXISTS
from airflow_provider_encord.links import folder_url
from airflow_provider_encord.operators.arguments import blank_to_none, json_mapping, parse_text
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.literals import check_literals, one_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class EncordCreateFolderOperator(EncordBaseOperator):
    """Create a storage folder, unless one with its title exists in the same parent folder.

    Safe to retry with the default `if_exists`: a retry finds the folder by its title, even if Encord's response was
    lost or the worker died. If several tasks created a folder with this title at the same time (within ten minutes),
    the oldest is used and a warning is logged. An existing folder is not changed. Needs an SSH key. Encord API:
    ``storage/folders`` POST (v2).

    :param title: Name of the folder (templated).
    :param parent_folder_id: Id of the parent folder (templated). Default: the root.
    :param description: Description (templated).
    :param client_metadata: Client metadata of the folder, a dictionary or JSON (templated).
    :param integration: Title or id of a cloud integration, for a cloud-synced folder (templated).
    :param remote_url: URL of the bucket or prefix to sync with, such as ``s3://bucket/path/`` (templated). Pass it
        together with `integration`.
    :param if_exists: What to do if the parent folder has a folder with this title (templated). ``"reuse"`` (default)
        returns the folder with exactly this title, and fails if there are several that were not created at the same
        time. ``"fail"`` fails the task, also on a retry after an attempt that created the folder. ``"new"`` creates
        another folder at every attempt.
    :return: Id of the folder.
    :raises AirflowFailException: A folder with this title exists (see `if_exists`), or Encord rejects the arguments.
    :raises AirflowException: Encord could not be reached, or its response was lost. A retry first looks for the
        folder.
    """

    knows_project = False
    template_fields: Sequence[str] = (
        "title",
        "parent_folder_id",
        "description",
        "client_metadata",
        "integration",
        "remote_url",
        "if_exists",
        "encord_conn_id",
    )

    def __init__(
        self,
        *,
        title: str,
        parent_folder_id: str | None = None,
        description: str | None = None,
        client_metadata: Mapping[str, Any] | str | None = None,
        integration: str | None = None,
        remote_url: str | None = None,
        if_exists: str = "reuse",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.title = title
        self.parent_folder_id = parent_folder_id
        self.description = description
        self.client_metadata = client_metadata
        self.integration = integration
        self.remote_url = remote_url
        self.if_exists = if_exists
        check_literals(
            if_exists=(if_exists, one_of(*IF_EXISTS)),
        )

    def _execute(self, context: Context) -> str:
        """Create or find the folder."""
        from airflow_provider_encord.client.flows.organisation import integration_of

        integration = parse_text(self.integration, "integration")
        created = self.client.create_folder(
            parse_text(self.title, "title") or "",
            parent_folder_id=blank_to_none(self.parent_folder_id),
            description=parse_text(self.description, "description"),
            client_metadata=json_mapping(self.client_metadata, "client_metadata"),
            integration=None
            if integration is None
            else integration_of(self.client.cloud_integrations(), str(integration)),
            remote_url=parse_text(self.remote_url, "remote_url"),
            if_exists=self.if_exists,
        )
        self.push_link(context, folder_url, created.id)
        self.log.info("%s folder %s, %r.", "Created" if created.created else "Reuse", created.id, self.title)
        extra = {"folder_id": created.id, "created": int(created.created)}
        self.record_asset_event(context, folder_uri(self.client.settings.base_url, created.id), extra)
        return created.id
