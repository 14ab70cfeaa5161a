"""From an Airflow connection to an authenticated client. The only place that reads a connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseHook, mask_secret

from airflow_provider_encord.get_provider_info import (
    CONNECTION_FIELDS,
    CONNECTION_TYPE,
    DEFAULT_CONNECTION_ID,
    FIELD_BEHAVIOUR,
    HOOK_NAME,
)

if TYPE_CHECKING:
    from encord import EncordUserClient  # of the extra

    from airflow_provider_encord.client.async_client import AsyncEncordClient
    from airflow_provider_encord.client.client import EncordClient
    from airflow_provider_encord.client.credentials import Credential
    from airflow_provider_encord.client.resources.datasets import Dataset
    from airflow_provider_encord.client.resources.projects import Project
    from airflow_provider_encord.client.transport.settings import Settings

_warned_of_api_keys: dict[str, str] = {}  # by connection, the task try that was warned last


class EncordHook(BaseHook):
    """Turns a connection of type ``encord`` into a client that is ready to use.

    Good to use from a plain ``@task``::

        with EncordHook("encord_default") as hook:
            rows = hook.get_project(project_id).label_rows()

    Nothing is read or sent before it is needed. The connection's secrets are registered with Airflow's masker, each
    line of a key too.

    :param encord_conn_id: Id of the Airflow connection.
    """

    conn_name_attr = "encord_conn_id"
    default_conn_name = DEFAULT_CONNECTION_ID
    conn_type = CONNECTION_TYPE
    hook_name = HOOK_NAME

    def __init__(self, encord_conn_id: str = DEFAULT_CONNECTION_ID, **kwargs: Any):
        super().__init__(**kwargs)
        self.encord_conn_id = encord_conn_id

    def __getstate__(self) -> dict[str, Any]:
        """What a copy or a pickle takes along: not the client with its secrets; a copy makes one of its own."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_client", "_log")}

    def __enter__(self) -> EncordHook:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The form's extra fields, for Airflow before 3.2."""
        from airflow_provider_encord.hooks.form import widgets

        return widgets(CONNECTION_FIELDS)

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """How the form shows the standard fields, for Airflow before 3.2."""
        return {name.replace("-", "_"): value for name, value in FIELD_BEHAVIOUR.items()}

    def get_conn(self) -> EncordClient:
        """The authenticated client; made once per hook.

        :raises CredentialError: The connection is incomplete or its credential unusable.
        """
        return self._client

    async def get_async_client(self) -> AsyncEncordClient:
        """The authenticated client for the running event loop: for triggers and async tasks.

        Ask for it at every poll, and do not keep it: that costs no request, and follows a connection that changes (its
        key was rotated, say). All that the loop runs for the same content of a connection share the client with its
        open connections, so closing it does nothing.

        ::

            client = await EncordHook("encord_default").get_async_client()
            page = await client.send(list_projects())

        :raises CredentialError: The connection is incomplete or its credential unusable.
        """
        from airflow.providers.common.compat.connection import get_async_connection

        from airflow_provider_encord.client.errors import CredentialError
        from airflow_provider_encord.hooks.async_clients import shared_client

        connection = await get_async_connection(self.encord_conn_id, hook=self)
        # In a thread: masking talks to the supervisor, a key file is read, an encrypted key takes its time.
        read = await asyncio.to_thread(self._understand, connection)
        del connection
        if isinstance(read, str):
            raise CredentialError(read)
        credential, settings = read
        self._tell_of_api_key(credential)
        return await shared_client(self.encord_conn_id, credential, settings)

    def get_sdk_client(self) -> EncordUserClient:
        """A new client of Encord's own SDK, made of this connection: same address, key and time-outs.

        For what this package does not offer, and for what takes such a client (``encord_agents``, say). It needs the
        extra ``sdk`` and a connection with an SSH key. `allow_http` means nothing to the SDK, which sends wherever
        Encord asks it to.

        :raises UnsupportedByCredentialError: The connection has what the SDK has no setting for: an API key, or a
            `ca_bundle`.
        :raises AirflowOptionalProviderFeatureException: The extra is not installed.
        """
        from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException

        from airflow_provider_encord.hooks import sdk

        credential, settings = self._read_connection()
        try:
            return sdk.sdk_client(credential, settings)
        except ModuleNotFoundError as missing:
            module = missing.name
        raise AirflowOptionalProviderFeatureException(
            f"EncordHook.get_sdk_client needs the extra: {sdk.INSTALL} (the module {module} is missing)"
        )

    def close(self) -> None:
        """Give the client's connections back. The next use makes a new client."""
        client = self.__dict__.pop("_client", None)
        if client is not None:
            client.close()

    def get_project(self, project_id: str | None = None) -> Project:
        """Handle on a project.

        :param project_id: Its id; None takes the one that the connection's API key belongs to.
        """
        return self.get_conn().project(project_id)

    def get_dataset(self, dataset_id: str | None = None) -> Dataset:
        """Handle on a dataset.

        :param dataset_id: Its id; None takes the one that the connection's API key belongs to.
        """
        return self.get_conn().dataset(dataset_id)

    def create_project(
        self,
        title: str,
        *,
        description: str = "",
        dataset_ids: Sequence[str] = (),
        ontology_id: str | None = None,
        workflow_template_id: str | None = None,
        if_exists: str = "reuse",
    ) -> Project:
        """Create a project, unless there is one of its title; see `EncordClient.create_project`."""
        client = self.get_conn()
        created = client.create_project(
            title,
            description=description,
            dataset_ids=dataset_ids,
            ontology_id=ontology_id,
            workflow_template_id=workflow_template_id,
            if_exists=if_exists,
        )
        return client.project(created.id)

    def create_dataset(
        self,
        title: str,
        *,
        description: str | None = None,
        create_backing_folder: bool = True,
        if_exists: str = "reuse",
    ) -> Dataset:
        """Create a dataset, unless there is one of its title; see `EncordClient.create_dataset`."""
        client = self.get_conn()
        created = client.create_dataset(
            title, description=description, create_backing_folder=create_backing_folder, if_exists=if_exists
        )
        return client.dataset(created.id)

    def test_connection(self) -> tuple[bool, str]:
        """Try the connection with one small read. Never raises.

        :return: Whether it works, and a message that says what it can do, or what is wrong and how to mend it.
        """
        from airflow_provider_encord.hooks import connection_test

        try:
            with self._connect(attempts=1) as client:  # somebody waits for the answer
                return True, connection_test.accepted(client)
        except Exception as error:  # noqa: BLE001 - Airflow shows the message, and expects no exception
            return False, connection_test.explained(error)

    @cached_property
    def _client(self) -> EncordClient:
        client = self._connect()
        self._tell_of_api_key(client.credential)
        return client

    def _connect(self, **options: Any) -> EncordClient:
        """Make a client of the connection.

        :param options: As `SyncTransport` takes them.
        """
        from airflow_provider_encord.client.client import EncordClient
        from airflow_provider_encord.client.transport.sync import SyncTransport

        credential, settings = self._read_connection()
        return EncordClient(credential, settings, transport=SyncTransport(credential, settings, **options))

    def _read_connection(self) -> tuple[Credential, Settings]:
        """What the connection says.

        :raises CredentialError: It is incomplete, or its credential unusable.
        """
        from airflow_provider_encord.client.errors import CredentialError

        read = self._understand(self.get_connection(self.encord_conn_id))
        if isinstance(read, str):
            # Raised here, where no local variable holds a secret: some reporters of errors show those of every frame.
            raise CredentialError(read)
        return read

    def _understand(self, connection: Any) -> tuple[Credential, Settings] | str:
        """What a connection says, or what is wrong with it. Its secrets are masked from then on."""
        from airflow_provider_encord.client.errors import CredentialError
        from airflow_provider_encord.hooks.connection import (
            read_credential,
            read_settings,
            require_type,
            secret_values,
            unknown_fields,
            without_prefix,
        )
        from airflow_provider_encord.hooks.masking import patterns

        try:
            extra = without_prefix(_extra(connection))
            for pattern in patterns(secret_values(extra)):
                mask_secret(pattern)
            require_type(connection.conn_type)
            settings = read_settings(
                extra, host=connection.host, port=connection.port, user_agent_suffix=_airflow_user_agent()
            )
            credential = read_credential(extra)
        except CredentialError as error:
            return error.message
        if unknown := unknown_fields(extra):
            self.log.warning(
                "Connection %s has fields that mean nothing here, perhaps misspelt: %s.",
                self.encord_conn_id,
                ", ".join(unknown),
            )
        return credential, settings

    def _tell_of_api_key(self, credential: Credential) -> None:
        from airflow_provider_encord.client.credentials import ApiKey

        task_try = _task_try()
        if not isinstance(credential, ApiKey) or _warned_of_api_keys.get(self.encord_conn_id) == task_try:
            return
        _warned_of_api_keys[self.encord_conn_id] = task_try
        self.log.warning(
            "Connection %s authenticates with an API key, which Encord's SDK dropped in November 2024. It works for %s "
            "only. Use the SSH key of a service account where you can.",
            self.encord_conn_id,
            credential.resource_id,
        )


