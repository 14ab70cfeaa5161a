"""The tags of a project. SSH keys only."""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_encord.client.api import project_tags
from airflow_provider_encord.client.api.core.listing import every_page
from airflow_provider_encord.client.api.organisation import Tag
from airflow_provider_encord.client.call import Flow
from airflow_provider_encord.client.client_protocol import ClientProtocol
from airflow_provider_encord.client.errors import InvalidArgumentError, OutcomeUnknownError
from airflow_provider_encord.client.flows.organisation import tag_id


class ProjectTags:
    """The tags of one project.

    :param client: Sends the requests of the methods.
    :param project: The project's id.
    """

    def __init__(self, client: ClientProtocol, project: str):
        self._client, self._project = client, project

    def __repr__(self) -> str:
        return f"ProjectTags({self._project!r})"

    def list(self) -> list[Tag]:
        """The tags of the project. All of them are tags of the organisation."""
        return self._client.run(every_page(lambda page: project_tags.list_project_tags(self._project, page=page)))

    def add(self, tag: str) -> None:
        """Add a tag to the project; safe to repeat.

        :param tag: Id or name of the tag.
        :raises NotFoundError: The organisation has no tag with this name.
        """
        self._client.run(self._change(tag, adding=True))

    def remove(self, tag: str) -> None:
        """Remove a tag from the project.

        :param tag: Id or name of the tag.
        :raises NotFoundError: The organisation has no tag with this name.
        """
        self._client.run(self._change(tag, adding=False))

    def for_issues(self) -> Sequence[Tag]:
        """The tags that can be used for issues of the project."""
        return self._client.run(self._issue_tags())

    def add_for_issues(self, names: Sequence[str] | str) -> Sequence[str]:
        """Allow tags of the workspace for issues of the project; safe to repeat.

        :param names: Names of tags that were created in the web app.
        :return: The names that were not allowed before.
        """
        return self._client.run(self._add_issue_tags([names] if isinstance(names, str) else names))

    def _change(self, tag: str, *, adding: bool) -> Flow[None]:
        uuid = yield from tag_id(tag)
        change = project_tags.add_project_tag if adding else project_tags.remove_project_tag
        yield from change(self._project, uuid)

    def _issue_tags(self) -> Flow[Sequence[Tag]]:
        return every_page(lambda page: project_tags.list_issue_tags(self._project, page=page))

    def _missing(self, names: Sequence[str]) -> Flow[Sequence[str]]:
        there = {tag.name for tag in (yield from self._issue_tags())}
        return [name for name in dict.fromkeys(names) if name not in there]

    def _add_issue_tags(self, names: Sequence[str]) -> Flow[Sequence[str]]:
        """Add the missing tags. If the response is lost, check whether they were added."""
        if not all(isinstance(name, str) and name.strip() for name in names):
            raise InvalidArgumentError("names: one of the names is empty. Remove it, or pass the name of a tag.")
        missing = yield from self._missing(names)
        if not missing:
            return []
        try:
            yield from project_tags.add_issue_tags(self._project, missing)
        except OutcomeUnknownError:
            if (yield from self._missing(missing)):
                raise
        return missing
