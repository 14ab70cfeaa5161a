"""The tags of a project, and the tags for its issues.

Issue tags belong to the workspace. They are created in the web app and linked to a project by name. The tags of a
project are tags of the organisation, and are added by id; to find the id of a name, list the organisation's tags with
`organisation`.
"""

from __future__ import annotations

from collections.abc import Sequence

from airflow_provider_encord.client.api.core.reading import Page, ignored, v2_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.api.organisation import Tag
from airflow_provider_encord.client.call import Call, Request

_TAGS = v2_reader(Page[Tag])


@operation("project.get_organisation_tags", "v2")
def list_project_tags(project: str, *, page: str | None = None) -> Call[Page[Tag]]:
    """List one page of the tags of a project."""
    return Call(request=Request("GET", f"projects/{project}/tags", {"pageToken": page}), read=_TAGS)


@operation("project.add_organisation_tag", "v2")
def add_project_tag(project: str, tag: str) -> Call[None]:
    """Add a tag of the organisation to a project.

    :param tag: Id of the tag.
    """
    return Call(request=Request("PUT", f"projects/{project}/tags/{tag}"), changes=True, read=ignored)


@operation("project.remove_organisation_tag", "v2")
def remove_project_tag(project: str, tag: str) -> Call[None]:
    """Remove a tag of the organisation from a project.

    :param tag: Id of the tag.
    """
    return Call(request=Request("DELETE", f"projects/{project}/tags/{tag}"), changes=True, read=ignored)


@operation("project.get_issue_tags", "v2")
def list_issue_tags(project: str, *, page: str | None = None) -> Call[Page[Tag]]:
    """List one page of the tags that can be used for issues of a project."""
    return Call(request=Request("GET", f"projects/{project}/issue-tags", {"pageToken": page}), read=_TAGS)


@operation("project.add_issue_tags", "v2")
def add_issue_tags(project: str, names: Sequence[str]) -> Call[None]:
    """Allow tags of the workspace, by name, for issues of a project.

    Not repeatable: it is not known how Encord responds if a tag is linked already.
    """
    request = Request("POST", f"projects/{project}/issue-tags", json={"issueTagNames": list(names)})
    return Call(request=request, changes=True, repeatable=False, read=ignored)
