"""The client for event loops. It sends calls and runs flows as `EncordClient` does, and refuses the same calls.

It has no handles. All that the handles do is written as calls and flows, which run here: ``await client.run(flow)``.
"""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from airflow_provider_encord.client.call import Call, Flow, Gather, Pause, Resource, Step, Transfer, run_async
from airflow_provider_encord.client.credentials import ApiKey, Credential, Unpickled
from airflow_provider_encord.client.errors import EncordError, RefusedError
from airflow_provider_encord.client.flows import capabilities
from airflow_provider_encord.client.transport.asynchronous import AsyncTransport
from airflow_provider_encord.client.transport.settings import Settings

T = TypeVar("T")


class AsyncEncordClient(Unpickled):
    """Sends requests to Encord with one credential, on one event loop.

    Close it, or use it in an ``async with`` statement.

    :param credential: `SshKey` or `ApiKey`.
    :param settings: Encord's address, timeouts and retries. Default: ``https://api.encord.com``.
    :param transport: Sends the calls. Default: a transport built on `httpx`.
    """

    def __init__(
        self, credential: Credential, settings: Settings | None = None, *, transport: AsyncTransport | None = None
    ):
        self.credential = credential
        self.settings = settings or Settings()
        self._transport = transport or AsyncTransport(credential, self.settings)
        self._resource: Resource | None = None
        self._asking = asyncio.Lock()

    async def __aenter__(self) -> AsyncEncordClient:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncEncordClient({self.credential!r}, {self.settings.base_url!r})"

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._transport.close()

    async def key_resource(self) -> Resource | None:
        """The project or dataset that the API key belongs to; None with an SSH key. Encord is asked once only.

        :raises EncordError: Encord does not accept the key, or cannot be reached.
        :raises UnsupportedByCredentialError: The key belongs to neither a project nor a dataset.
        """
        if not isinstance(self.credential, ApiKey):
            return None
        async with self._asking:
            if self._resource is None:
                self._resource = await self.run(capabilities.resource_of(self.credential))
        return self._resource

    async def send(self, call: Call[T]) -> T:
        """Send one call and return its result.

        :raises UnsupportedByCredentialError: The credential can never make this call.
        :raises EncordError: The error of the last attempt.
        """
        self.require_possible(call)
        try:
            return await self._transport.send(call)
        except RefusedError as error:
            await self._require_own_kind(call, error)
            raise

    async def run(self, flow: Flow[T]) -> T:
        """Carry out a flow and return what it returns.

        :raises EncordError: A step failed and the flow did not handle the error.
        """
        return await run_async(flow, self._perform)

    def require_possible(self, call: Call[Any]) -> None:
        """Check, without a request, that the credential can make this call.

        :raises UnsupportedByCredentialError: It cannot. The message names the kind of connection that can.
        """
        capabilities.require_possible(call, self.credential)

    async def _require_own_kind(self, call: Call[Any], error: RefusedError) -> None:
        """Raise a clearer error if Encord refused because the API key belongs to a resource of the other kind."""
        if not capabilities.may_be_of_other_kind(call, self.credential, error):
            return
        try:
            own = await self.key_resource()
        except EncordError:
            return  # the caller raises the original refusal, which is the more useful error
        capabilities.require_own_kind(call, own)

    async def _perform(self, step: Step) -> Any:
        if isinstance(step, Call):
            return await self.send(step)
        if isinstance(step, Transfer):
            return await self._transport.transfer(step)
        if isinstance(step, Pause):
            return await self._transport.pause(step.seconds)
        if isinstance(step, Gather):
            return await self._together(step)
        return self._transport.now()

    async def _together(self, together: Gather) -> list[Any]:
        places = asyncio.Semaphore(max(1, together.limit))

        async def outcome(step: Step) -> Any:
            async with places:
                try:
                    return await self._perform(step)
                except EncordError as error:
                    return error

        async with asyncio.TaskGroup() as group:  # cancelling the group cancels its steps
            tasks = [group.create_task(outcome(step)) for step in together.steps]
        return [task.result() for task in tasks]
