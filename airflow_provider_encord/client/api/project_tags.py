"""Tags of a project: those of the organisation that it has, and those that its issues can have.

Issue tags belong to the workspace and are linked to a project by name; they are made in the web app.

A project's tag is named by its id. Its name leads there by the organisation's tags: see `organisation`.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_encord.client.api.organisation import Tag
from airflow_provider_encord.client.api.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.registry import operation
from airflow_provider_encord.client.call import Call, Request

_TAGS = v2_reader(Page[Tag])


@operation("project.get_organisation_tags", "v2")
def list_project_tags(project: str, *, page: str | None = None) -> Call[Page[Tag]]:
    """The organisation's tags that a project has."""
    return Call(request=Request("GET", f"projects/{project}/tags", {"pageToken": page}), read=_TAGS)


@operation("project.add_organisation_tag", "v2")
def add_project_tag(project: str, tag: str) -> Call[None]:
    """Give a project a tag of the organisation.

    :param tag: Its id.
    """
    return Call(request=Request("PUT", f"projects/{project}/tags/{tag}"), changes=True, read=ignored)


@operation("project.remove_organisation_tag", "v2")
def remove_project_tag(project: str, tag: str) -> Call[None]:
    """Take a tag of the organisation from a project.

    :param tag: Its id.
    """
    return Call(request=Request("DELETE", f"projects/{project}/tags/{tag}"), changes=True, read=ignored)


@operation("project.get_issue_tags", "v2")
def list_issue_tags(project: str, *, page: str | None = None) -> Call[Page[Tag]]:
    """One page of the tags that issues of a project can have."""
    return Call(request=Request("GET", f"projects/{project}/issue-tags", {"pageToken": page}), read=_TAGS)


@operation("project.add_issue_tags", "v2")
def add_issue_tags(project: str, names: Sequence[str]) -> Call[None]:
    """Let issues of a project have tags of the workspace, by name.

    Not repeated blindly: what Encord says to one that is linked already is not known.
    """
    request = Request("POST", f"projects/{project}/issue-tags", json={"issueTagNames": list(names)})
    return Call(request=request, changes=True, repeatable=False, read=ignored)
