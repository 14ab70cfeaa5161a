"""The client: sends calls and runs flows, refuses what its credential can never do, and hands out resources.

An API key belongs to one project or dataset, and does not say to which kind. The client asks Encord once, when it first
needs to know, and from then on refuses what the key cannot do before anything is sent.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from airflow_provider_encord.client.api import datasets, organisation, projects
from airflow_provider_encord.client.api.datasets import DatasetRecord
from airflow_provider_encord.client.api.keys import get_key_resource
from airflow_provider_encord.client.api.listing import NO_FILTER, Filter
from airflow_provider_encord.client.api.organisation import CloudIntegration
from airflow_provider_encord.client.api.projects import ProjectRecord
from airflow_provider_encord.client.call import (
    API_KEY,
    Call,
    Envelope,
    Flow,
    Pause,
    Resource,
    Step,
    Together,
    Transfer,
    run,
)
from airflow_provider_encord.client.credentials import ApiKey, Credential, SshKey
from airflow_provider_encord.client.errors import EncordError, InvalidRequestError, NotPossibleError
from airflow_provider_encord.client.resources.creation import REUSE, Created
from airflow_provider_encord.client.resources.datasets import Dataset, create_dataset_once
from airflow_provider_encord.client.resources.identifiers import require_id, require_ids
from airflow_provider_encord.client.resources.ontologies import Ontology, create_ontology_once
from airflow_provider_encord.client.resources.projects import Project, create_project_once
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport

T = TypeVar("T")


class EncordClient:
    """Talks to Encord with one credential. Close it, or use it in a ``with``.

    :param credential: `SshKey` or `ApiKey`.
    :param settings: Where Encord is; by default its first region.
    :param transport: Sends the calls; by default over `requests`.
    """

    def __init__(
        self, credential: Credential, settings: Settings | None = None, *, transport: SyncTransport | None = None
    ):
        self.credential = credential
        self.settings = settings or Settings()
        self._transport = transport or SyncTransport(credential, self.settings)
        self._resource: Resource | None = None
        self._asking = threading.Lock()

    def __enter__(self) -> EncordClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"EncordClient({self.credential!r}, {self.settings.base_url!r})"

    def close(self) -> None:
        """Give the pooled connections back."""
        self._transport.close()

    @property
    def key_resource(self) -> Resource | None:
        """The project or dataset that the API key belongs to, asked once; None with an SSH key.

        :raises EncordError: Encord does not accept the key, or was not reached.
        :raises NotPossibleError: The key belongs to neither a project nor a dataset.
        """
        if isinstance(self.credential, SshKey):
            return None
        with self._asking:
            if self._resource is None:
                kind = self._transport.send(get_key_resource()).resource_type
                if kind not in ("project", "dataset"):
                    raise NotPossibleError(
                        f"This API key belongs to a {kind}; only keys of projects and datasets can be used."
                    )
                self._resource = Resource(kind, self.credential.resource_id)
        return self._resource

    def send(self, call: Call[T]) -> T:
        """Send one call and return its result.

        :raises NotPossibleError: The credential can never do this; nothing was sent.
        :raises EncordError: What it came to after all attempts.
        """
        self.require_possible(call)
        return self._transport.send(call)

    def run(self, flow: Flow[T]) -> T:
        """Carry out a flow and return what it returns.

        :raises EncordError: A step failed and the flow let it.
        """
        return run(flow, self._perform)

    def project(self, id: str | None = None) -> Project:  # noqa: A002 - the word for it
        """Handle on a project; nothing is asked unless it has to be told from the API key.

        :param id: The project's id; None takes the one that the API key belongs to.
        :raises NotPossibleError: The API key belongs to something else.
        """
        return Project(self, self._own("project", id))

    def dataset(self, id: str | None = None) -> Dataset:  # noqa: A002 - the word for it
        """Handle on a dataset, as `project`."""
        return Dataset(self, self._own("dataset", id))

    def ontology(self, id: str) -> Ontology:  # noqa: A002 - the word for it
        """Handle on an ontology; nothing is asked."""
        return Ontology(self, id)

    def projects(self, which: Filter | None = None, *, tags: Sequence[str] = ()) -> list[ProjectRecord]:
        """The projects that the user can see.

        :param tags: Names of organisation tags, of which a project has at least one.
        """
        return self.run(projects.all_projects(which or NO_FILTER, tags=tags))

    def datasets(self, which: Filter | None = None) -> list[DatasetRecord]:
        """The datasets that the user can see."""
        return self.send(datasets.list_datasets(which or NO_FILTER))

    def cloud_integrations(self) -> list[CloudIntegration]:
        """The cloud integrations that can be used."""
        own = self.key_resource
        return self.send(
            organisation.list_cloud_integrations_v1(own) if own else organisation.list_cloud_integrations()
        )

    def bearer_token(self) -> str:
        """A bearer token for the user. It is a secret."""
        return self.send(organisation.get_bearer_token())

    def create_project(
        self,
        title: str,
        *,
        description: str = "",
        datasets: Sequence[str] = (),
        ontology: str | None = None,
        workflow_template: str | None = None,
        if_exists: str = REUSE,
    ) -> Created:
        """Create a project unless there is one of its title. What is found is not changed.

        :param datasets: Ids of the datasets to attach.
        :param ontology: Id; without one Encord makes an empty ontology.
        :param workflow_template: Id of a template made in the web app; without one Encord takes its default.
        :param if_exists: See `create_once`.
        """
        flow = create_project_once(
            title,
            if_exists=if_exists,
            description=description,
            datasets=require_ids(datasets, "datasets"),
            ontology=None if ontology is None else require_id(ontology, "ontology"),
            workflow_template=None if workflow_template is None else require_id(workflow_template, "workflow_template"),
        )
        return self.run(flow)

    def create_dataset(
        self,
        title: str,
        *,
        description: str | None = None,
        create_backing_folder: bool = True,
        if_exists: str = REUSE,
    ) -> Created:
        """Create a dataset unless there is one of its title. What is found is not changed.

        :param create_backing_folder: Make it a mirror dataset, with a storage folder kept in step.
        :param if_exists: See `create_once`.
        """
        flow = create_dataset_once(
            title, if_exists=if_exists, description=description, create_backing_folder=create_backing_folder
        )
        return self.run(flow)

    def create_ontology(
        self,
        title: str,
        *,
        structure: Mapping[str, Any] | None = None,
        description: str = "",
        if_exists: str = REUSE,
    ) -> Created:
        """Create an ontology unless there is one of its title. What is found is not changed.

        :param structure: See `complete_structure`.
        :param if_exists: See `create_once`.
        """
        return self.run(create_ontology_once(title, structure=structure, description=description, if_exists=if_exists))

    def _own(self, kind: str, id: str | None) -> str:  # noqa: A002 - the word for it
        if id is not None:
            return id
        own = self.key_resource
        if own is None:
            raise InvalidRequestError(
                f"{kind}: give its id. Only a connection with an API key has a {kind} of its own."
            )
        if own.kind != kind or own.id is None:
            raise NotPossibleError(
                f"{kind}: the API key of this connection belongs to a {own.kind} ({own.id}), so there is no {kind} to "
                f"take from it. Use a connection with an API key of a {kind}, or with an SSH key."
            )
        return own.id

    def require_possible(self, call: Call[Any]) -> None:
        """Check that the credential can do this at all.

        :raises NotPossibleError: It cannot; the message says what kind of connection could.
        """
        if self.credential.kind not in call.credentials:
            raise NotPossibleError(_wrong_kind(call), operation=call.operation)
        if isinstance(self.credential, ApiKey) and isinstance(call.request, Envelope):
            self._require_own(call, call.request, self.credential)

    def _require_own(self, call: Call[Any], request: Envelope, credential: ApiKey) -> None:
        if request.own_resource:
            return
        wanted = request.resource
        if (wanted.id or "").lower() != credential.resource_id:
            raise NotPossibleError(
                f"The API key of this connection belongs to {credential.resource_id} and cannot act on {wanted.kind} "
                f"{wanted.id}. Use a connection with an API key of that {wanted.kind}, or with an SSH key.",
                operation=call.operation,
            )
        own = self.key_resource
        if own and own.kind != wanted.kind:
            raise NotPossibleError(
                f"The API key of this connection belongs to a {own.kind} ({own.id}), and this acts on a {wanted.kind}. "
                f"Use a connection with an API key of a {wanted.kind}, or with an SSH key.",
                operation=call.operation,
            )

    def _perform(self, step: Step) -> Any:
        if isinstance(step, Call):
            return self.send(step)
        if isinstance(step, Transfer):
            return self._transport.transfer(step)
        if isinstance(step, Pause):
            return self._transport.pause(step.seconds)
        return self._together(step)

    def _together(self, together: Together) -> list[Any]:
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=max(1, together.limit))
        try:
            return list(pool.map(_outcome(self._perform), together.steps))
        finally:
            # A task that is killed raises here: what has not begun must not begin any more.
            pool.shutdown(cancel_futures=True)


def _outcome(perform: Callable[[Step], Any]) -> Callable[[Step], Any]:
    def attempt(step: Step) -> Any:
        try:
            return perform(step)
        except EncordError as error:
            return error

    return attempt


def _wrong_kind(call: Call[Any]) -> str:
    if API_KEY in call.credentials:
        return "Only an API key can do this, and this connection holds an SSH key."
    return (
        "This needs a user's or service account's SSH key, and this connection holds an API key, which can only act on "
        "the project or dataset it belongs to. Use a connection with auth_method ssh_key."
    )
