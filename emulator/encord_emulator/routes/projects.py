"""Rows of the table: projects."""

from __future__ import annotations

from ..projects import copying, cvat_import, projects
from ..projects import tags as project_tags
from ..requests import listing
from ..requests.filters import V1FilterPayload
from ..requests.operations import Operation
from .rows import ANY_KEY, CHANGES, LABEL_WRITE, PROJECT, READS, USER, v1, v2

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
    v2(CHANGES, "cvat_import.start", "POST projects/cvat-import", cvat_import.start, body=cvat_import.ImportBody),
    v2(READS, "cvat_import.result", "GET projects/cvat-import/{job}", cvat_import.poll, cvat_import.PollQuery),
    v2(READS, "projects.list", "GET projects", projects.list_page, projects.ProjectListing),
    v1(READS, "projects.list (v1)", "projectwithuserrole GET", projects.list_v1, USER, payload=V1FilterPayload),
    v2(READS, "project.get", "GET projects/{project}", projects.get),
    v1(READS, "project.get (v1)", "project GET", projects.get_v1, PROJECT,
        payload=projects.ProjectQuestion | None, key=ANY_KEY),
    v1(CHANGES, "project.create", "project POST", projects.create, USER, payload=projects.ProjectRequest),
    v1(CHANGES, "project.replace_ontology", "project POST", projects.replace_structure, PROJECT,
        payload=projects.EditorRequest, key=LABEL_WRITE),
    v2(READS, "project.list_datasets", "GET projects/{project}/datasets", projects.list_datasets),
    v1(CHANGES, "project.add_datasets", "projectdataset POST", projects.attach_datasets, PROJECT,
        payload=projects.DatasetHashes, key=LABEL_WRITE),
    v1(CHANGES, "project.remove_datasets", "projectdataset DELETE", projects.detach_datasets, PROJECT,
        uid=list[str], key=LABEL_WRITE),
    v1(CHANGES, "project.copy", "projectcopy POST", copying.copy, PROJECT,
        uid=str, payload=copying.CopyRequest, key=LABEL_WRITE),
    v2(CHANGES, "project.set_status", "PUT projects/{project}/status", projects.set_status, body=projects.StatusBody),
    v2(READS, "project.list_branches", "GET projects/{project}/branches", projects.list_branches,
        projects.BranchQuery),
    v2(READS, "project.get_organisation_tags", "GET projects/{project}/tags", project_tags.list_tags),
    v2(CHANGES, "project.add_organisation_tag", "PUT projects/{project}/tags/{tag}", project_tags.add_tag),
    v2(CHANGES, "project.remove_organisation_tag", "DELETE projects/{project}/tags/{tag}", project_tags.remove_tag),
    v2(READS, "project.get_issue_tags", "GET projects/{project}/issue-tags", project_tags.list_issue_tags,
        listing.PageQuery),
    v2(CHANGES, "project.add_issue_tags", "POST projects/{project}/issue-tags", project_tags.add_issue_tags,
        body=project_tags.IssueTagsBody),
)
# fmt: on
