"""The operations that use a different API version for each kind of credential, in one table.

API keys work with v1 only. For SSH keys, Encord has replaced these v1 operations. Both forms of an operation take the
same arguments and return the same record, but v1 may leave more of its fields empty.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Generic, ParamSpec, TypeAlias, TypeVar

from airflow_provider_encord.client.api import (
    organisation,
    projects,
    uploads,
)
from airflow_provider_encord.client.api.organisation import CloudIntegration
from airflow_provider_encord.client.api.projects import ProjectDataset, ProjectOntology, ProjectRecord
from airflow_provider_encord.client.api.uploads import Kind, SignedUrl
from airflow_provider_encord.client.call import API_KEY, SSH_KEY, Call, Flow, Gather, Resource
from airflow_provider_encord.client.errors import EncordError, must_wait_elsewhere

_Urls: TypeAlias = Sequence[SignedUrl | EncordError]
P = ParamSpec("P")
T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Forms(Generic[P, T]):
    """One operation with its form for each kind of credential."""

    ssh_key: Callable[P, Call[T] | Flow[T]]
    api_key: Callable[P, Call[T] | Flow[T]]

    def flow(self, credential: str, *args: P.args, **kwargs: P.kwargs) -> Flow[T]:
        """Run the form for this kind of credential.

        :param credential: Kind of the client's credential, ``"ssh_key"`` or ``"api_key"``.
        """
        chosen = {SSH_KEY: self.ssh_key, API_KEY: self.api_key}[credential]
        return (yield from chosen(*args, **kwargs))


def _integrations_of_user(_: Resource | None, /) -> Call[list[CloudIntegration]]:
    return organisation.list_cloud_integrations()


def _integrations_of_key(own: Resource | None, /) -> Call[list[CloudIntegration]]:
    if own is None:
        raise ValueError("The resource of the API key is missing. Pass the project or dataset that it belongs to.")
    return organisation.list_cloud_integrations_v1(own)


def _urls_of_user(_: str, titles: Sequence[str], kind: Kind, __: int, /) -> Flow[_Urls]:
    return (yield from uploads.signed_urls(len(titles), kind))


def _urls_of_key(dataset: str, titles: Sequence[str], kind: Kind, parallel: int, /) -> Flow[_Urls]:
    """v1 returns some kinds of URL one per request; if one request fails, the others still succeed."""
    if kind.many_urls:
        return (yield from uploads.signed_urls_v1(dataset, titles, kind))
    calls = [uploads.signed_urls_v1(dataset, [title], kind) for title in titles]
    answers = yield from Gather(calls, parallel)
    for answer in answers:
        if isinstance(answer, EncordError) and must_wait_elsewhere(answer):
            raise answer
    return [answer if isinstance(answer, EncordError) else answer[0] for answer in answers]


PROJECT: Forms[[str], ProjectRecord] = Forms(projects.get_project, projects.get_project_v1)
PROJECT_DATASETS: Forms[[str], list[ProjectDataset]] = Forms(
    projects.all_project_datasets, projects.list_project_datasets_v1
)
PROJECT_ONTOLOGY: Forms[[str], ProjectOntology] = Forms(projects.get_project_ontology, projects.get_project_ontology_v1)
CLOUD_INTEGRATIONS: Forms[[Resource | None], list[CloudIntegration]] = Forms(
    _integrations_of_user, _integrations_of_key
)
UPLOAD_URLS: Forms[[str, Sequence[str], Kind, int], _Urls] = Forms(_urls_of_user, _urls_of_key)
"""Takes the dataset, the titles and kind of the files, and how many requests may run at once. One entry per title."""
