"""The client for workers. It sends calls, runs flows, and refuses calls that its credential can never make.

The handles, listings and `create_...` methods are inherited from `resources.account`. On an event loop, use
`AsyncEncordClient` instead.
"""

from __future__ import annotations

import concurrent.futures
import datetime
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from airflow_provider_encord.client.call import (
    Call,
    Download,
    Downloaded,
    Flow,
    Gather,
    Pause,
    Resource,
    Step,
    Transfer,
    run,
)
from airflow_provider_encord.client.credentials import ApiKey, Credential, Unpickled
from airflow_provider_encord.client.errors import EncordError, RefusedError
from airflow_provider_encord.client.flows import capabilities
from airflow_provider_encord.client.resources.account import Account
from airflow_provider_encord.client.times import by_encords_clock
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport

T = TypeVar("T")


class EncordClient(Unpickled, Account):
    """Sends requests to Encord with one credential. Close it after use, or use it in a ``with`` statement.

    :param credential: `SshKey` or `ApiKey`.
    :param settings: Encord's address, timeouts and retries. Default: ``https://api.encord.com``.
    :param transport: Sends the calls. Default: a transport built on `requests`.
    """

    def __init__(
        self, credential: Credential, settings: Settings | None = None, *, transport: SyncTransport | None = None
    ):
        self._credential = credential
        self.settings = settings or Settings()
        self._transport = transport or SyncTransport(credential, self.settings)
        self._resource: Resource | None = None
        self._asking = threading.Lock()
        self._process = os.getpid()

    def __enter__(self) -> EncordClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EncordClient({self.credential!r}, {self.settings.base_url!r})"

    def close(self) -> None:
        """Close the pooled connections."""
        self._transport.close()

    @property
    def credential(self) -> Credential:
        """The credential that signs or authorises each request."""
        return self._credential

    @property
    def key_resource(self) -> Resource | None:
        """The project or dataset that the API key belongs to; None with an SSH key. Encord is asked once only.

        :raises EncordError: Encord does not accept the key, or cannot be reached.
        :raises UnsupportedByCredentialError: The key belongs to neither a project nor a dataset.
        """
        if not isinstance(self.credential, ApiKey):
            return None
        if self._process != os.getpid():  # after a fork, a thread that no longer exists may hold the lock
            self._asking, self._process = threading.Lock(), os.getpid()
        with self._asking:
            if self._resource is None:
                self._resource = self.run(capabilities.resource_of(self.credential))
        return self._resource

    @property
    def clock_ahead(self) -> float | None:
        """Seconds by which this machine's clock is ahead of Encord's clock, according to the last response.

        None before the first response, or if responses have no ``Date`` header.
        """
        return self._transport.clock_ahead

    def encord_time(self) -> datetime.datetime:
        """The current time in UTC by Encord's clock; by this machine's clock until Encord's clock is known."""
        return by_encords_clock(datetime.datetime.now(datetime.UTC), self.clock_ahead)

    def send(self, call: Call[T]) -> T:
        """Send one call and return its result.

        :raises UnsupportedByCredentialError: The credential can never make this call.
        :raises EncordError: The error of the last attempt.
        """
        self.require_possible(call)
        try:
            return self._transport.send(call)
        except RefusedError as error:
            self._require_own_kind(call, error)
            raise

    def run(self, flow: Flow[T]) -> T:
        """Carry out a flow and return what it returns.

        :raises EncordError: A step failed and the flow did not handle the error.
        """
        return run(flow, self._perform)

    def download(self, download: Download) -> Downloaded:
        """Fetch a file from a signed URL. Several threads may call it at once.

        :raises EncordError: The file was not fetched. The message does not contain the URL.
        """
        return self._transport.download(download)

    def require_possible(self, call: Call[Any]) -> None:
        """Check, without a request, that the credential can make this call.

        :raises UnsupportedByCredentialError: It cannot. The message names the kind of connection that can.
        """
        capabilities.require_possible(call, self.credential)

    def _require_own_kind(self, call: Call[Any], error: RefusedError) -> None:
        """Raise a clearer error if Encord refused because the API key belongs to a resource of the other kind."""
        if not capabilities.may_be_of_other_kind(call, self.credential, error):
            return
        try:
            own = self.key_resource
        except EncordError:
            return  # the caller raises the original refusal, which is the more useful error
        capabilities.require_own_kind(call, own)

    def _perform(self, step: Step) -> Any:
        if isinstance(step, Call):
            return self.send(step)
        if isinstance(step, Transfer):
            return self._transport.transfer(step)
        if isinstance(step, Pause):
            return self._transport.pause(step.seconds)
        if isinstance(step, Gather):
            return self._together(step)
        return self._transport.now()

    def _together(self, together: Gather) -> list[Any]:
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=max(1, together.limit))
        try:
            return list(pool.map(_outcome(self._perform), together.steps))
        finally:
            # If the task is killed, it raises here. Steps that have not started must not start any more.
            pool.shutdown(cancel_futures=True)


def _outcome(perform: Callable[[Step], Any]) -> Callable[[Step], Any]:
    def attempt(step: Step) -> Any:
        try:
            return perform(step)
        except EncordError as error:
            return error

    return attempt
