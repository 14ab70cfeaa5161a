"""Rows of the table: projects."""

from __future__ import annotations

from .. import projects
from ..filters import V1FilterPayload
from ..operations import Operation
from .rows import ANY_KEY, CHANGES, LABEL_WRITE, PROJECT, READS, USER, v1, v2

# fmt: off
OPERATIONS: tuple[Operation, ...] = (
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
)
# fmt: on