def _extra(connection: Any) -> dict[str, Any]:
    """The extra fields of a connection.

    :raises CredentialError: There is something that is not a JSON object.
    """
    from airflow_provider_encord.client.errors import CredentialError

    text = (connection.extra or "").strip().removeprefix("\ufeff") or "{}"
    try:
        extra = json.loads(text, strict=False)  # a key may have been pasted into it with its line ends
    except (ValueError, RecursionError):  # its text and traceback would quote the field, secrets included
        extra = ""
    if extra is None:
        return {}
    if not isinstance(extra, dict):
        raise CredentialError(
            "Connection field extra: it is not a JSON object. Write the fields as one, or use the form."
        ) from None
    return extra


def _airflow_user_agent() -> str:
    from airflow import __version__ as airflow_version

    return f"apache-airflow/{airflow_version}"


def _task_try() -> str:
    """Names the running try of a task; empty outside of one."""
    from airflow.providers.common.compat.sdk import get_current_context

    try:
        task_instance: Any = get_current_context()["ti"]
    except Exception:  # noqa: BLE001 - the lines of Airflow differ in what they raise outside of a task
        return ""
    parts = ("dag_id", "run_id", "task_id", "map_index", "try_number")
    return "/".join(str(getattr(task_instance, part, "")) for part in parts)
