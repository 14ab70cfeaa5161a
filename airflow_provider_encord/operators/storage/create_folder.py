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
    """Create a storage folder, unless one with its title exists in the same place.

    Safe to repeat with the default `if_exists`: the folder of this title is found again, also when the answer to its
    creation was lost or the worker died. Of several that tasks created at the same time (within ten minutes) the oldest
    is taken, with a warning. What is found is not changed. Needs an SSH key. Encord API: ``storage/folders`` POST (v2).

    :param title: Name of the folder (templated).
    :param parent_folder_id: Id of the folder to put it in (templated). Default: the root.
    :param description: Description (templated).
    :param client_metadata: Your own data about it, a dictionary or JSON (templated).
    :param integration: Title or id of a cloud integration, for a folder that is synced with a bucket (templated).
    :param remote_url: What to sync it with, such as ``s3://bucket/path/`` (templated). Needs `integration`.
    :param if_exists: What to do if its title is taken (templated): ``"reuse"`` (default) takes the one folder of
        exactly this title in that place, and fails if there are several that were not created together; ``"fail"``
        fails if there is one; ``"new"`` makes another folder at every try.
    :return: Id of the folder.
    :raises AirflowFailException: The title is taken (see `if_exists`), or Encord refuses the arguments.
    :raises AirflowException: Encord was not reached, or its answer was lost; a retry looks first.
    """

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
        from airflow_provider_encord.client.resources.organisation import integration_of

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
