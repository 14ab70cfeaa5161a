"""The hook: it creates an authenticated client from an Airflow connection. Only this module reads connections."""

from __future__ import annotations

import json
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

_warned_of_api_keys: dict[str, str] = {}  # connection id to the task attempt that got the warning last


class EncordHook(BaseHook):
    """Create a client for Encord's API from an Airflow connection of type ``encord``.

    Use it in a ``@task``, for example::

        with EncordHook("encord_default") as hook:
            rows = hook.get_project(project_id).label_rows()

    The connection is read, and requests are sent, only when they are needed. The secrets of the connection are
    registered with Airflow's secrets masker, and so is each line of a private key.

    :param encord_conn_id: Id of the Airflow connection.
    :param longest_wait: Seconds that a request waits for Encord's rate limit. Instead of a longer wait,
        `RateLimitedError` is raised, whose `retry_after` says when to try again. The first request of a hook waits for
        at most 65 % of it, because requests of tasks that have begun come first. Default: 60 if Encord asks for the
        wait; with the time until it is its turn, 300.
    """

    conn_name_attr = "encord_conn_id"
    default_conn_name = DEFAULT_CONNECTION_ID
    conn_type = CONNECTION_TYPE
    hook_name = HOOK_NAME

    def __init__(
        self, encord_conn_id: str = DEFAULT_CONNECTION_ID, *, longest_wait: float | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.encord_conn_id = encord_conn_id
        self.longest_wait = longest_wait

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the client with its secrets. A copied or unpickled hook creates a new client."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_client", "_log")}

    def __enter__(self) -> EncordHook:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The extra fields of the connection form, for Airflow before 3.2."""
        from airflow_provider_encord.hooks.form import widgets

        return widgets(CONNECTION_FIELDS)

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Labels and placeholders of the standard fields of the connection form, for Airflow before 3.2."""
        return {name.replace("-", "_"): value for name, value in FIELD_BEHAVIOUR.items()}

    def get_conn(self) -> EncordClient:
        """Return the authenticated client. It is created once per hook.

        :raises CredentialError: The connection is incomplete, or its credential cannot be used.
        """
        return self._client

    async def get_async_client(self) -> AsyncEncordClient:
        """Return the authenticated client for the running event loop, for triggers and async tasks.

        Call this method at every poll instead of keeping the client. It sends no request to Encord, and it uses the
        current connection, for example after its key was rotated. All tasks and triggers on the loop share one client
        for the same connection fields, so `close` does nothing.

        ::

            client = await EncordHook("encord_default").get_async_client()
            page = await client.send(list_projects())

        :raises CredentialError: The connection is incomplete, or its credential cannot be used.
        """
        from airflow.providers.common.compat.connection import get_async_connection
        from asgiref.sync import sync_to_async

        from airflow_provider_encord.client.errors import CredentialError
        from airflow_provider_encord.hooks.async_clients import shared_client

        connection = await get_async_connection(self.encord_conn_id, hook=self)
        # In a thread, because this can block: it calls the supervisor to mask secrets, and reads and decrypts the key.
        # Not in one of `asyncio.to_thread`: there, Airflow 3.1 calls the supervisor from a loop of its own, mixes up
        # the responses, and the triggerer ends.
        read = await sync_to_async(self._understand, thread_sensitive=False)(connection)
        del connection
        if isinstance(read, str):
            raise CredentialError(read)
        credential, settings = read
        self._tell_of_api_key(credential)
        return await shared_client(self.encord_conn_id, credential, settings, self.longest_wait)

    def get_sdk_client(self) -> EncordUserClient:
        """Return a new client of Encord's SDK with the host, key and timeouts of this connection.

        Use it for features that this package does not have, and for libraries that need such a client, for example
        ``encord_agents``. It needs the extra ``sdk`` and a connection with an SSH key. The SDK ignores `allow_http`:
        it sends files to any URL that Encord returns.

        :raises UnsupportedByCredentialError: The connection has an API key or a `ca_bundle`, which the SDK does not
            support.
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
            f"EncordHook.get_sdk_client needs the module {module}, which is not installed. Install the extra: "
            f"{sdk.INSTALL}"
        )

    def close(self) -> None:
        """Close the client. The next use of the hook creates a new one."""
        client = self.__dict__.pop("_client", None)
        if client is not None:
            client.close()

    def get_project(self, project_id: str | None = None) -> Project:
        """Return a project object for further calls.

        :param project_id: Id of the project. Default: the project of the connection's API key.
        """
        return self.get_conn().project(project_id)

    def get_dataset(self, dataset_id: str | None = None) -> Dataset:
        """Return a dataset object for further calls.

        :param dataset_id: Id of the dataset. Default: the dataset of the connection's API key.
        """
        return self.get_conn().dataset(dataset_id)

    def test_connection(self) -> tuple[bool, str]:
        """Test the connection with a small read request. Never raises an error.

        :return: Whether the connection works, and a message: what it can access, or what is wrong and how to fix it.
        """
        from airflow_provider_encord.hooks import connection_test

        try:
            with self._connect(attempts=1, pacer=None) as client:  # no retries, because a user waits for the result
                return True, connection_test.accepted(client)
        except Exception as error:  # noqa: BLE001 - Airflow shows the message, and expects no exception
            return False, connection_test.explained(error)

    @cached_property
    def _client(self) -> EncordClient:
        client = self._connect()
        self._tell_of_api_key(client.credential)
        return client

    def _connect(self, **options: Any) -> EncordClient:
        """Create a client from the connection.

        :param options: Arguments of `SyncTransport`.
        """
        from airflow_provider_encord.client.client import EncordClient
        from airflow_provider_encord.client.transport.sync import SyncTransport
        from airflow_provider_encord.hooks.pacing import shared_pacer

        credential, settings = self._read_connection()
        if "pacer" not in options:
            options["pacer"] = shared_pacer(credential, settings, longest=self.longest_wait)
        return EncordClient(credential, settings, transport=SyncTransport(credential, settings, **options))

    def _read_connection(self) -> tuple[Credential, Settings]:
        """Read the connection.

        :raises CredentialError: It is incomplete, or its credential cannot be used.
        """
        from airflow_provider_encord.client.errors import CredentialError

        read = self._understand(self.get_connection(self.encord_conn_id))
        if isinstance(read, str):
            # Raised here, because no local variable here has a secret: some error reporters show the variables of
            # every frame.
            raise CredentialError(read)
        return read

    def _understand(self, connection: Any) -> tuple[Credential, Settings] | str:
        """Return the credential and the settings of a connection, or an error message. Register its secrets first."""
        from airflow_provider_encord.client.errors import CredentialError
        from airflow_provider_encord.hooks import pacing
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
            for pattern in patterns([*secret_values(extra), *pacing.secret_values()]):
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
                "Connection %s has unknown fields, which are ignored: %s. Check their spelling.",
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
            "Connection %s uses an API key. Encord's SDK removed support for API keys in November 2024. This key only "
            "gives access to %s. Use the SSH key of a service account if you can.",
            self.encord_conn_id,
            credential.resource_id,
        )


def _extra(connection: Any) -> dict[str, Any]:
    """Return the extra fields of a connection.

    :raises CredentialError: The extra field is not a JSON object.
    """
    from airflow_provider_encord.client.errors import CredentialError

    text = (connection.extra or "").strip().removeprefix("\ufeff") or "{}"
    try:
        extra = json.loads(text, strict=False)  # allows the line breaks of a key that was pasted into a JSON string
    except (ValueError, RecursionError):  # dropped, because this error quotes the field with its secrets
        extra = ""
    if extra is None:
        return {}
    if not isinstance(extra, dict):
        raise CredentialError(
            "Connection field extra: it is not a JSON object. Write the fields as a JSON object, or use the form."
        ) from None
    return extra


def _airflow_user_agent() -> str:
    from airflow import __version__ as airflow_version

    return f"apache-airflow/{airflow_version}"


def _task_try() -> str:
    """Identify the current attempt of the current task; empty outside of a task."""
    from airflow.providers.common.compat.sdk import get_current_context

    try:
        task_instance: Any = get_current_context()["ti"]
    except Exception:  # noqa: BLE001 - outside of a task, each Airflow version raises another error
        return ""
    parts = ("dag_id", "run_id", "task_id", "map_index", "try_number")
    return "/".join(str(getattr(task_instance, part, "")) for part in parts)
